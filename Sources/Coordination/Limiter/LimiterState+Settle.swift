extension LimiterState {
    /// `Scripts/settle.lua`: at most one attempt has an effect, as the first one takes the lease away.
    mutating func settle(_ settlement: Settlement, now: Int64) -> SettlementOutcome {
        let lease = leases[settlement.lease]
        var admitted = settlement.admitted
        var trial: Int64 = 0
        var deployment = settlement.deployment
        switch lease?.phase {
        case .ended:
            return .alreadyApplied
        case .held(let charged, let since, let home):
            (admitted, trial) = (charged, since)
            if deployment?.id != home { deployment = nil }
        case nil:
            if settlement.attempt > 1, !settlement.isApart { return .alreadyApplied }
        }
        end(settlement.lease, leavesMark: settlement.leavesMark, now: now)

        let over =
            settlement.isApart ? settlement.actual ?? 0 : settlement.actual.map { $0 - settlement.estimate } ?? 0
        let requests: Int64 = settlement.isApart ? 1 : 0
        for scope in settlement.scopes {
            release(settlement.lease, scope)
            correct(scope, requests: requests, tokens: over, admitted: admitted, now: now)
        }
        if let deployment {
            release(settlement.lease, deployment)
            let correction = DeploymentState.Correction(
                requests: requests,
                tokens: over > 0 || settlement.refundsDeployment ? over : 0,
                feedback: settlement.feedback,
                provenSince: settlement.succeeded ? trial : 0
            )
            correct(deployment, correction, now: now)
        }
        if authority == .shared, let usage = settlement.usage { count(usage, now: now) }
        return lease == nil ? .appliedLate : .applied
    }

    /// `Scripts/settle.lua` in the mode that cancels: leaves a mark even where there is no lease yet.
    mutating func cancel(_ cancellation: Cancellation, now: Int64) -> SettlementOutcome {
        let lease = leases[cancellation.lease]
        if case .ended = lease?.phase { return .alreadyApplied }
        end(cancellation.lease, leavesMark: true, now: now)
        guard let lease, case .held(let charged, _, let home) = lease.phase else { return .alreadyApplied }

        let tokens = -cancellation.estimate
        for scope in cancellation.scopes {
            release(cancellation.lease, scope)
            correct(scope, requests: -1, tokens: tokens, admitted: charged, now: now)
        }
        if let deployment = cancellation.candidates.first(where: { $0.id == home }) {
            release(cancellation.lease, deployment)
            let correction = DeploymentState.Correction(requests: -1, tokens: tokens, feedback: .none, provenSince: 0)
            correct(deployment, correction, now: now)
        }
        return .applied
    }

    private mutating func end(_ lease: LeaseID, leavesMark: Bool, now: Int64) {
        leases[lease] =
            leavesMark ? LeaseState(phase: .ended, keptUntil: now + Settlement.markerTerm) : nil
    }

    private mutating func release(_ lease: LeaseID, _ scope: ClientScope) {
        if scope.limits.concurrency != nil { scopeSlots[scope.id]?.release(lease) }
    }

    private mutating func release(_ lease: LeaseID, _ deployment: Candidate) {
        if deployment.limits.concurrency != nil { deploymentSlots[deployment.id]?.release(lease) }
    }

    /// Takes more out of a client's limits, or puts something back.
    private mutating func correct(
        _ scope: ClientScope,
        requests: Int64,
        tokens: Int64,
        admitted: Int64,
        now: Int64
    ) {
        let limits = scope.limits
        // To put back into a full bucket changes nothing.
        let takes = tokens > 0 || requests > 0
        guard takes || tokens < 0 && scopes[scope.id] != nil else { return }
        var state = scopes[scope.id] ?? ScopeState(now: now, limits)
        // The order of refilling and putting back does not matter, so the script does not ask for the time to put back.
        if takes {
            state = self.scope(scope, now: now)
            state.refill(now: now, limits)
        }
        state.meter.adjust(
            requests: requests,
            tokens: tokens,
            requestRate: limits.requests,
            tokenRate: limits.tokens
        )
        if requests > 0 { state.startPeriods(now: admitted, limits) }
        // Only the period that was charged is corrected.
        if limits.tokensPerDay != nil, state.day == UTCDate.day(of: admitted) {
            state.dayUsed = max(0, state.dayUsed + tokens)
        }
        if limits.tokensPerMonth != nil, state.month == UTCDate.month(of: admitted) {
            state.monthUsed = max(0, state.monthUsed + tokens)
        }
        if takes { state.keep(now: now, limits) }
        scopes[scope.id] = state
    }

    private mutating func correct(_ deployment: Candidate, _ correction: DeploymentState.Correction, now: Int64) {
        guard !correction.isEmpty else { return }
        var state = self.deployment(deployment, now: now)
        let limits = state.limits(deployment.limits)
        state.refill(now: now, limits)
        let before = state
        state.apply(correction, limits)
        state.renew(correction.feedback, deployment.limits, now: now)
        guard state != before else { return }
        state.keep(now: now, limits)
        deployments[deployment.id] = state
    }

    private mutating func count(_ usage: Usage, now: Int64) {
        // In its place: a state that is taken out and put back is copied with all its sums.
        self.usage[UsageKey(day: usage.day, client: usage.client), default: UsageState()]
            .add(usage, keptUntil: now + Self.usageTerm)
    }
}

extension Settlement {
    /// Whether something that was sent earlier may still arrive.
    var leavesMark: Bool { attempt > 1 || isBeingRenewed || isApart }
}

extension DeploymentState {
    /// What a deployment has to be told at the end of an exchange.
    fileprivate struct Correction {
        /// To take out, or to put back if negative.
        let requests: Int64
        let tokens: Int64
        let feedback: Feedback
        /// When the exchange was sent that shows it to be back; 0 for none.
        let provenSince: Int64

        var isEmpty: Bool { requests == 0 && tokens == 0 && feedback == .none && provenSince == 0 }
    }

    fileprivate mutating func apply(_ correction: Correction, _ limits: DeploymentLimits) {
        meter.adjust(
            requests: correction.requests,
            tokens: correction.tokens,
            requestRate: limits.requests,
            tokenRate: limits.tokens
        )
        meter.lower(correction.feedback, requests: limits.requests, tokens: limits.tokens)
        // What was sent before it cooled says nothing about whether it is back.
        if correction.provenSince > 0, correction.provenSince >= cool, streak > 0 { (streak, probe) = (0, 0) }
    }
}
