/// The life of one exchange as decisions. Pure: `Exchange` performs what it returns.
///
/// Whatever happens in whatever order, exactly one ending (`Action.isEnding`) is returned, and nothing after it.
struct ExchangeStateMachine: ~Copyable {
    private(set) var state: State = .collecting

    enum State: Equatable {
        /// The request's head is accepted; its body is collected because it must be read before anything is decided.
        /// Can go to: `.forwarding`, `.ended`.
        case collecting
        /// An attempt runs and the client has seen nothing. Can go to: `.relaying`, `.ended`.
        case forwarding(Upload)
        /// The client has the head: nothing can be answered in its place any more. Can go to: `.ended`.
        case relaying(Upload, Answer)
        case ended
    }

    /// The request body while an attempt runs.
    enum Upload: Equatable {
        /// More of it is to come, and is passed on as it comes.
        case open
        case complete
    }

    /// What kind of answer the client is reading, which decides how it can be told of a failure.
    enum Answer: Equatable {
        case plain
        case eventStream
    }

    enum Action: Equatable {
        case none

        /// Keep the bytes.
        case collect
        /// The body is complete: read it, then `forwarded` or `refused`.
        case decide
        /// Pass the bytes on to the upstream.
        case upload
        case endUpload

        case relayHead
        case relay

        // Endings. `cancelling`: an attempt runs and is to be cancelled.

        /// The answer is complete.
        case complete
        /// Nothing was sent: the client gets this instead.
        case answer(GatewayError, cancelling: Bool)
        /// An event stream ends with this as its last event.
        case endStream(GatewayError, cancelling: Bool)
        /// The client has part of an answer that can only be cut off.
        case cut(GatewayError, cancelling: Bool)
        /// The client is gone.
        case abandon(cancelling: Bool)

        var isEnding: Bool {
            switch self {
            case .none, .collect, .decide, .upload, .endUpload, .relayHead, .relay: false
            case .complete, .answer, .endStream, .cut, .abandon: true
            }
        }
    }

    // MARK: the request

    mutating func bodyReceived() -> Action {
        switch state {
        case .collecting: .collect
        case .forwarding(.open), .relaying(.open, _): .upload
        // The parser gives no body behind a request's end, and an ended exchange has no use for one.
        case .forwarding(.complete), .relaying(.complete, _), .ended: .none
        }
    }

    mutating func requestEnded() -> Action {
        switch state {
        case .collecting:
            return .decide
        case .forwarding(.open):
            state = .forwarding(.complete)
            return .endUpload
        case .relaying(.open, let answer):
            state = .relaying(.complete, answer)
            return .endUpload
        case .forwarding(.complete), .relaying(.complete, _), .ended:
            return .none
        }
    }

    /// The driver has started an attempt.
    mutating func forwarded(_ upload: Upload) {
        switch state {
        case .collecting: state = .forwarding(upload)
        case .forwarding, .relaying, .ended: preconditionFailure("an exchange is forwarded once, while it collects")
        }
    }

    /// Stage found a reason not to forward, or the request's own framing broke.
    mutating func refused(_ error: GatewayError) -> Action { fails(error) }

    // MARK: the upstream

    mutating func headReceived(_ answer: Answer) -> Action {
        switch state {
        case .forwarding(let upload):
            state = .relaying(upload, answer)
            return .relayHead
        case .collecting, .relaying, .ended:
            return .none
        }
    }

    mutating func bytesReceived() -> Action {
        switch state {
        case .relaying: .relay
        case .collecting, .forwarding, .ended: .none
        }
    }

    /// The attempt is over; it is not to be cancelled.
    mutating func attemptEnded(_ error: GatewayError?) -> Action {
        switch state {
        case .collecting, .ended:
            return .none
        case .forwarding:
            state = .ended
            let closedEarly = GatewayError(
                502,
                "upstream_closed_early",
                "Azure OpenAI gave no answer.",
                source: .upstream
            )
            return .answer(error ?? closedEarly, cancelling: false)
        case .relaying(_, let answer):
            state = .ended
            guard let error else { return .complete }
            return switch answer {
            case .plain: .cut(error, cancelling: false)
            case .eventStream: .endStream(error, cancelling: false)
            }
        }
    }

    // MARK: from outside

    mutating func clientLeft() -> Action {
        switch state {
        case .collecting:
            state = .ended
            return .abandon(cancelling: false)
        case .forwarding, .relaying:
            state = .ended
            return .abandon(cancelling: true)
        case .ended:
            return .none
        }
    }

    /// The time that a shutdown leaves is over.
    mutating func graceExpired() -> Action { fails(.shuttingDown) }

    private mutating func fails(_ error: GatewayError) -> Action {
        switch state {
        case .collecting:
            state = .ended
            return .answer(error, cancelling: false)
        case .forwarding:
            state = .ended
            return .answer(error, cancelling: true)
        case .relaying(_, .plain):
            state = .ended
            return .cut(error, cancelling: true)
        case .relaying(_, .eventStream):
            state = .ended
            return .endStream(error, cancelling: true)
        case .ended:
            return .none
        }
    }
}
