/// Ends a lease: what was estimated becomes what was used, slots become free, usage is counted.
///
/// It has the effect of at most one execution, in whatever order and however often its attempts arrive.
package struct Settlement: Hashable, Sendable {
    package let lease: LeaseID
    /// 1 for the first time it is sent; each number is sent once.
    package var attempt: Int
    /// A beat that renews this lease may still be on its way, over another connection. The end is then remembered, so that
    /// the beat cannot bring the lease back.
    package var isBeingRenewed: Bool
    /// As in the admission.
    package let estimate: Int64
    /// Tokens of prompt and answer; `nil` where nobody knows, which keeps the estimate.
    package let actual: Int64?
    /// `Reservation.time` of the admission.
    package let admitted: Int64
    package let scopes: [ClientScope]
    /// The deployment that answered; `nil` if none did.
    package let deployment: Candidate?
    /// Give the deployment back what was estimated and not used. Provisioned deployments do so themselves; others count the
    /// estimate until the minute is over.
    package let refundsDeployment: Bool
    /// The deployment did its work: it is no longer on probation.
    package let succeeded: Bool
    package let feedback: Feedback
    package let usage: Usage?
    package let authority: Authority
    /// It ends what was admitted elsewhere: nothing of it was charged where this is sent, so all that was used is charged now.
    package let isApart: Bool

    package init(
        lease: LeaseID,
        attempt: Int = 1,
        isBeingRenewed: Bool = false,
        estimate: Int64,
        actual: Int64?,
        admitted: Int64,
        scopes: [ClientScope],
        deployment: Candidate?,
        refundsDeployment: Bool = false,
        succeeded: Bool,
        feedback: Feedback = .none,
        usage: Usage? = nil,
        authority: Authority,
        isApart: Bool = false
    ) {
        precondition(attempt >= 1, "attempts are counted from one")
        precondition(scopes.count <= Admission.mostScopes, "a lease has at most two client scopes")
        self.lease = lease
        self.attempt = attempt
        self.isBeingRenewed = isBeingRenewed
        self.estimate = estimate.asEstimate
        self.actual = actual?.asCount
        self.admitted = admitted
        self.scopes = scopes
        self.deployment = deployment
        self.refundsDeployment = refundsDeployment
        self.succeeded = succeeded
        self.feedback = feedback
        self.usage = usage
        self.authority = authority
        self.isApart = isApart
    }

    /// How long the end of a lease is remembered where an earlier message may still arrive, in milliseconds.
    package static let markerTerm: Int64 = 600_000
}

/// What an exchange adds to the counters of its client's day.
package struct Usage: Hashable, Sendable {
    /// The UTC day in digits, like 20260331.
    package let day: Int
    package let client: ScopeID
    package let deployment: DeploymentID
    /// What its counters are kept under: `Usage.line(model:deployment:)`, or the deployment alone.
    package let line: String
    /// What is zero is not written.
    package let counts: Counts

    package struct Counts: Hashable, Sendable {
        package var requests: Int64
        package var input: Int64
        package var output: Int64
        /// The part of `input` that was cached.
        package var cached: Int64
        package var throttled: Int64
        package var serverErrors: Int64
        /// The part of `output` that was never shown.
        package var reasoning: Int64 = 0 { didSet { reasoning = reasoning.asCount } }
        package var inputAudio: Int64 = 0 { didSet { inputAudio = inputAudio.asCount } }
        package var outputAudio: Int64 = 0 { didSet { outputAudio = outputAudio.asCount } }
        /// Length of sound that is billed by its length.
        package var milliseconds: Int64 = 0 { didSet { milliseconds = milliseconds.asCount } }
        /// Tokens of `input` and `output` that are an estimate.
        package var estimated: Int64 = 0 { didSet { estimated = estimated.asCount } }

        package init(
            requests: Int64 = 0,
            input: Int64 = 0,
            output: Int64 = 0,
            cached: Int64 = 0,
            throttled: Int64 = 0,
            serverErrors: Int64 = 0
        ) {
            self.requests = requests.asCount
            self.input = input.asCount
            self.output = output.asCount
            self.cached = cached.asCount
            self.throttled = throttled.asCount
            self.serverErrors = serverErrors.asCount
        }

        /// What they are called in Redis, in the order of `values`.
        static let names: [StaticString] = [
            "req", "in", "out", "cached", "429", "5xx", "reason", "ain", "aout", "ms", "est",
        ]

        /// All of them, and zeros behind them.
        var values: SIMD16<Int64> {
            SIMD16(
                lowHalf: SIMD8(requests, input, output, cached, throttled, serverErrors, reasoning, inputAudio),
                highHalf: SIMD8(outputAudio, milliseconds, estimated, 0, 0, 0, 0, 0)
            )
        }

        /// The counts that are not zero, under the names that they have in Redis.
        func visit(_ body: (StaticString, Int64) -> Void) {
            let values = values
            for (index, name) in Self.names.enumerated() where values[index] > 0 { body(name, values[index]) }
        }
    }

    /// - Parameter time: milliseconds since 1970, such as that of the admission.
    package init(time: Int64, client: ScopeID, deployment: DeploymentID, line: String? = nil, counts: Counts) {
        self.init(day: UTCDate.digits(of: time), client: client, deployment: deployment, line: line, counts: counts)
    }

    package init(day: Int, client: ScopeID, deployment: DeploymentID, line: String? = nil, counts: Counts) {
        self.day = day
        self.client = client
        self.deployment = deployment
        self.line = line ?? deployment.name
        self.counts = counts
    }
}

extension Usage {
    /// What counters are kept under: a model, as it was asked for, at a deployment. Made once for each, not for every request.
    package static func line(model: String?, deployment: DeploymentID) -> String {
        "\(escaped(model ?? ""))/\(deployment.name)"
    }
}

package enum SettlementOutcome: Hashable, Sendable {
    case applied
    /// The lease had expired, or Redis lost it: applied as well, as it was the first attempt.
    case appliedLate
    /// By an earlier attempt, or there was nothing to cancel: nothing was changed.
    case alreadyApplied
    /// Nobody could be told in time; usage is in the access log only.
    case dropped
}

/// Takes back an admission that nobody knows the outcome of, or that nobody wants any more before anything was sent.
///
/// Everything that it charged is given back. It leaves a mark, so that an admission that arrives later is refused as a
/// duplicate.
package struct Cancellation: Hashable, Sendable {
    package let lease: LeaseID
    package let estimate: Int64
    package let scopes: [ClientScope]
    /// All that the admission could have chosen.
    package let candidates: [Candidate]
    package let authority: Authority

    package init(
        lease: LeaseID,
        estimate: Int64,
        scopes: [ClientScope],
        candidates: [Candidate],
        authority: Authority
    ) {
        precondition(scopes.count <= Admission.mostScopes, "a lease has at most two client scopes")
        precondition(candidates.count <= Admission.mostCandidates, "a lease has at most sixteen candidates")
        self.lease = lease
        self.estimate = estimate.asEstimate
        self.scopes = scopes
        self.candidates = candidates
        self.authority = authority
    }

    package init(_ admission: Admission, authority: Authority) {
        self.init(
            lease: admission.lease,
            estimate: admission.estimate,
            scopes: admission.scopes,
            candidates: admission.candidates,
            authority: authority
        )
    }
}
