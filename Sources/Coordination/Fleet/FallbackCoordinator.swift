internal import Synchronization

/// Decides in the place of Redis, as the configuration says; one for all event loops.
///
/// It lasts as long as the process, and its buckets begin each time at this process's part of what Redis said last was left, or
/// where they were if that is lower: a Redis that comes and goes does not hand out a burst each time. Only a bucket that nobody
/// ever heard of holds its share of the burst.
final class FallbackCoordinator: Coordinator, Sendable {
    private let policy: CoordinationConfiguration.WhenUnavailable
    private let local: LocalCoordinator
    private let replicas: Atomic<Int64>

    /// Nothing renews what is decided here, and the process that forgets it is the one that dies with it.
    private static let terms = LeaseTerms(
        lease: UTCDate.millisecondsPerDay,
        slot: UTCDate.millisecondsPerDay,
        probe: LeaseTerms.standard.probe
    )

    init(_ policy: CoordinationConfiguration.WhenUnavailable, assumedReplicas: Int, local: LocalCoordinator) {
        self.policy = policy
        self.local = local
        replicas = Atomic(max(1, Int64(assumedReplicas)))
    }

    /// Live processes as Redis said last; before that, what the configuration assumes.
    var fleetSize: Int64 {
        get { replicas.load(ordering: .relaxed) }
        set { replicas.store(max(1, newValue), ordering: .relaxed) }
    }

    func admit(_ admission: Admission, then: @escaping (AdmissionDecision) -> Void) {
        switch policy {
        case .share: local.admit(share(of: admission, scopes: admission.scopes), then: then)
        case .open: then(.admitted(unlimited(admission.scopes, authority: .nobody)))
        case .closed: then(.unavailable)
        }
    }

    /// Lets the shares of an admission begin with what was left of the whole when Redis was last heard of.
    func begin(_ admission: Admission, _ seen: inout LastSeen) {
        guard policy == .share, seen.count > 0 else { return }
        let scopes = admission.scopes.compactMap { scope in seen.take(scope.id).map { (scope, $0) } }
        let deployments = admission.candidates.compactMap { candidate in seen.take(candidate.id).map { (candidate, $0) }
        }
        guard !scopes.isEmpty || !deployments.isEmpty else { return }
        local.begin(scopes, deployments, replicas: fleetSize)
    }

    /// Whether what is decided here stays within a share of the limits, and is charged to them once Redis is back.
    var sharesLimits: Bool { policy == .share }

    func reroute(_ reroute: Reroute, then: @escaping (RerouteDecision) -> Void) {
        switch reroute.authority {
        case .local:
            let replicas = fleetSize
            local.reroute(
                Reroute(
                    lease: reroute.lease,
                    estimate: reroute.estimate,
                    failed: reroute.failed.divided(by: replicas),
                    failure: reroute.failure.divided(by: replicas),
                    candidates: reroute.candidates.map { $0.divided(by: replicas) },
                    terms: Self.terms,
                    authority: .local
                ),
                then: then
            )
        case .shared, .nobody:
            guard !reroute.candidates.isEmpty else { return then(.unavailable) }
            then(.rerouted(unlimited([], authority: reroute.authority)))
        }
    }

    /// Finds another deployment for a lease that Redis holds and cannot be asked about. The client was charged there.
    ///
    /// - Parameter isHere: a deployment was found here for this lease before.
    /// - Returns: the decision, and whether the lease has a part here that has to be settled.
    func takeOver(_ reroute: Reroute, isHere: Bool) -> (decision: RerouteDecision, isHere: Bool) {
        guard !reroute.candidates.isEmpty else { return (.unavailable, isHere) }
        switch policy {
        case .closed:
            return (.unavailable, isHere)
        case .open:
            return (.rerouted(unlimited([], authority: .shared)), isHere)
        case .share:
            var decision = RerouteDecision.unavailable
            if isHere {
                self.reroute(reroute.with(authority: .local)) { decision = $0 }
            } else {
                let admission = Admission(
                    lease: reroute.lease,
                    estimate: reroute.estimate,
                    scopes: [],
                    candidates: reroute.candidates
                )
                local.admit(share(of: admission, scopes: [])) {
                    switch $0 {
                    case .admitted(let reservation): decision = .rerouted(reservation)
                    case .refused(let refusal): decision = .refused(refusal)
                    case .duplicate, .unavailable: decision = .unavailable
                    }
                }
            }
            guard case .rerouted(let reservation) = decision else { return (decision, isHere) }
            return (.rerouted(reservation.with(authority: .shared)), true)
        }
    }

    func settle(_ settlement: Settlement, then: @escaping (SettlementOutcome) -> Void) {
        settle(settlement, charged: settlement.scopes, then: then)
    }

    func cancel(_ cancellation: Cancellation, then: @escaping (SettlementOutcome) -> Void) {
        cancel(cancellation, charged: cancellation.scopes, then: then)
    }

    /// - Parameter charged: the scopes that were charged here; none for a lease that was taken over.
    func settle(_ settlement: Settlement, charged: [ClientScope], then: @escaping (SettlementOutcome) -> Void) {
        let replicas = fleetSize
        let share = Settlement(
            lease: settlement.lease,
            estimate: settlement.estimate,
            actual: settlement.actual,
            admitted: settlement.admitted,
            scopes: charged.map { $0.divided(by: replicas) },
            deployment: settlement.deployment?.divided(by: replicas),
            refundsDeployment: settlement.refundsDeployment,
            succeeded: settlement.succeeded,
            feedback: settlement.feedback.divided(by: replicas),
            authority: .local
        )
        local.settle(share, then: then)
    }

    /// - Parameter charged: likewise.
    func cancel(_ cancellation: Cancellation, charged: [ClientScope], then: @escaping (SettlementOutcome) -> Void) {
        let replicas = fleetSize
        let share = Cancellation(
            lease: cancellation.lease,
            estimate: cancellation.estimate,
            scopes: charged.map { $0.divided(by: replicas) },
            candidates: cancellation.candidates.map { $0.divided(by: replicas) },
            authority: .local
        )
        local.cancel(share, then: then)
    }

    func beat(_ beat: Beat, then: @escaping (BeatOutcome?) -> Void) { then(nil) }

    private func share(of admission: Admission, scopes: [ClientScope]) -> Admission {
        let replicas = fleetSize
        return Admission(
            lease: admission.lease,
            estimate: admission.estimate,
            scopes: scopes.map { $0.divided(by: replicas) },
            candidates: admission.candidates.map { $0.divided(by: replicas) },
            terms: Self.terms
        )
    }

    /// The first candidate, with nothing charged.
    private func unlimited(_ scopes: [ClientScope], authority: Authority) -> Reservation {
        Reservation(
            candidate: 0,
            isProbe: false,
            time: LocalCoordinator.wallClock(),
            authority: authority,
            levels: scopes.map { Meter(now: 0, requests: $0.limits.requests, tokens: $0.limits.tokens).levels },
            deployment: Levels(requests: Bucket.full, tokens: Bucket.full),
            cooldowns: []
        )
    }
}

extension Reservation {
    fileprivate func with(authority: Authority) -> Reservation {
        Reservation(
            candidate: candidate,
            isProbe: isProbe,
            time: time,
            authority: authority,
            levels: levels,
            deployment: deployment,
            cooldowns: cooldowns,
            spent: spent,
            shadow: shadow
        )
    }
}

extension Reroute {
    fileprivate func with(authority: Authority) -> Reroute {
        Reroute(
            lease: lease,
            estimate: estimate,
            failed: failed,
            failure: failure,
            candidates: candidates,
            terms: terms,
            authority: authority
        )
    }
}
