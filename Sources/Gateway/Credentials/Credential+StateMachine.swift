internal import NIOCore

/// When a token is asked for, how long it serves, and when to ask again. Pure: `CredentialKeeper` performs what it returns.
///
/// A token is renewed in the background at half its life, long before anybody needs the new one, so that an hour without the
/// token service goes unnoticed.
struct CredentialStateMachine: ~Copyable {
    struct Held: Equatable {
        let authorization: String
        /// It is sent no longer than until then.
        let servesUntil: NIODeadline
        let renewAt: NIODeadline
    }

    enum State: Equatable {
        /// Can go to: `.asking`.
        case idle
        /// One request runs, and never two; `held` serves meanwhile. Can go to: `.resting`.
        case asking(held: Held?, failures: Int)
        /// Until it is time to ask again. Can go to: `.asking`.
        case resting(held: Held?, failures: Int, until: NIODeadline)
    }

    enum Action: Equatable {
        case none
        case ask
        /// It is sent from now on.
        case serve(Held)
        /// There is none, after `CredentialFailure`: whoever waits is told.
        case unavailable
        /// The request failed; the token there is goes on to serve.
        case keep
    }

    /// A token is not sent in its last minute: the request must still arrive with it.
    static let margin = TimeAmount.seconds(60)
    /// It is renewed at half its life, but no later than this before its end.
    static let renewal = TimeAmount.minutes(5)
    /// Up to this part of its life earlier, by chance, so that a fleet does not renew at once.
    static let jitter = 0.1
    /// What Azure advises for instance metadata begins with 2 seconds and ends with 30.
    static let retry = RetryDelay(first: .seconds(2), longest: .seconds(30))
    /// Instance metadata that is being updated (410) is back within 70 seconds.
    static let updating = TimeAmount.seconds(70)
    /// After a refusal that only a person can mend.
    static let refused = TimeAmount.seconds(60)
    static let maxRetryAfter = TimeAmount.minutes(5)
    /// A token that the upstream refuses is replaced at once, but no more often than this.
    static let forcedInterval = TimeAmount.minutes(1)

    private(set) var state: State = .idle
    private var lastForced: NIODeadline?

    /// When `timeReached` is due.
    var deadline: NIODeadline {
        switch state {
        case .idle: .distantFuture
        case .asking(let held, _): held?.servesUntil ?? .distantFuture
        case .resting(let held, _, let until): min(until, held?.servesUntil ?? until)
        }
    }

    var held: Held? {
        switch state {
        case .idle: nil
        case .asking(let held, _), .resting(let held, _, _): held
        }
    }

    var isAsking: Bool {
        if case .asking = state { true } else { false }
    }

    /// - Parameter held: what this identity was given before its secret was changed; it serves until another one comes.
    mutating func start(with held: Held? = nil) -> Action {
        switch state {
        case .idle:
            state = .asking(held: held, failures: 0)
            return .ask
        case .asking, .resting:
            return .none
        }
    }

    /// - Parameter chance: uniform in 0..<1.
    mutating func received(_ token: AccessToken, now: NIODeadline, chance: Double) -> Action {
        switch state {
        case .asking:
            let life = TimeAmount.seconds(token.lifetime)
            let half = TimeAmount.nanoseconds(life.nanoseconds / 2)
            let early = TimeAmount.nanoseconds(Int64(Double(life.nanoseconds) * Self.jitter * chance))
            // A token shorter than all this still serves for half its life.
            let held = Held(
                authorization: token.authorization,
                servesUntil: now + max(life - Self.margin, half),
                renewAt: now + max(min(half, life - Self.renewal), .seconds(1)) - min(early, half)
            )
            state = .resting(held: held, failures: 0, until: max(held.renewAt, now + .seconds(1)))
            return .serve(held)
        case .idle, .resting:
            return .none
        }
    }

    /// - Parameter chance: uniform in 0..<1.
    mutating func failed(_ failure: CredentialFailure, now: NIODeadline, chance: Double) -> Action {
        switch state {
        case .asking(let held, let failures):
            let kept = held.flatMap { now < $0.servesUntil ? $0 : nil }
            let pause = Self.pause(after: failure, failures: failures + 1, chance: chance)
            state = .resting(held: kept, failures: failures + 1, until: now + pause)
            return kept == nil ? .unavailable : .keep
        case .idle, .resting:
            return .none
        }
    }

    mutating func timeReached(now: NIODeadline) -> Action {
        switch state {
        case .idle:
            return .none
        case .asking(let held, let failures):
            guard let held, now >= held.servesUntil else { return .none }
            state = .asking(held: nil, failures: failures)
            return .unavailable
        case .resting(let held, let failures, let until):
            let kept = held.flatMap { now < $0.servesUntil ? $0 : nil }
            if now >= until {
                state = .asking(held: kept, failures: failures)
                return .ask
            }
            guard kept == nil, held != nil else { return .none }
            state = .resting(held: nil, failures: failures, until: until)
            return .unavailable
        }
    }

    /// The upstream refused a token with 401.
    mutating func refused(_ authorization: String, now: NIODeadline) -> Action {
        switch state {
        case .idle, .asking:
            return .none
        case .resting(let held, let failures, _):
            // Another one is served by now, or a new one was asked for just now.
            guard let held, held.authorization == authorization else { return .none }
            if let lastForced, now < lastForced + Self.forcedInterval { return .none }
            lastForced = now
            state = .asking(held: held, failures: failures)
            return .ask
        }
    }

    private static func pause(after failure: CredentialFailure, failures: Int, chance: Double) -> TimeAmount {
        if case .status(410, _) = failure { return updating }
        if case .status(_, let seconds?) = failure { return min(.seconds(Int64(max(1, seconds))), maxRetryAfter) }
        return failure.mayPassSoon ? retry.delay(failures: failures, chance: chance) : refused
    }
}
