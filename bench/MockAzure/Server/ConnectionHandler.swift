import NIOCore
import NIOHTTP1

/// One connection, or one stream of HTTP/2: requests in, answers out, in order. Decides nothing about an answer; it
/// performs what `Playback` says.
///
/// This file is the way in; `ConnectionHandler+Output.swift` is the way out.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Waiting for a request, or for the rest of one. Can go to: `.answering`, `.closing`.
        case reading
        /// Requests that come now wait in the backlog. Can go to: `.reading`, `.closing`.
        case answering
        /// No more is answered; what comes is thrown away. Final.
        case closing
    }

    /// So many parts of pipelined requests are held before the connection is no longer read.
    private static let maximumBacklog = 256

    let resource: MockResource
    let shards: Shards
    let loop: LoopState

    var context: ChannelHandlerContext?
    var phase = Phase.reading
    private var incoming: IncomingRequest?
    /// Set while a request is open, from its head to the end of its answer.
    var booking: Booking?
    private var backlog = CircularBuffer<HTTPServerRequestPart>()
    private var isReadHeld = false

    var playback: Playback?
    var timer: NIOScheduledCallback?
    /// Written again and again; NIO holds it only until it is flushed.
    var output = ByteBuffer()
    var isFlushed = true
    /// Set between answers: pipelined ones may share a write, the pieces of one answer may not.
    var mayJoin = true
    /// Set from the first part of a read to its end, when one flush serves all answers that came of it.
    var isReading = false
    var isPlaying = false

    init(resource: MockResource, shards: Shards, loop: LoopState) {
        self.resource = resource
        self.shards = shards
        self.loop = loop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closeRequest(aborted: true)
        self.phase = .closing
        self.timer?.cancel()
        self.backlog.removeAll()
        self.context = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        let part = self.unwrapInboundIn(data)
        switch self.phase {
        case .reading: self.receive(part, context: context)
        case .answering: self.backlog.append(part)
        case .closing: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        self.flush(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if self.backlog.count < Self.maximumBacklog { context.read() } else { self.isReadHeld = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, self.phase == .reading else { return context.close(promise: nil) }
        self.refuse(Answer(.badRequest(BadRequest("The request is not HTTP/1.1: \(error)."))), context: context)
    }
}

// MARK: - Requests

extension ConnectionHandler {
    private func receive(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            let request = IncomingRequest(head: head)
            self.booking = .opened(request.route.kind, self.loop)
            self.incoming = request
            if request.announcedBodyBytes ?? 0 > IncomingRequest.maximumBodyBytes {
                self.refuse(Answer(.tooLarge), context: context)
            } else if request.expectsContinue {
                self.writeContinue(context)
            }
        case .body(let piece):
            if self.incoming?.receive(piece) == false { self.refuse(Answer(.tooLarge), context: context) }
        case .end:
            guard let request = self.incoming.take() else { return }
            self.answer(request, context: context)
        }
    }

    /// Takes up what waited behind the answer that just ended.
    func receiveBacklog(_ context: ChannelHandlerContext) {
        while self.phase == .reading, let part = self.backlog.popFirst() { self.receive(part, context: context) }
        if self.isReadHeld, self.backlog.count < Self.maximumBacklog {
            self.isReadHeld = false
            context.read()
        }
    }

    private func answer(_ request: consuming IncomingRequest, context: ChannelHandlerContext) {
        if request.route.kind.isControl && request.route.allows(request.head.method) {
            return self.answerControl(request, context: context)
        }
        let answer = self.resource.answer(&request, loop: self.loop)
        self.play(answer, to: request, context: context)
    }

    func play(_ answer: Answer, to request: IncomingRequest, context: ChannelHandlerContext) {
        self.booking?.decided(answer, kind: request.route.kind.rawValue, self.loop)
        let version = request.head.version
        self.start(
            Playback(
                answer,
                faults: request.faults,
                keepAlive: request.head.isKeepAlive,
                isHead: request.isHead,
                isVersion10: version.major == 1 && version.minor == 0
            ),
            context: context
        )
    }

    /// Answers what cannot be read to its end as a request; the connection ends with it.
    private func refuse(_ answer: Answer, context: ChannelHandlerContext) {
        self.incoming = nil
        _ = self.loop.tick()
        var booking = self.booking ?? .openedMalformed(self.loop)
        booking.decided(answer, kind: "malformed", self.loop)
        self.booking = booking
        self.start(
            Playback(answer, faults: Faults(), keepAlive: false, isHead: false, isVersion10: false),
            context: context
        )
    }

    /// Settles what the books say about the open request, if there is one.
    func closeRequest(aborted: Bool) {
        self.booking?.closed(aborted: aborted, self.loop)
        self.booking = nil
        self.playback = nil
        self.incoming = nil
    }
}
