internal import NIOCore

/// One connection to a target: a request out, its answer in, and again.
///
/// It measures when what came; the loop decides what follows.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of a plain answer, to find its usage; what is longer has its usage not read.
    private static let maximumCollectedBytes = 4 * 1_024 * 1_024

    private let loop: LoadLoop
    let target: Int
    /// Its place in the pool's list.
    var place = 0
    private var context: ChannelHandlerContext?
    private(set) var exchange: Exchange?
    private var parser = ResponseParser()
    private var unread = ByteBuffer()
    private var body = ByteBuffer()
    private var lines = EventLines()
    private var check = StreamCheck(.none)

    init(loop: LoadLoop, target: Int) {
        self.loop = loop
        self.target = target
    }

    var isUsable: Bool { context != nil }

    func send(_ exchange: consuming Exchange, bytes: ByteBuffer, now: Int64) {
        precondition(self.exchange == nil, "a connection carries one request at a time")
        exchange.beginAttempt(now: now)
        exchange.bytesSent += bytes.readableBytes
        self.exchange = exchange
        parser.expectAnswer()
        context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func close() { context?.close(promise: nil) }

    /// Takes the request away, as when its time is over; the connection is of no more use.
    func abandon() -> Exchange? {
        defer { close() }
        return exchange.take()
    }

    // MARK: Channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.connected(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        if exchange != nil {
            do throws(ResponseFailure) {
                if case .end = try parser.closed() { finish(keepsAlive: false) } else { fail(.connection) }
            } catch {
                fail(.connection)
            }
        }
        loop.disconnected(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let now = loop.now()
        exchange?.bytesReceived += bytes.readableBytes
        if unread.readableBytes > 0 {
            unread.writeBuffer(&bytes)
            bytes = unread
            unread = ByteBuffer()
        }
        do throws(ResponseFailure) {
            while let event = try parser.next(&bytes) {
                switch event {
                case .head(let head): received(head, now: now)
                case .body(let slice): received(slice, now: now)
                case .end(let keepsAlive): finish(keepsAlive: keepsAlive)
                }
                if self.context == nil || isGivenUp { return }
            }
        } catch {
            fail(.malformed)
            return context.close(promise: nil)
        }
        if bytes.readableBytes > 0 { unread = bytes }
    }

    // MARK: Answers

    private func received(_ head: ResponseHead, now: Int64) {
        exchange?.head = now
        exchange?.status = head.status
        exchange?.retryAfterMilliseconds = head.retryAfterMilliseconds
        let isStream = head.isEventStream && head.status < 300
        exchange?.isStream = isStream
        body = ByteBuffer()
        if isStream, let exchange {
            lines.reset()
            check = StreamCheck(loop.verify(exchange.draw))
        }
    }

    private func received(_ slice: ByteBuffer, now: Int64) {
        guard let exchange else { return }
        if exchange.isStream { return receivedEvents(slice, now: now) }
        if body.readableBytes == 0 {
            body = slice
        } else if body.readableBytes + slice.readableBytes <= Self.maximumCollectedBytes {
            body.writeImmutableBuffer(slice)
        }
    }

    private func receivedEvents(_ slice: ByteBuffer, now: Int64) {
        let isShort = lines.read(slice) { data in
            guard !isGivenUp else { return }
            let meaning = check.received(data)
            exchange?.events += 1
            guard meaning == .content, let exchange else { return }
            if let last = exchange.lastToken {
                loop.token(exchange, after: now - last)
            } else {
                self.exchange?.firstToken = now
            }
            self.exchange?.lastToken = now
        }
        if !isShort {
            check.lineGrewTooLong()
            fail(.stream)
            return close()
        }
        if isGivenUp { giveUp() }
    }

    /// As many events came as the scenario wants of this stream.
    private var isGivenUp: Bool {
        guard let exchange, let limit = exchange.draw.abortAfter, exchange.isStream else { return false }
        return exchange.events >= limit
    }

    private func giveUp() {
        guard let exchange = exchange.take() else { return }
        let fault = check.ended(isWhole: false)
        loop.ended(exchange, fault == nil ? .aborted : .failed(.stream), usage: check.usage, fault: fault)
        close()
    }

    private func finish(keepsAlive: Bool) {
        guard let exchange = exchange.take() else { return }
        let isReusable = keepsAlive && context != nil
        if isReusable { loop.released(self) }
        let verdict: Outcome.Verdict
        var fault: StreamCheck.Fault?
        var usage: TokenUsage?
        switch exchange.status {
        case 200...299:
            if exchange.isStream {
                fault = check.ended(isWhole: true)
                usage = check.usage
            } else {
                usage = body.withUnsafeReadableBytes { TokenUsage(in: $0) }
            }
            verdict = fault == nil ? .succeeded : .failed(.stream)
        case 429: verdict = .refused
        default: verdict = .rejected
        }
        body = ByteBuffer()
        loop.ended(exchange, verdict, usage: usage, fault: fault)
        if !isReusable { close() }
    }

    private func fail(_ failure: Outcome.Failure) {
        guard let exchange = exchange.take() else { return }
        let fault = exchange.isStream ? check.ended(isWhole: true) : nil
        loop.ended(exchange, .failed(failure), usage: nil, fault: fault)
    }
}
