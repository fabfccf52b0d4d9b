/// The life of one exchange as decisions. Pure: `Exchange` performs what it returns.
///
/// Whatever happens in whatever order, exactly one ending (`Action.isEnding`) is returned, and nothing after it.
struct ExchangeStateMachine: ~Copyable {
    var state: State = .collecting

    enum State: Equatable {
        /// The request's head is accepted; its body is collected because it must be read before anything is decided.
        /// Can go to: `.introducing`, `.identifying`, `.consulting`, `.admitting`, `.ended`.
        case collecting
        /// Hooks are told of the request before anything is known of it; the body waits. Can go to: `.collecting`, `.ended`.
        case introducing
        /// Who calls can only be said with a key that is being fetched; the body waits. Can go to: `.collecting`, `.ended`.
        case identifying
        /// Hooks are told who calls and what for, and may refuse. Can go to: `.admitting`, `.ended`.
        case consulting(Upload)
        /// The coordinator is asked whether, and where. Can go to: `.waiting`, `.forwarding`, `.ended`.
        case admitting(Upload)
        /// Every deployment refused, and it waits for capacity to return. Can go to: `.admitting`, `.ended`.
        case waiting(Upload)
        /// An attempt runs and nothing has come of it. Can go to: `.awaitingToken`, `.holding`, `.judging`, `.rerouting`,
        /// `.relaying`, `.ended`.
        case forwarding(Upload)
        /// A deployment is reserved, and the gateway's own token for it, the first or another, is on its way.
        /// Can go to: `.forwarding`, `.rerouting`, `.ended`.
        case awaitingToken(Upload)
        /// An event stream has begun well; its first events are held back until they prove not to be an error.
        /// Can go to: `.rerouting`, `.relaying`, `.ended`.
        case holding(Upload)
        /// An error answer has begun; it is held until it is whole.
        /// Can go to: `.forwarding`, `.awaitingToken`, `.rerouting`, `.relaying`, `.ended`.
        case judging(Upload)
        /// The attempt has failed, and the coordinator is asked for another deployment.
        /// Can go to: `.forwarding`, `.waiting`, `.ended`.
        case rerouting(Upload)
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

    /// What an attempt's head promises.
    enum Head: Equatable {
        /// Nothing that another deployment could do better.
        case good
        /// A stream whose first event may still be an error.
        case eventStream
        /// Worth a look at its body before the client sees it.
        case error
    }

    enum Action: Equatable {
        case none

        /// Find out who calls.
        case authenticate
        /// Keep the part of the request until it is known who calls.
        case postpone
        /// Look at the request's body.
        case takeBody
        /// Keep the bytes.
        case collect
        /// The body is complete: read it, then `admitting` or `refused`.
        case decide
        /// Start an attempt at the deployment that is reserved.
        case forward
        /// Ask for a token that the upstream has not refused.
        case renewToken
        /// Nobody needs what was reserved any more.
        case giveBack
        /// Pass the bytes on to the upstream.
        case upload
        case endUpload

        /// Keep what came of the answer.
        case hold
        /// Ask for another deployment.
        case reroute(cancelling: Bool)
        case relayHead
        /// Pass on what is held: the head, and the body as far as it came.
        case relayHeld
        case relay

        // Endings. `cancelling`: an attempt runs and is to be cancelled.

        /// The answer is complete.
        case complete
        /// What is held is the whole answer.
        case completeHeld
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
            case .none, .authenticate, .postpone, .takeBody, .collect, .decide, .forward, .renewToken, .giveBack,
                .upload, .endUpload,
                .hold, .reroute, .relayHead, .relayHeld, .relay:
                false
            case .complete, .completeHeld, .answer, .endStream, .cut, .abandon: true
            }
        }
    }

    /// An attempt runs, and the client has seen nothing of it.
    var isUndecided: Bool {
        switch state {
        case .forwarding, .holding, .judging: true
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting,
            .relaying, .ended:
            false
        }
    }

    var isHoldingStream: Bool { if case .holding = state { true } else { false } }
    var isAdmitting: Bool { if case .admitting = state { true } else { false } }

    var isConsulting: Bool { if case .consulting = state { true } else { false } }
    var isJudging: Bool { if case .judging = state { true } else { false } }

    // MARK: the request

    mutating func bodyReceived() -> Action {
        switch state {
        case .collecting: .collect
        case .introducing, .identifying: .postpone
        case .consulting(.open), .admitting(.open), .waiting(.open), .forwarding(.open), .awaitingToken(.open),
            .holding(.open),
            .judging(.open),
            .rerouting(.open), .relaying(.open, _):
            .upload
        // The parser gives no body behind a request's end, and an ended exchange has no use for one.
        case .consulting(.complete), .admitting(.complete), .waiting(.complete), .forwarding(.complete),
            .awaitingToken(.complete),
            .holding(.complete),
            .judging(.complete), .rerouting(.complete), .relaying(.complete, _), .ended:
            .none
        }
    }

    mutating func requestEnded() -> Action {
        switch state {
        case .collecting: return .decide
        case .introducing, .identifying: return .postpone
        case .consulting(.open): state = .consulting(.complete)
        case .admitting(.open): state = .admitting(.complete)
        case .waiting(.open): state = .waiting(.complete)
        case .forwarding(.open): state = .forwarding(.complete)
        case .awaitingToken(.open): state = .awaitingToken(.complete)
        case .holding(.open): state = .holding(.complete)
        case .judging(.open): state = .judging(.complete)
        case .rerouting(.open): state = .rerouting(.complete)
        case .relaying(.open, let answer): state = .relaying(.complete, answer)
        case .consulting(.complete), .admitting(.complete), .waiting(.complete), .forwarding(.complete),
            .awaitingToken(.complete),
            .holding(.complete),
            .judging(.complete), .rerouting(.complete), .relaying(.complete, _), .ended:
            return .none
        }
        return .endUpload
    }

    /// The driver knows what is asked for, and asks the coordinator.
    mutating func admitting(_ upload: Upload) {
        switch state {
        case .collecting: state = .admitting(upload)
        // What has come of the body meanwhile is known better here.
        case .consulting(let upload): state = .admitting(upload)
        case .introducing, .identifying, .admitting, .waiting, .forwarding, .awaitingToken, .holding, .judging,
            .rerouting, .relaying,
            .ended:
            preconditionFailure("an exchange is admitted once, when it has collected what it must know")
        }
    }

    /// A stage found a reason not to go on, or the request's own framing broke.
    mutating func refused(_ error: GatewayError) -> Action { fails(error) }

    // MARK: the coordinator

    /// A deployment is reserved, the first or another one.
    mutating func admitted() -> Action {
        switch state {
        case .admitting(let upload), .rerouting(let upload):
            state = .forwarding(upload)
            return .forward
        // The exchange has ended meanwhile.
        case .collecting, .introducing, .identifying, .consulting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .relaying, .ended:
            return .giveBack
        }
    }

    /// There is no other deployment.
    ///
    /// - Parameter error: what the client gets; `nil` where the answer of the last attempt is held, which is then passed on.
    mutating func rerouteRefused(_ error: GatewayError?) -> Action {
        switch state {
        case .rerouting:
            state = .ended
            return error.map { .answer($0, cancelling: false) } ?? .completeHeld
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken,
            .holding, .judging,
            .relaying, .ended:
            return .giveBack
        }
    }

    /// Every deployment refused, and the exchange has a place in the queue.
    mutating func mustWait() {
        switch state {
        case .admitting(let upload), .rerouting(let upload): state = .waiting(upload)
        // It has ended meanwhile.
        case .collecting, .introducing, .identifying, .consulting, .waiting, .forwarding, .awaitingToken, .holding,
            .judging, .relaying, .ended:
            break
        }
    }

    /// It is the exchange's turn. Returns whether the coordinator is to be asked for it.
    mutating func asksAgain() -> Bool {
        guard case .waiting(let upload) = state else { return false }
        state = .admitting(upload)
        return true
    }

    // MARK: the upstream

    mutating func headReceived(_ head: Head) -> Action {
        switch state {
        case .forwarding(let upload):
            switch head {
            case .good:
                state = .relaying(upload, .plain)
                return .relayHead
            case .eventStream: state = .holding(upload)
            case .error: state = .judging(upload)
            }
            return .hold
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .holding,
            .judging, .rerouting, .relaying,
            .ended:
            return .none
        }
    }

    mutating func bytesReceived() -> Action {
        switch state {
        case .relaying: .relay
        case .holding, .judging: .hold
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken,
            .rerouting, .ended:
            .none
        }
    }

    /// What is held is to be passed on: a stream's first content is there, or more than is worth holding.
    mutating func held() -> Action {
        switch state {
        case .holding(let upload): state = .relaying(upload, .eventStream)
        case .judging(let upload): state = .relaying(upload, .plain)
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken,
            .rerouting, .relaying,
            .ended:
            return .none
        }
        return .relayHeld
    }

    /// What is held shows that the attempt has failed in a way that another deployment may do better.
    mutating func failed() -> Action {
        switch state {
        case .holding(let upload), .judging(let upload):
            state = .rerouting(upload)
            return .reroute(cancelling: true)
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding, .awaitingToken,
            .rerouting, .relaying,
            .ended:
            return .none
        }
    }

    /// What to do about an attempt that is over before the client has seen anything.
    enum Remedy: Equatable {
        case none
        /// Ask for another deployment.
        case reroute
        /// Send the request to the same deployment again, changed.
        case resend
        /// Send it to the same deployment again, with another token.
        case renew
    }

    /// The attempt is over; it is not to be cancelled.
    mutating func attemptEnded(_ error: GatewayError?, remedy: Remedy) -> Action {
        switch state {
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting,
            .ended:
            return .none
        case .forwarding(let upload):
            return ended(upload, remedy) ?? .answer(error ?? Self.closedEarly, cancelling: false)
        case .holding(let upload), .judging(let upload):
            return ended(upload, remedy) ?? error.map { .answer($0, cancelling: false) } ?? .completeHeld
        case .relaying(_, let answer):
            state = .ended
            guard let error else { return .complete }
            return switch answer {
            case .plain: .cut(error, cancelling: false)
            case .eventStream: .endStream(error, cancelling: false)
            }
        }
    }

    private mutating func ended(_ upload: Upload, _ remedy: Remedy) -> Action? {
        switch remedy {
        case .none:
            state = .ended
            return nil
        case .reroute:
            state = .rerouting(upload)
            return .reroute(cancelling: false)
        case .resend:
            state = .forwarding(upload)
            return .forward
        case .renew:
            state = .awaitingToken(upload)
            return .renewToken
        }
    }

    private static let closedEarly = GatewayError(
        502,
        "upstream_closed_early",
        "Azure OpenAI gave no answer.",
        source: .upstream
    )

    // MARK: from outside

    mutating func clientLeft() -> Action {
        switch state {
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting:
            state = .ended
            return .abandon(cancelling: false)
        case .forwarding, .holding, .judging, .relaying:
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
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting:
            state = .ended
            return .answer(error, cancelling: false)
        case .forwarding, .holding, .judging:
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
