package import NIOCore

/// A change at a client that deserves one log line and one count. None is told per command.
package enum RedisClientEvent: Sendable, Equatable {
    /// A connection is ready, the first or another.
    case ready
    /// The connection ended that was in use.
    case lost(RedisError)
    /// An attempt to connect failed, for another reason than the one before it.
    case connectFailed(RedisError)
    case breakerOpened(for: TimeAmount, because: RedisError)
    case breakerClosed
    /// Told once per code while a connection lasts: nothing that passes by itself.
    case needsAttention(RedisError)
}

/// What a client has done since it was made.
package struct RedisClientCounters: Sendable, Equatable {
    package var sent = 0
    package var answered = 0
    package var failed = 0
    /// Of the failed ones, those whose answer came after all.
    package var answeredLate = 0
    /// Sent again: as text, shortly after, or on a fresh connection.
    package var sentAgain = 0
    package var connections = 0
}

/// Redis as one event loop sees it: one connection that all exchanges of the loop share, kept up in the background.
///
/// Every call is answered by its deadline, and at once when there is no use in waiting: without a connection, with a full
/// line, or with the breaker open. Nothing waits for a connection to come up. All calls and answers are on `eventLoop`; the
/// loop's owner calls `shutDown` before it lets go.
///
///     var call = RedisScriptCall(script)
///     call.key("{0}:v1:c:team-a")
///     call.argument(12)
///     client.run(call, deadline: .now() + .milliseconds(75)) { outcome in ... } late: { outcome in ... }
package final class RedisClient: @unchecked Sendable {  // confined to `eventLoop`
    /// What there is of a connection.
    enum Phase {
        case idle
        /// Until the backoff is over. Can go to: `.connecting`, `.shutDown`.
        case waiting(Scheduled<Void>)
        case connecting(RedisConnection)
        case ready(RedisConnection)
        case shutDown
    }

    package let eventLoop: any EventLoop
    let configuration: RedisConfiguration
    let scripts: [RedisScript]
    let observe: (RedisClientEvent) -> Void
    package internal(set) var counters = RedisClientCounters()
    package internal(set) var breaker: Breaker
    var phase: Phase = .idle
    var credentials: RedisCredentials?
    var backoff = Backoff()
    /// Connections that take nothing new and wait for their last answers.
    var retiring: [ObjectIdentifier: RedisConnection] = [:]
    /// Calls that wait for the next connection, which is being made.
    var parked: [RedisCall] = []
    var reported: Set<RedisError.Code> = []
    var lastConnectFailure: RedisError.Code?
    /// Digests of scripts that are being loaded again.
    var reloading: Set<String> = []
    var whenShutDown: (() -> Void)?

    /// - Parameters:
    ///   - scripts: loaded on every connection; others run as well, but are sent as text first.
    ///   - observe: called on the event loop.
    package init(
        _ configuration: RedisConfiguration,
        scripts: [RedisScript],
        eventLoop: any EventLoop,
        observe: @escaping (RedisClientEvent) -> Void
    ) {
        self.configuration = configuration
        self.scripts = scripts
        self.eventLoop = eventLoop
        self.observe = observe
        credentials = configuration.credentials
        breaker = Breaker(policy: configuration.breaker, now: .now())
    }

    package var isReady: Bool {
        switch phase {
        case .ready: true
        case .idle, .waiting, .connecting, .shutDown: false
        }
    }

    /// Begins to connect. Calls before the connection is ready fail with `notConnected`.
    package func start() {
        guard case .idle = phase else { preconditionFailure("a client is started once") }
        connect()
    }

    /// Runs a script.
    ///
    /// - Parameters:
    ///   - completion: called exactly once, by the deadline; before this method returns where nothing was sent. A failure
    ///     with `mayHaveRun` leaves open what Redis did. An error reply is a failure, never a success.
    ///   - late: called exactly once after a `timedOut` that may have run: with the answer when it comes, or with the
    ///     failure that it will not.
    package func run(
        _ call: RedisScriptCall,
        deadline: NIODeadline,
        completion: @escaping (Result<RESPReply, RedisError>) -> Void,
        late: ((Result<RESPReply, RedisError>) -> Void)? = nil
    ) {
        let now = NIODeadline.now()
        let call = RedisCall(
            .script(call),
            purpose: .request,
            now: now,
            deadline: deadline,
            completion: completion,
            late: late
        )
        switch phase {
        case .shutDown:
            fail(call, .shutDown)
        case .idle, .waiting, .connecting, .ready:
            submit(call, now: now)
        }
    }

    /// Sends what has its place in no statistics: probes, PING, scripts.
    func upkeep(
        _ command: RedisCall.Command,
        deadline: NIODeadline,
        completion: @escaping (Result<RESPReply, RedisError>) -> Void
    ) {
        let now = NIODeadline.now()
        submit(RedisCall(command, purpose: .upkeep, now: now, deadline: deadline, completion: completion), now: now)
    }

    func submit(_ call: RedisCall, now: NIODeadline) {
        guard call.purpose == .upkeep || breaker.isClosed else { return fail(call, .breakerOpen) }
        switch phase {
        case .ready(let connection):
            if let error = connection.submit(call, now: now) { return fail(call, error) }
            if call.purpose == .request { counters.sent += 1 }
        case .idle, .waiting, .connecting, .shutDown:
            fail(call, .notConnected)
        }
    }

    // MARK: outcomes

    func succeed(_ call: RedisCall, _ reply: RESPReply) {
        if call.purpose == .request {
            counters.answered += 1
            breaker.succeeded(now: .now())
        }
        call.finish(.success(reply))
    }

    func fail(_ call: RedisCall, _ error: RedisError) {
        report(error)
        if call.purpose == .request {
            counters.failed += 1
            countFailure(error)
        }
        call.finish(.failure(error))
    }

    func report(_ error: RedisError) {
        if error.needsAttention, reported.insert(error.code).inserted { observe(.needsAttention(error)) }
    }
}
