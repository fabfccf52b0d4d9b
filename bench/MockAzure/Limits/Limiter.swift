import Synchronization

/// The limits of one deployment, shared by all event loops and exact among them.
///
/// The lock guards two values and is held for a few additions. A deployment without a limit never takes it.
final class Limiter: Sendable {
    enum Admission {
        /// `lease`: tokens of a provisioned deployment that wait to be corrected.
        case admitted(LimitReport?, lease: TokenLease?)
        case refused(Refusal, LimitReport?)
    }

    private enum Policy {
        case none
        case standard(StandardLimit)
        case provisioned(ProvisionedLimit)
    }

    private struct State {
        var settings = LimitSettings()
        var policy = Policy.none
    }

    private let state: Mutex<State>
    /// False: whatever a request costs, it is admitted.
    private let active: Atomic<Bool>

    init(_ settings: LimitSettings) {
        self.state = Mutex(State(settings: settings, policy: Self.policy(settings, after: .none)))
        self.active = Atomic(settings != LimitSettings())
    }

    var isActive: Bool { self.active.load(ordering: .relaxed) }

    var settings: LimitSettings { self.state.withLock { $0.settings } }

    /// Changes the settings. What was counted so far stays counted as long as the kind of limit stays the same.
    func change(_ edit: (inout LimitSettings) throws(BadRequest) -> Void) throws(BadRequest) {
        let outcome = self.state.withLock { state -> Result<Void, BadRequest> in
            var settings = state.settings
            do throws(BadRequest) {
                try edit(&settings)
                try settings.check()
            } catch {
                return .failure(error)
            }
            state = State(settings: settings, policy: Self.policy(settings, after: state.policy))
            self.active.store(settings != LimitSettings(), ordering: .relaxed)
            return .success(())
        }
        try outcome.get()
    }

    /// Forgets what was counted.
    func restart() {
        self.state.withLock { state in state.policy = Self.policy(state.settings, after: .none) }
    }

    /// - Parameter now: milliseconds of a monotonic clock.
    func admit(_ demand: TokenDemand, now: Int) -> Admission {
        self.state.withLock { state in
            switch state.policy {
            case .none:
                return .admitted(nil, lease: nil)
            case .standard(var limit):
                let refusal = limit.admit(tokens: demand.standard, now: now)
                let report = limit.report(now: now)
                state.policy = .standard(limit)
                return refusal.map { .refused($0, report) } ?? .admitted(report, lease: nil)
            case .provisioned(var limit):
                let refusal = limit.admit(tokens: demand.provisioned, now: now)
                state.policy = .provisioned(limit)
                let lease = TokenLease(limiter: self, estimate: demand.provisioned)
                return refusal.map { .refused($0, nil) } ?? .admitted(nil, lease: lease)
            }
        }
    }

    fileprivate func settle(estimate: Int, actual: Int, now: Int) {
        self.state.withLock { state in
            guard case .provisioned(var limit) = state.policy else { return }
            limit.settle(estimate: estimate, actual: actual, now: now)
            state.policy = .provisioned(limit)
        }
    }

    /// Per cent; `nil` where nothing is provisioned.
    func utilization(now: Int) -> Int? {
        self.state.withLock { state in
            guard case .provisioned(var limit) = state.policy else { return nil }
            return limit.utilization(now: now)
        }
    }

    /// The figures of a standard deployment; `nil` for others.
    func report(now: Int) -> LimitReport? {
        self.state.withLock { state in
            guard case .standard(var limit) = state.policy else { return nil }
            return limit.report(now: now)
        }
    }

    private static func policy(_ settings: LimitSettings, after previous: Policy) -> Policy {
        if let capacity = settings.provisioned {
            guard case .provisioned(var limit) = previous else {
                return .provisioned(ProvisionedLimit(tokensPerMinute: capacity))
            }
            limit.tokensPerMinute = capacity
            return .provisioned(limit)
        }
        guard settings.tokensPerMinute != nil || settings.requestsPerMinute != nil else { return .none }
        var limit = StandardLimit()
        if case .standard(let counted) = previous { limit = counted }
        limit.tokensPerMinute = settings.tokensPerMinute
        limit.effectiveTokensPerMinute = settings.effectiveTokensPerMinute
        limit.requestsPerMinute = settings.requestsPerMinute
        limit.requestWindow = settings.requestWindow
        return .standard(limit)
    }
}

/// Tokens of a provisioned deployment that a request holds until its cost is known. To be settled once.
struct TokenLease {
    fileprivate let limiter: Limiter
    fileprivate let estimate: Int

    /// - Parameters:
    ///   - actual: tokens that were processed; 0 for a request that failed.
    ///   - now: milliseconds of the clock the request was admitted by.
    func settle(actual: Int, now: Int) {
        self.limiter.settle(estimate: self.estimate, actual: actual, now: now)
    }
}
