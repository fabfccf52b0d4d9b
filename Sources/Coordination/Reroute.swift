/// Says that a deployment failed before the client saw a byte, and asks for another one; the client is not charged again.
///
/// With no candidates it only reports, as for a stream that broke: the lease stays with the deployment until it is settled.
package struct Reroute: Hashable, Sendable {
    package let lease: LeaseID
    /// As in the admission.
    package let estimate: Int64
    package let failed: Candidate
    package let failure: Failure
    /// The deployments that are left, in order of preference.
    package let candidates: [Candidate]
    package let terms: LeaseTerms
    package let authority: Authority

    package init(
        lease: LeaseID,
        estimate: Int64,
        failed: Candidate,
        failure: Failure,
        candidates: [Candidate],
        terms: LeaseTerms = .standard,
        authority: Authority
    ) {
        precondition(candidates.count <= Admission.mostCandidates, "a reroute has at most sixteen candidates")
        precondition(!candidates.contains { $0.id == failed.id }, "what failed is not a candidate")
        self.lease = lease
        self.estimate = estimate.asEstimate
        self.failed = failed
        self.failure = failure
        self.candidates = candidates
        self.terms = terms
        self.authority = authority
    }
}

/// How a deployment failed, as far as the other replicas should know.
package struct Failure: Hashable, Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// 429: its own limit is used up. The bucket paces the return, nothing is probed.
        case quota
        /// 5xx that says it has too much to do.
        case overload
        case serverError
        case timeout
        /// No connection: the request never arrived.
        case connection
    }

    package let kind: Kind
    /// Milliseconds to leave it alone, with jitter; up to `mostCooldown`. `nil` where it did not say: then one second,
    /// doubled for each failure in a row, up to a minute.
    package let cooldown: Int64?
    /// Added to a doubled second, in thousandths of it; 0 ... 100. Scripts have no random numbers.
    package let jitter: Int64
    package let feedback: Feedback

    package static let mostCooldown: Int64 = 300_000
    package static let mostBackoff: Int64 = 60_000

    package init(kind: Kind, cooldown: Int64?, jitter: Int64 = 0, feedback: Feedback = .none) {
        self.kind = kind
        self.cooldown = cooldown?.clamped(to: 0...Self.mostCooldown)
        self.jitter = jitter.clamped(to: 0...100)
        self.feedback = feedback
    }

    /// Whether the deployment has to prove itself before everyone returns to it.
    var countsTowardsStreak: Bool {
        switch kind {
        case .quota: false
        case .overload, .serverError, .timeout, .connection: true
        }
    }

    /// Whether it gets back what was charged to it: Azure counts failed requests too, but not those that it never saw.
    var refundsCharge: Bool {
        switch kind {
        case .connection: true
        case .quota, .overload, .serverError, .timeout: false
        }
    }
}

/// What the headers of an answer said is left at a deployment. It lowers a level, and never raises one.
package struct Feedback: Hashable, Sendable {
    /// `x-ratelimit-remaining-requests`; zero where a 429 named this limit. `nil` where nothing was said.
    package let requests: Int64?
    /// `x-ratelimit-remaining-tokens`, likewise.
    package let tokens: Int64?
    /// `x-ratelimit-limit-tokens`: tokens per minute that the deployment takes at present, which Azure lowers for hours when it
    /// lacks room. Holds for `lifetime`; one that is not below what is configured ends it. `nil` where nothing was said.
    package let tokenLimit: Int64?

    package static let none = Feedback(requests: nil, tokens: nil)
    /// How long a named limit holds unless it is named again, in milliseconds.
    package static let lifetime: Int64 = 300_000

    package init(requests: Int64?, tokens: Int64?, tokenLimit: Int64? = nil) {
        self.requests = requests?.asCount
        self.tokens = tokens?.asCount
        self.tokenLimit = tokenLimit.flatMap { $0 > 0 ? $0.asCount : nil }
    }
}

package enum RerouteDecision: Hashable, Sendable {
    /// Another deployment was reserved; the client was not charged again.
    case rerouted(Reservation)
    /// The failure is noted, and there is no other deployment: settle with nothing used.
    case refused(Refusal)
    /// The failure is noted; no other deployment was asked for.
    case reported(cooldown: Int64)
    /// Expired, settled or cancelled: nothing was changed. Start over with a new lease.
    case leaseLost
    /// Nobody could be asked.
    case unavailable
}
