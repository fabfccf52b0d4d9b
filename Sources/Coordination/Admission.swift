/// Asks for everything that one exchange needs: its client's limits and one of the deployments, all or nothing.
package struct Admission: Hashable, Sendable {
    package let lease: LeaseID
    /// Tokens that the exchange may use: the prompt and the most it may answer; 1 ... `mostTokens`.
    package let estimate: Int64
    /// Limits of the client, and of the client with this model; at most two.
    package let scopes: [ClientScope]
    /// Deployments in order of preference; one to sixteen.
    package let candidates: [Candidate]
    package let terms: LeaseTerms

    package static let mostScopes = 2
    package static let mostCandidates = 16
    /// Estimates and actual numbers of tokens beyond it are taken for it.
    package static let mostTokens: Int64 = 10_000_000_000

    package init(
        lease: LeaseID,
        estimate: Int64,
        scopes: [ClientScope],
        candidates: [Candidate],
        terms: LeaseTerms = .standard
    ) {
        precondition(scopes.count <= Self.mostScopes, "an admission has at most two client scopes")
        precondition(1...Self.mostCandidates ~= candidates.count, "an admission has one to sixteen candidates")
        precondition(
            scopes.count < 2 || scopes[0].id != scopes[1].id,
            "the client scopes of an admission are different"
        )
        self.lease = lease
        self.estimate = estimate.asEstimate
        self.scopes = scopes
        self.candidates = candidates
        self.terms = terms
    }
}

extension Int64 {
    /// Taken for an estimate of tokens: 1 ... `Admission.mostTokens`.
    var asEstimate: Int64 { clamped(to: 1...Admission.mostTokens) }

    /// Taken for a count of tokens or requests: 0 ... `Admission.mostTokens`.
    var asCount: Int64 { clamped(to: 0...Admission.mostTokens) }

    func clamped(to range: ClosedRange<Int64>) -> Int64 {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

/// For how long things last that nobody ended, in milliseconds.
package struct LeaseTerms: Hashable, Sendable {
    /// A lease that is neither settled nor renewed is forgotten, and a late settlement is then applied as such. Longer than an
    /// exchange may take, or renewed by beats.
    package var lease: Int64
    /// A concurrency slot of a process that died is free again after this; renewed by beats. Almost four of them, and below the
    /// 90 seconds within which a fleet has its slots back.
    package var slot: Int64
    /// A probe that did not come back makes room for the next after this.
    package var probe: Int64

    package init(lease: Int64, slot: Int64, probe: Int64) {
        self.lease = lease
        self.slot = slot
        self.probe = probe
    }

    package static let standard = LeaseTerms(lease: 3_600_000, slot: 85_000, probe: 30_000)
}

package enum AdmissionDecision: Hashable, Sendable {
    case admitted(Reservation)
    /// Nothing was changed.
    case refused(Refusal)
    /// The lease was used before, or was cancelled before it arrived: nothing was changed.
    case duplicate
    /// Nobody could be asked, and the configuration says that nothing passes then.
    case unavailable
}

/// What an admission holds until it is settled or cancelled.
package struct Reservation: Hashable, Sendable {
    /// Index of the chosen deployment among the candidates.
    package let candidate: Int
    /// The exchange decides whether the deployment is back in service.
    package let isProbe: Bool
    /// When it was admitted, in milliseconds since 1970 by the clock of whoever decided. Part of the settlement.
    package let time: Int64
    package let authority: Authority
    /// What is left of the client's limits, one for each scope of the admission.
    package let levels: [Levels]
    /// What is left of the chosen deployment's limits.
    package let deployment: Levels
    /// How much longer the candidates cool that were passed over, in milliseconds; zero for one that was full. A candidate
    /// after the chosen one was not looked at.
    package let cooldowns: [Int64]
    /// What the periods that run have used with this admission, one for each scope that has quotas.
    package let spent: [Spent]
    /// What limits in the shadow would have refused.
    package let shadow: ShadowRefusals

    package init(
        candidate: Int,
        isProbe: Bool,
        time: Int64,
        authority: Authority,
        levels: [Levels],
        deployment: Levels,
        cooldowns: [Int64],
        spent: [Spent] = [],
        shadow: ShadowRefusals = ShadowRefusals()
    ) {
        self.candidate = candidate
        self.isProbe = isProbe
        self.time = time
        self.authority = authority
        self.levels = levels
        self.deployment = deployment
        self.cooldowns = cooldowns
        self.spent = spent
        self.shadow = shadow
    }
}

/// Who decided, and so who has to be told the end of it.
package enum Authority: Hashable, Sendable {
    /// Redis, for the whole fleet.
    case shared
    /// This process alone, with its limits or its share of them.
    case local
    /// Nobody: the configuration lets everything pass while Redis is away.
    case nobody
}

/// Which limit refused.
package enum LimitKind: Int, Hashable, Sendable, CaseIterable {
    case requests = 1
    case tokens = 2
    case tokensPerDay = 3
    case tokensPerMonth = 4
    case concurrency = 5
}

/// What would have come to an admission if its limits in the shadow were enforced.
package struct ShadowRefusals: Hashable, Sendable {
    package struct OfClient: Hashable, Sendable {
        /// Index among the admission's scopes.
        package let scope: Int
        package let kind: LimitKind

        package init(scope: Int, _ kind: LimitKind) {
            self.scope = scope
            self.kind = kind
        }
    }

    /// The limit that would have refused; of several the one that takes longest, as with limits that are enforced.
    package var client: OfClient?
    /// The limit for which the deployment would have been passed over.
    package var deployment: LimitKind?

    package init(client: OfClient? = nil, deployment: LimitKind? = nil) {
        self.client = client
        self.deployment = deployment
    }
}

package struct Refusal: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// A limit of the client; `scope` is the index among the admission's scopes.
        case client(scope: Int, LimitKind)
        /// No deployment is free: each cools, is being probed or has no room.
        case deployments
    }

    package let reason: Reason
    /// Milliseconds until the same request can succeed if nobody else comes before it; at least 1. Exact for rates, quotas
    /// and cooldowns; `Refusal.slotWait` where a slot has to become free, which nobody can foretell.
    package let wait: Int64
    /// When it was decided, like `Reservation.time`.
    package let time: Int64
    package let levels: [Levels]
    /// How much longer each candidate cools, in milliseconds; empty where the client's own limits refused.
    package let cooldowns: [Int64]

    package static let slotWait: Int64 = 50

    package init(reason: Reason, wait: Int64, time: Int64, levels: [Levels], cooldowns: [Int64]) {
        self.reason = reason
        self.wait = wait
        self.time = time
        self.levels = levels
        self.cooldowns = cooldowns
    }
}
