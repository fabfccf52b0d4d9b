@testable import Coordination

/// Short ways to say what most tests need.
enum Make {
    static let now: Int64 = 1_774_000_000_000

    static func lease(_ sequence: UInt64 = 1) -> LeaseID { LeaseID(instance: 0xAB, start: 1, sequence: sequence) }

    static func rate(_ perMinute: Int64, burst: Int64? = nil) -> Rate {
        guard let rate = Rate(perMinute: perMinute, burst: burst) else { preconditionFailure("not a rate") }
        return rate
    }

    static func scope(_ limits: ClientLimits, _ name: String = "team-a") -> ClientScope {
        ClientScope(id: ScopeID(client: name), limits: limits)
    }

    static func candidate(
        _ name: String = "gpt-4o",
        _ limits: DeploymentLimits = DeploymentLimits(),
        isProbed: Bool = true
    ) -> Candidate {
        Candidate(id: DeploymentID(endpoint: "sweden", deployment: name), limits: limits, isProbed: isProbed)
    }

    static func admission(
        _ lease: UInt64 = 1,
        estimate: Int64 = 100,
        _ scopes: [ClientScope] = [],
        on candidates: [Candidate] = [candidate()]
    ) -> Admission {
        Admission(lease: self.lease(lease), estimate: estimate, scopes: scopes, candidates: candidates)
    }

    static func settlement(
        _ admission: Admission,
        attempt: Int = 1,
        actual: Int64?,
        on deployment: Candidate? = nil,
        refunds: Bool = false,
        succeeded: Bool = true,
        usage: Usage? = nil
    ) -> Settlement {
        Settlement(
            lease: admission.lease,
            attempt: attempt,
            estimate: admission.estimate,
            actual: actual,
            admitted: now,
            scopes: admission.scopes,
            deployment: deployment ?? admission.candidates[0],
            refundsDeployment: refunds,
            succeeded: succeeded,
            usage: usage,
            authority: .shared
        )
    }

    static func reroute(
        _ admission: Admission,
        from failed: Candidate,
        _ kind: Failure.Kind,
        cooldown: Int64? = nil,
        to candidates: [Candidate] = []
    ) -> Reroute {
        Reroute(
            lease: admission.lease,
            estimate: admission.estimate,
            failed: failed,
            failure: Failure(kind: kind, cooldown: cooldown),
            candidates: candidates,
            authority: .shared
        )
    }
}

extension AdmissionDecision {
    var reservation: Reservation? {
        switch self {
        case .admitted(let reservation): reservation
        case .refused, .duplicate, .unavailable: nil
        }
    }

    var refusal: Refusal? {
        switch self {
        case .refused(let refusal): refusal
        case .admitted, .duplicate, .unavailable: nil
        }
    }
}

extension LimiterState {
    init() { self.init(authority: .shared) }
}
