/// Waits for hooks: before it is asked who calls, and before anything is reserved.
extension ExchangeStateMachine {
    /// Hooks are to be told of the request, before anything is done about it.
    mutating func introducing() {
        switch state {
        case .collecting: state = .introducing
        case .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .rerouting, .relaying, .ended:
            preconditionFailure("hooks are told of a request before anything else")
        }
    }

    /// They let it go on.
    mutating func introduced() -> Action {
        switch state {
        case .introducing:
            state = .collecting
            return .authenticate
        // The exchange has ended meanwhile.
        case .collecting, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .rerouting, .relaying, .ended:
            return .none
        }
    }

    /// Hooks are to be told who calls and what for. `admitting` follows if they let it go on.
    mutating func consulting(_ upload: Upload) {
        switch state {
        case .collecting: state = .consulting(upload)
        case .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .rerouting, .relaying, .ended:
            preconditionFailure("hooks are asked when all is known of a request that is to be admitted")
        }
    }
}
