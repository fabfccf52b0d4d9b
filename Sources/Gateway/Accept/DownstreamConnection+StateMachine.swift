internal import NIOCore

/// One client connection as decisions: whose turn it is, how long it may stay silent, when it must close. Pure.
///
/// HTTP/1.1 answers in order, so one request is served at a time; the handler keeps pipelined parts until `.nextRequest`.
struct DownstreamStateMachine: ~Copyable {
    struct Timeouts {
        /// Between two requests.
        var idle: TimeAmount
        /// From a request's first byte to the end of its head, and between two reads of its body.
        var head: TimeAmount
        /// How long the rest of an unwanted request body is read, so that the client sees the answer to it.
        var discard: TimeAmount
        /// How long a client may take to close its side once ours is closed.
        var linger: TimeAmount
    }

    enum State: Equatable {
        /// No request. Can go to: `.receivingHead`, `.serving`, `.closing`, `.closed`.
        case idle(until: NIODeadline)
        /// Bytes of a head came. Can go to: `.serving`, `.closing`, `.closed`.
        case receivingHead(until: NIODeadline)
        /// A request is being served. Can go to: `.idle`, `.discarding`, `.closing`, `.closed`.
        case serving(body: RequestBody, keepAlive: Bool)
        /// Answered before the request's body had arrived; the rest is read and dropped.
        /// Can go to: `.idle`, `.closing`, `.closed`.
        case discarding(until: NIODeadline)
        /// The last bytes are on their way out. What the client still sends is read and dropped for a while: closing on
        /// unread bytes would reset the connection, and the client might never see the answer (RFC 9112 section 9.6).
        /// Can go to: `.closed`.
        case closing(until: NIODeadline)
        case closed
    }

    enum RequestBody: Equatable {
        case open(until: NIODeadline)
        case complete
    }

    enum Action: Equatable {
        case none
        case startExchange
        case deliver
        case deliverEnd
        /// Serve what was pipelined meanwhile, or wait for the next request.
        case nextRequest
        /// Go on reading and drop what comes.
        case discard
        /// Write this answer, then close.
        case refuse(GatewayError)
        /// The exchange's request is broken: tell it so. The connection closes after its answer.
        case failExchange(GatewayError)
        case tellExchangeClientLeft
        /// Flush, close our side, and go on reading.
        case close
        /// Close at once: nobody waits for anything.
        case drop
    }

    private(set) var state: State
    private let timeouts: Timeouts
    private var isDraining = false
    /// How long to read on once our side is closed.
    private var lingering: TimeAmount

    init(timeouts: Timeouts, now: NIODeadline) {
        self.timeouts = timeouts
        lingering = timeouts.linger
        state = .idle(until: now + timeouts.idle)
    }

    /// Whether the answer to the request being served must say `connection: close`.
    var closesAfterAnswer: Bool {
        switch state {
        case .serving(_, let keepAlive): !keepAlive || isDraining
        case .idle, .receivingHead, .discarding, .closing, .closed: true
        }
    }

    var isServing: Bool {
        if case .serving = state { true } else { false }
    }

    /// Whether bytes that come now are a request's head, and no request's body.
    var awaitsHead: Bool {
        switch state {
        case .idle, .receivingHead, .serving(.complete, _): true
        case .serving(.open, _), .discarding, .closing, .closed: false
        }
    }

    var deadline: NIODeadline {
        switch state {
        case .idle(let until), .receivingHead(let until), .serving(.open(let until), _), .discarding(let until):
            until
        case .closing(let until): until
        case .serving(.complete, _), .closed: .distantFuture
        }
    }

    // MARK: bytes and parts

    /// Any bytes came, before they are parsed.
    mutating func bytesReceived(now: NIODeadline) {
        switch state {
        case .idle: state = .receivingHead(until: now + timeouts.head)
        case .serving(.open, let keepAlive):
            state = .serving(body: .open(until: now + timeouts.head), keepAlive: keepAlive)
        case .receivingHead, .serving(.complete, _), .discarding, .closing, .closed: break
        }
    }

    mutating func headReceived(keepAlive: Bool, now: NIODeadline) -> Action {
        switch state {
        case .idle, .receivingHead:
            state = .serving(body: .open(until: now + timeouts.head), keepAlive: keepAlive)
            return .startExchange
        case .serving, .discarding, .closing, .closed:
            return .none  // the handler keeps it for later, or nobody will answer it
        }
    }

    mutating func bodyReceived() -> Action {
        switch state {
        case .serving(.open, _): .deliver
        case .discarding: .discard
        case .idle, .receivingHead, .serving(.complete, _), .closing, .closed: .none
        }
    }

    mutating func requestEnded(now: NIODeadline) -> Action {
        switch state {
        case .serving(.open, let keepAlive):
            state = .serving(body: .complete, keepAlive: keepAlive)
            return .deliverEnd
        case .discarding:
            guard !isDraining else { return closes(now) }
            state = .idle(until: now + timeouts.idle)
            return .nextRequest
        case .idle, .receivingHead, .serving(.complete, _), .closing, .closed:
            return .none
        }
    }

    /// The rest of the request's body is too much to read for nothing, or will not come: the connection ends with the answer.
    mutating func refuseRest() {
        if case .serving(.open(let until), _) = state { state = .serving(body: .open(until: until), keepAlive: false) }
    }

    /// NIO's parser gave up: nothing more can be read of this connection.
    mutating func parsingFailed(_ error: GatewayError, now: NIODeadline) -> Action {
        switch state {
        case .idle, .receivingHead:
            state = .closing(until: now + timeouts.linger)
            return .refuse(error)
        case .serving(.open, _):
            state = .serving(body: .complete, keepAlive: false)
            return .failExchange(error)
        case .serving(.complete, _):
            // Rubbish behind a complete request: that request is still answered.
            state = .serving(body: .complete, keepAlive: false)
            return .none
        case .discarding:
            return closes(now)
        case .closing, .closed:
            return .none
        }
    }

    // MARK: the exchange

    /// The answer's last byte is written. `reusable`: it ended as its framing promised.
    mutating func answerEnded(reusable: Bool, now: NIODeadline) -> Action {
        switch state {
        case .serving(.complete, let keepAlive) where keepAlive && reusable && !isDraining:
            state = .idle(until: now + timeouts.idle)
            return .nextRequest
        case .serving(.open, let keepAlive) where reusable && keepAlive && !isDraining:
            state = .discarding(until: now + timeouts.discard)
            return .discard
        case .serving(.open, _):
            lingering = timeouts.discard
            return closes(now)
        case .serving:
            return closes(now)
        case .idle, .receivingHead, .discarding, .closing, .closed:
            return .none
        }
    }

    private mutating func closes(_ now: NIODeadline) -> Action {
        state = .closing(until: now + lingering)
        return .close
    }

    /// The client has yet to read the last bytes; it may take as long as it may be idle.
    mutating func outputIsPending(now: NIODeadline) {
        if case .closing = state { state = .closing(until: now + timeouts.idle) }
    }

    /// The last byte is out, and our side is closed.
    mutating func outputClosed(now: NIODeadline) {
        if case .closing = state { state = .closing(until: now + lingering) }
    }

    private mutating func drops() -> Action {
        state = .closing(until: .distantFuture)
        return .drop
    }

    // MARK: time and ends

    mutating func deadlineReached(now: NIODeadline) -> Action {
        guard deadline <= now else { return .none }
        switch state {
        case .idle, .discarding, .closing:
            return drops()
        case .receivingHead:
            state = .closing(until: now + timeouts.linger)
            return .refuse(.headTimeout)
        case .serving(.open, _):
            state = .serving(body: .complete, keepAlive: false)
            return .failExchange(.headTimeout)
        case .serving(.complete, _), .closed:
            return .none
        }
    }

    /// No more requests after this one.
    mutating func drain() -> Action {
        isDraining = true
        switch state {
        case .idle:
            return drops()
        case .receivingHead, .serving, .discarding, .closing, .closed:
            return .none
        }
    }

    /// From now on answers say `connection: close`, but an idle connection may still bring a request.
    mutating func announceDrain() { isDraining = true }

    mutating func connectionClosed() -> Action {
        switch state {
        case .serving:
            state = .closed
            return .tellExchangeClientLeft
        case .idle, .receivingHead, .discarding, .closing:
            state = .closed
            return .none
        case .closed:
            return .none
        }
    }
}
