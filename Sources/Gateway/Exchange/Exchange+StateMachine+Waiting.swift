/// Waits for what is neither the client's nor Azure's: keys to tell who calls, and tokens to call with.
extension ExchangeStateMachine {
    /// The caller's token can only be judged with a key that is being fetched.
    mutating func identifying() {
        switch state {
        case .collecting: state = .identifying
        case .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            preconditionFailure("who calls is asked before anything else, and once")
        }
    }

    /// It is known who calls.
    mutating func identified() -> Action {
        switch state {
        case .identifying:
            state = .collecting
            return .takeBody
        // The exchange has ended meanwhile.
        case .collecting, .introducing, .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            return .none
        }
    }

    /// The attempt that was to start has no token yet.
    mutating func awaitingToken() {
        switch state {
        case .forwarding(let upload): state = .awaitingToken(upload)
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            preconditionFailure("a token is awaited when an attempt is to start")
        }
    }

    mutating func tokenReceived() -> Action {
        switch state {
        case .awaitingToken(let upload):
            state = .forwarding(upload)
            return .forward
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            return .none
        }
    }

    /// There is no token, or no other than the one that was refused.
    ///
    /// - Parameters:
    ///   - error: what the client gets; `nil` where an answer is held, which is then passed on.
    ///   - reroutes: another deployment is to be asked for.
    mutating func tokenMissing(_ error: GatewayError?, reroutes: Bool) -> Action {
        switch state {
        case .awaitingToken(let upload):
            if reroutes {
                state = .rerouting(upload)
                return .reroute(cancelling: false)
            }
            state = .ended
            return error.map { .answer($0, cancelling: false) } ?? .completeHeld
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            return .none
        }
    }
}
