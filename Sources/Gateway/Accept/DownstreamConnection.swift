internal import DequeModule
internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// One client's connection: turns parsed requests into exchanges, one at a time and in order, and writes their answers.
///
/// `DownstreamStateMachine` decides. NIO's parser stands before it in the pipeline, and `RequestBytes` before that.
final class DownstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    let worker: Worker
    private var context: ChannelHandlerContext?
    private var machine: DownstreamStateMachine
    private var writer: ResponseWriter
    private var exchange: Exchange?
    /// Parts of requests that wait for the one being served. Reading stops while there are any, so that one read's worth
    /// of bytes bounds them.
    private var pipelined = Deque<HTTPServerRequestPart>()
    private var requestLine = RequestLineMeter()
    private let timer: DeadlineTimer
    /// One for all exchanges: the callback of the last one's deadline serves the next, where each would schedule and cancel
    /// its own.
    private let exchangeTimer: DeadlineTimer
    private var isHTTP10 = false
    private var readsAreHeld = false
    private var readIsWanted = false
    private var isTakingPipelined = false
    /// `nil` with TLS, and once the channel is closed.
    private var socket: ClientSocket?
    private let isPlain: Bool
    /// The channel's writability, which it reports as it changes.
    private var channelHasRoom = true
    /// The other end: the client, or what stands before the gateway.
    private(set) lazy var peer = CallerAddress(context?.remoteAddress)

    /// Bytes of an answer that may wait in the channel; above it Azure is read no further.
    static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
    private static let discardTime = TimeAmount.seconds(5)
    private static let lingerTime = TimeAmount.seconds(1)

    /// - Parameter isPlain: nothing in the pipeline changes what is written: there is no TLS.
    init(worker: Worker, isPlain: Bool) {
        self.worker = worker
        self.isPlain = isPlain
        let limits = worker.snapshot.limits
        machine = DownstreamStateMachine(
            timeouts: .init(idle: limits.idle, head: limits.head, discard: Self.discardTime, linger: Self.lingerTime),
            now: .now()
        )
        writer = ResponseWriter(buffers: worker.buffers)
        timer = DeadlineTimer(eventLoop: worker.eventLoop)
        exchangeTimer = DeadlineTimer(eventLoop: worker.eventLoop)
    }

    deinit { stopTimers() }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer.attach(self)
        exchangeTimer.attach(self)
    }

    private func stopTimers() {
        timer.stop()
        exchangeTimer.stop()
    }

    /// A connection counts from here on: one that is accepted while its listener closes may never become active.
    func channelActive(context: ChannelHandlerContext) {
        worker.opened(self)
        if isPlain { socket = ClientSocket(context.channel) }
        timer.set(machine.deadline)
        if worker.gate.phase != .serving { machine.announceDrain() }
        context.fireChannelActive()
    }

    /// From `RequestBytes`, before any other handler hears of it: the descriptor may be another's from here on.
    func socketIsClosed() { socket = nil }

    func channelInactive(context: ChannelHandlerContext) {
        worker.closed(self)
        pipelined.removeAll()
        perform(machine.connectionClosed())
        stopTimers()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopTimers()
        self.context = nil
    }

    // MARK: reading

    /// Any bytes, before they are parsed (from `RequestBytes`).
    func bytesReceived(_ buffer: ByteBuffer) {
        machine.bytesReceived(now: .now())
        if machine.awaitsHead { requestLine.advance(over: buffer) }
        timer.set(machine.deadline)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if pipelined.isEmpty, isTurn(of: part) {
            take(part)
        } else if machine.isServing {
            pipelined.append(part)
            holdReads()
        }
    }

    /// A head has to wait while another request is served; body parts belong to that one.
    private func isTurn(of part: HTTPServerRequestPart) -> Bool {
        if case .head = part { !machine.isServing } else { true }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): takeHead(head)
        case .body(let bytes): if machine.bodyReceived() == .deliver { exchange?.received(bytes) }
        case .end:
            requestLine = RequestLineMeter()
            perform(machine.requestEnded(now: .now()))
        }
    }

    private func takeHead(_ head: HTTPRequestHead) {
        isHTTP10 = head.version == .http1_0
        let parsed = Result { () throws(GatewayError) in try ParsedHead(head, worker.snapshot.limits) }
        // NIO's parser stops at a request that asks for an upgrade, so nothing can follow it.
        let isConnect = if case .CONNECT = head.method { true } else { false }
        let upgrades = parsed.asksForUpgrade || isConnect
        // HTTP/1.0 knows persistent connections only as an extension that proxies get wrong (RFC 9112 section 9.3).
        let keepAlive = head.isKeepAlive && !upgrades && !isHTTP10
        let now = NIODeadline.now()
        guard machine.headReceived(keepAlive: keepAlive, now: now) == .startExchange else { return }
        timer.set(machine.deadline)
        switch consume parsed {
        case .failure(let error):
            perform(machine.parsingFailed(error, now: .now()))
        case .success(let parsed):
            if answerHealth(parsed.target, head) { return }
            let exchange = Exchange(worker: worker, connection: self, head: head, parsed: parsed, now: now)
            self.exchange = exchange
            exchange.start()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError, error != .invalidEOFState {  // that one: the client left in a body
            let targetIsTooLong = requestLine.length > worker.snapshot.limits.headerBytes
            let refusal = ParserErrors.gatewayError(error, targetIsTooLong: targetIsTooLong)
            perform(machine.parsingFailed(refusal, now: .now()))
        } else if error is ByteToMessageDecoderError {
            // Bytes behind those that the parser gave up on: read and dropped while the answer is on its way.
        } else {
            socket = nil
            context.close(promise: nil)  // TLS or the socket: nobody is left to answer
        }
    }

    func read(context: ChannelHandlerContext) {
        if readsAreHeld { readIsWanted = true } else { context.read() }
    }

    /// The client is read no further until `releaseReads`.
    func holdReads() { readsAreHeld = true }

    func releaseReads() {
        guard readsAreHeld, pipelined.isEmpty else { return }
        readsAreHeld = false
        if readIsWanted {
            readIsWanted = false
            context?.read()
        }
    }

    // MARK: what the machine decided

    private func perform(_ action: DownstreamStateMachine.Action) {
        timer.set(machine.deadline)
        switch action {
        case .none, .startExchange, .deliver:
            break
        case .deliverEnd:
            exchange?.requestEnded()
        case .nextRequest:
            takePipelined()
        case .discard:
            releaseReads()
        case .refuse(let error):
            write(error, id: recordRefusal(error))
            closeOutput()
        case .failExchange(let error):
            if let exchange { exchange.requestFailed(error) } else { answer(error, id: recordRefusal(error)) }
        case .tellExchangeClientLeft:
            exchange?.clientLeft()
        case .close:
            closeOutput()
        case .drop:
            closeNow()
        }
    }

    /// Closes our side behind the last byte, however long the client takes to read up to it.
    private func closeOutput() {
        flush()
        releaseReads()
        guard let context else { return }
        machine.outputIsPending(now: .now())
        timer.set(machine.deadline)
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.assumeIsolated().whenComplete { _ in
            self.machine.outputClosed(now: .now())
            self.timer.set(self.machine.deadline)
        }
        context.close(mode: .output, promise: closed)
    }

    /// A request that is refused before it is an exchange is counted and logged all the same.
    private func recordRefusal(_ error: GatewayError) -> ExchangeID {
        let now = NIODeadline.now()
        var record = ExchangeRecord(id: worker.nextID(), start: now, end: now)
        record.status = error.status
        record.error = error
        worker.record(record)
        return record.id
    }

    private func takePipelined() {
        guard !isTakingPipelined else { return }
        isTakingPipelined = true
        while let part = pipelined.first, isTurn(of: part) { take(pipelined.removeFirst()) }
        isTakingPipelined = false
        releaseReads()
    }

    // MARK: writing (DownstreamConnection+Answer.swift uses these)

    /// Whether Azure may be read on.
    var takesBytes: Bool { channelHasRoom && writer.pendingBytes < Self.writeBuffer.high }

    /// Whether nothing of an answer with a length is missing any more.
    var hasWholeAnswer: Bool { writer.hasPromisedLength }

    /// Whether the answer may be longer than Azure's.
    var isOpenEnded: Bool { writer.isOpenEnded }

    var canWrite: Bool { context != nil && machine.state != .closed }

    var saysClose: Bool { machine.closesAfterAnswer }

    func compose(_ body: (inout ResponseWriter, _ isHTTP10: Bool) -> Void) { if canWrite { body(&writer, isHTTP10) } }

    func flush() { write(writer.take()) }

    private func write(_ buffers: (first: ByteBuffer?, second: ByteBuffer?)) {
        guard context != nil, buffers.first != nil || buffers.second != nil else { return }
        let sent = socket?.send(buffers.first, buffers.second) ?? 0
        let count = (buffers.first?.readableBytes ?? 0) + (buffers.second?.readableBytes ?? 0)
        if sent < count { writeRest(of: buffers, behind: sent) }
        if let first = buffers.first { worker.buffers.giveBack(first) }
        if let second = buffers.second { worker.buffers.giveBack(second) }
    }

    /// Has the channel write what the socket did not take: a buffer of which nothing is left is none.
    private func writeRest(of buffers: (first: ByteBuffer?, second: ByteBuffer?), behind sent: Int) {
        var (first, second) = buffers
        let ofFirst = min(sent, first?.readableBytes ?? 0)
        first?.moveReaderIndex(forwardBy: ofFirst)
        second?.moveReaderIndex(forwardBy: sent - ofFirst)
        if first?.readableBytes == 0 { first = nil }
        if second?.readableBytes == 0 { second = nil }
        writeThroughChannel(first, second)
    }

    private func writeThroughChannel(_ first: ByteBuffer?, _ second: ByteBuffer?) {
        guard let context else { return }
        var written: EventLoopPromise<Void>?
        if socket != nil {
            socket?.channelWrites()
            written = context.eventLoop.makePromise()
            written?.futureResult.assumeIsolated().whenComplete { _ in self.socket?.channelHasWritten() }
        }
        if let first { context.write(wrapOutboundOut(first), promise: second == nil ? written : nil) }
        if let second { context.write(wrapOutboundOut(second), promise: written) }
        context.flush()
    }

    /// The answer's last byte is composed. `reusable`: it ended as its head promised.
    func answerEnded(reusable: Bool) {
        let isWhole = writer.isComplete
        write(writer.take(ending: reusable))
        perform(machine.answerEnded(reusable: reusable && isWhole, now: .now()))
    }

    /// `nil` for an exchange that has ended.
    func timer(of exchange: Exchange) -> DeadlineTimer? { exchange === self.exchange ? exchangeTimer : nil }

    func exchangeEnded(_ ended: Exchange) { if exchange === ended { exchange = nil } }

    func closeNow() {
        socket = nil
        context?.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        channelHasRoom = context.channel.isWritable
        if channelHasRoom { exchange?.clientIsWritable() }
        context.fireChannelWritabilityChanged()
    }

    func refuseRest() { machine.refuseRest() }

    // MARK: shutdown

    func announceDrain() { machine.announceDrain() }
    func drain() { perform(machine.drain()) }
    func graceExpired() { exchange?.graceExpired() }
}

extension DownstreamConnection: DeadlineHandler {
    func deadlineReached(_ timer: DeadlineTimer) {
        if timer === exchangeTimer {
            exchange?.deadlineReached()
        } else {
            perform(machine.deadlineReached(now: .now()))
        }
    }
}
