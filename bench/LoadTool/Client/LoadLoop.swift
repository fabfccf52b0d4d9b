internal import DequeModule
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The part of the load that one event loop sends. Used on that loop only.
///
/// This file begins requests and brings them to connections; `LoadLoop+Pace.swift` says when.
final class LoadLoop {
    let eventLoop: any EventLoop
    let factory: RequestFactory
    /// Which of how many.
    let index: Int
    let count: Int
    private let tls: NIOSSLContext?
    private let retry: RetryRule
    private var pools: [ConnectionPool]
    var recorder: Recorder
    private var cache: [Int: ByteBuffer] = [:]
    private var origin = NIODeadline.now()
    /// Begun and not ended.
    private(set) var inFlight = 0
    /// Those that wait to be sent again, by their number.
    private var paused: [Int: Exchange] = [:]

    // Pace.
    var schedule: ArrivalSchedule?
    var arrival: (index: Int, nanoseconds: Int64)?
    var workerTurns: [Int] = []
    var thinkTimes = SplitMix(seed: 0)
    var isOver = false
    /// Told when nothing more is sent and nothing is open.
    var whenDone: EventLoopPromise<Void>?
    private var busyBefore: Int64 = 0

    /// More kinds of request than these are written anew each time.
    private static let maximumCachedRequests = 4_096

    init(_ eventLoop: any EventLoop, factory: RequestFactory, index: Int, count: Int, tls: NIOSSLContext?) {
        self.eventLoop = eventLoop
        self.factory = factory
        self.index = index
        self.count = count
        self.tls = tls
        let scenario = factory.scenario
        retry = RetryRule(times: scenario.retries, honoursRetryAfter: scenario.honoursRetryAfter)
        // Divided so that all loops together have as many as asked for, and each has one at least.
        let share = scenario.connections / count + (index < scenario.connections % count ? 1 : 0)
        pools = scenario.targets.map { _ in ConnectionPool(maximum: max(1, share)) }
        recorder = Recorder(scenario: scenario, models: factory.models.count)
    }

    var scenario: Scenario { factory.scenario }

    /// Nanoseconds from the start of the load.
    func now() -> Int64 { (NIODeadline.now() - origin).nanoseconds }

    func deadline(_ nanoseconds: Int64) -> NIODeadline { origin + .nanoseconds(nanoseconds) }

    func start(at origin: NIODeadline) {
        self.origin = origin
        busyBefore = Self.threadNanoseconds()
        startPace()
    }

    func verify(_ draw: RequestDraw) -> RequestKind.Verify { scenario.requests[draw.kind].verify }

    func takeInterval() -> Interval {
        let busy = Self.threadNanoseconds()
        defer { busyBefore = busy }
        return recorder.takeInterval(inFlight: inFlight, busyNanoseconds: busy - busyBefore)
    }

    /// CPU time of this thread.
    private static func threadNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: Requests

    func begin(_ draw: RequestDraw, worker: Int?, intended: Int64) {
        let now = now()
        recorder.began(lag: now - intended, intended: intended)
        let exchange = Exchange(draw, worker: worker, intended: intended, now: now)
        inFlight += 1
        guard inFlight <= max(1, scenario.maximumInFlight / count) else {
            return ended(exchange, .failed(.dropped), usage: nil, fault: nil)
        }
        dispatch(exchange)
    }

    private func dispatch(_ exchange: Exchange) {
        let target = exchange.draw.target
        if let connection = pools[target].takeIdle() { return send(exchange, on: connection) }
        pools[target].waiting.append(exchange)
        openIfWanted(target)
    }

    private func send(_ exchange: Exchange, on connection: Connection) {
        let bytes = bytes(of: exchange.draw)
        let now = now()
        recorder.waited(nanoseconds: now - exchange.queued, intended: exchange.intended)
        connection.send(exchange, bytes: bytes, now: now)
    }

    private func bytes(of draw: RequestDraw) -> ByteBuffer {
        var buffer = ByteBuffer()
        guard factory.isConstant(draw) else {
            factory.write(draw, into: &buffer)
            return buffer
        }
        let place = ((draw.target * scenario.requests.count + draw.kind) * scenario.clients.count + draw.client)
        let key = place << 24 | draw.credential
        if let cached = cache[key] { return cached }
        factory.write(draw, into: &buffer)
        if cache.count < Self.maximumCachedRequests { cache[key] = buffer }
        return buffer
    }

    func token(_ exchange: Exchange, after nanoseconds: Int64) {
        recorder.token(
            nanoseconds,
            client: exchange.draw.client,
            model: exchange.draw.model,
            target: exchange.draw.target,
            intended: exchange.intended
        )
    }

    /// An attempt ended; the request with it, unless it is sent again.
    func ended(_ exchange: Exchange, _ verdict: Outcome.Verdict, usage: TokenUsage?, fault: StreamCheck.Fault?) {
        let now = now()
        if exchange.status == 429, exchange.retryAfterMilliseconds != nil {
            recorder.toldToWait(
                client: exchange.draw.client,
                model: exchange.draw.model,
                target: exchange.draw.target,
                intended: exchange.intended
            )
        }
        if let pause = pauseBeforeRetry(exchange, verdict), now + pause < endOfDrain, !isOver {
            var again = exchange
            again.retries += 1
            again.queued = now + pause
            paused[exchange.draw.index] = again
            return after(pause) { loop in
                if let again = loop.paused.removeValue(forKey: exchange.draw.index) { loop.dispatch(again) }
            }
        }
        inFlight -= 1
        recorder.events(exchange.events)
        recorder.ended(exchange.outcome(verdict, usage: usage, fault: fault, now: now))
        if let worker = exchange.worker { workerIsFree(worker, after: exchange, now: now) }
        finishIfDone()
    }

    private func pauseBeforeRetry(_ exchange: Exchange, _ verdict: Outcome.Verdict) -> Int64? {
        switch verdict {
        case .refused, .rejected, .failed(.connect), .failed(.connection):
            // A stream that began was shown to somebody: no SDK sends it again.
            guard exchange.events == 0 else { return nil }
            var random = SplitMix(seed: scenario.seed &+ UInt64(exchange.retries + 1), index: exchange.draw.index)
            return retry.pause(
                status: exchange.status,
                retryAfterMilliseconds: exchange.retryAfterMilliseconds,
                retries: exchange.retries,
                random: &random
            )
        case .succeeded, .aborted, .failed: return nil
        }
    }

    func after(_ nanoseconds: Int64, _ body: @escaping (LoadLoop) -> Void) {
        if nanoseconds <= 0 { return body(self) }
        eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(nanoseconds)) { [weak self] in
            if let self, !self.isOver { body(self) }
        }
    }

    // MARK: Connections

    private func openIfWanted(_ target: Int) {
        guard !isOver, pools[target].wantsAnother else { return }
        pools[target].beganOpening()
        recorder.connectionsOpened += 1
        let address = scenario.targets[target]
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let tls = tls
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(Int64(scenario.connectTimeout * 1e9)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if address.usesTLS, let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: address.serverName)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Connection(loop: bound.value, target: target))
                }
            }
            .connect(host: address.host, port: address.port)
            .assumeIsolated()
            .whenFailure { [weak self] _ in self?.failedToConnect(target) }
    }

    private func failedToConnect(_ target: Int) {
        pools[target].failedOpening()
        // Each failed attempt takes one request with it, so that a target that is away is seen at once and not after
        // a timeout.
        if let exchange = pools[target].waiting.popFirst() {
            ended(exchange, .failed(.connect), usage: nil, fault: nil)
        }
        openIfWanted(target)
    }

    func connected(_ connection: Connection) {
        pools[connection.target].opened(connection)
        released(connection)
    }

    /// The connection is free: the longest waiting request takes it.
    func released(_ connection: Connection) {
        guard let exchange = pools[connection.target].waiting.popFirst() else {
            return pools[connection.target].release(connection)
        }
        send(exchange, on: connection)
    }

    func disconnected(_ connection: Connection) {
        pools[connection.target].remove(connection)
        openIfWanted(connection.target)
    }

    /// Ends what has waited too long: for its answer, or for a connection.
    func sweep() {
        let oldest = now() - Int64(scenario.requestTimeout * 1e9)
        for target in pools.indices {
            for connection in pools[target].all where (connection.exchange?.sent ?? .max) < oldest {
                guard let exchange = connection.abandon() else { continue }
                ended(exchange, .failed(.timeout), usage: nil, fault: nil)
            }
            while let first = pools[target].waiting.first, first.queued < oldest {
                pools[target].waiting.removeFirst()
                ended(first, .failed(.timeout), usage: nil, fault: nil)
            }
        }
    }

    /// Ends everything. Requests that are open count as unfinished, or not at all when a person interrupted.
    func stop(countsOpen: Bool) {
        isOver = true
        var open = Array(paused.values)
        paused.removeAll()
        for target in pools.indices {
            open += pools[target].waiting
            pools[target].waiting.removeAll()
            for connection in pools[target].all {
                if let exchange = connection.abandon() { open.append(exchange) }
            }
        }
        if countsOpen {
            for exchange in open { ended(exchange, .failed(.unfinished), usage: nil, fault: nil) }
        } else {
            inFlight -= open.count
        }
        finishIfDone()
    }
}
