internal import NIOCore
internal import NIOSSL

/// What a connection tells the client that made it. All calls come on the event loop.
protocol RedisConnectionOwner: AnyObject {
    func connectionReady(_ connection: RedisConnection)
    /// Told before the commands that it takes along are answered.
    func connectionEnded(_ connection: RedisConnection, _ error: RedisError)
    func answered(_ call: RedisCall, _ reply: RESPReply, isLate: Bool, on connection: RedisConnection)
    func unanswered(_ call: RedisCall, _ error: RedisError, isLate: Bool)
}

/// The channel of one connection to Redis: bytes, timers and nothing to decide.
///
/// All commands that are submitted in one turn of the event loop leave in one write.
///
/// Not checked for sending between threads: everything in it is confined to `eventLoop`.
final class RedisConnection: ChannelInboundHandler, NIOScheduledCallbackHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let eventLoop: any EventLoop
    private(set) var readySince: NIODeadline?
    private unowned let owner: any RedisConnectionOwner
    private let configuration: RedisConfiguration
    private let preparation: RedisPreparation
    private let reader: RESPReader
    private var machine: RedisConnectionStateMachine<RedisCall>
    private var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var isReading = false
    private var isFlushScheduled = false
    private var wakeUp: NIODeadline = .distantFuture
    private var scheduled: NIOScheduledCallback?

    /// - Parameter owner: outlives the connection.
    init(
        _ configuration: RedisConfiguration,
        preparation: RedisPreparation,
        eventLoop: any EventLoop,
        owner: any RedisConnectionOwner
    ) {
        self.configuration = configuration
        self.preparation = preparation
        self.eventLoop = eventLoop
        self.owner = owner
        reader = RESPReader(limits: configuration.replyLimits)
        machine = RedisConnectionStateMachine(configuration, steps: preparation.steps, now: .now())
    }

    // MARK: what the client asks for

    func open() {
        wake(at: .now() + configuration.connectTimeout)
        openChannel(configuration) { self.end($0) }
    }

    /// - Returns: why it cannot be sent, or `nil`: then it is answered, once or, after its deadline, twice.
    func submit(_ call: RedisCall, now: NIODeadline = .now()) -> RedisError? {
        switch machine.submit(call, bytes: call.byteCount, deadline: call.deadline, now: now) {
        case .refuse(let error):
            return error
        case .send(let wakeUp):
            call.encode(into: &outbound)
            wake(at: wakeUp)
            scheduleFlush()
            return nil
        }
    }

    /// No more commands; the connection ends with the last answer, or at the deadline.
    func drain(until deadline: NIODeadline) {
        switch machine.drain(until: deadline) {
        case .close: closed(.shutDown)
        case .wait(let wakeUp): wake(at: wakeUp)
        case .ignore: break
        }
    }

    func end(_ error: RedisError) {
        if machine.fails() { closed(error) }
    }

    // MARK: what the channel says

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        switch machine.connected(now: .now()) {
        case .prepare(let wakeUp):
            wake(at: wakeUp)
            outbound.writeImmutableBuffer(preparation.bytes)
            flush()
        case .close:
            closeChannel(context, abruptly: false)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        reader.feed(unwrapInboundIn(data))
        let now = NIODeadline.now()
        do throws(RESPViolation) {
            while let reply = try reader.next() { received(reply, now: now) }
        } catch {
            end(.violation(error.description))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
    }

    func channelInactive(context: ChannelHandlerContext) { end(.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(RedisError(channel: error)) }

    private func received(_ reply: RESPReply, now: NIODeadline) {
        switch machine.replyReceived(reply, now: now) {
        case .wait, .ignore:
            break
        case .becomeReady(let wakeUp):
            readySince = now
            wake(at: wakeUp)
            owner.connectionReady(self)
        case .answer(let call, let isLate):
            owner.answered(call, reply, isLate: isLate, on: self)
        case .answerAndClose(let call, let isLate):
            owner.answered(call, reply, isLate: isLate, on: self)
            closed(.shutDown)
        case .close(let error):
            closed(error)
        }
    }

    // MARK: writing

    private func scheduleFlush() {
        // Whatever is submitted while answers are handed out leaves when all of them are.
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard outbound.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(outbound), promise: nil)
        // The storage is used again if the socket took all of it, and given back if a burst made it large.
        outbound = outbound.capacity > 256 << 10 ? ByteBuffer() : outbound
        outbound.clear()
    }

    // MARK: time

    private func wake(at deadline: NIODeadline) {
        guard deadline < wakeUp else { return }  // `.distantFuture` is none
        scheduled?.cancel()
        // A loop that is shutting down takes no more callbacks; the connection ends with it.
        scheduled = try? eventLoop.scheduleCallback(at: deadline, handler: self)
        wakeUp = scheduled == nil ? .distantFuture : deadline
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        scheduled = nil
        wakeUp = .distantFuture
        let reached = machine.timeReached(now: .now())
        for call in reached.timedOut { owner.unanswered(call, .timedOut(mayHaveRun: true), isLate: false) }
        switch reached.next {
        case .sleep(let until): wake(at: until)
        case .ping: ping()
        case .close(let error): closed(error)
        }
    }

    private func ping() {
        let now = NIODeadline.now()
        let deadline = now + configuration.pingDeadline
        let call = RedisCall(.plain(.ping), purpose: .upkeep, now: now, deadline: deadline) { outcome in
            if case .failure = outcome { self.end(.stalled) }
        }
        if let error = submit(call, now: now) { end(error) }
    }

    // MARK: the end

    /// The machine is closed: nothing is sent or answered any more.
    private func closed(_ error: RedisError) {
        scheduled?.cancel()
        scheduled = nil
        outbound.clear()
        if let context { closeChannel(context, abruptly: machine.commandsInLine > 0) }
        owner.connectionEnded(self, error)
        while let orphan = machine.nextOrphan() {
            owner.unanswered(
                orphan.command,
                RedisError(error.code, mayHaveRun: true, cause: error.cause),
                isLate: orphan.hasTimedOut
            )
        }
    }
}
