extension LimiterState {
    /// `Scripts/reroute.lua`: the failure is noted whether or not there is another deployment.
    mutating func reroute(_ reroute: Reroute, now: Int64) -> RerouteDecision {
        guard let lease = leases[reroute.lease], case .held(let charged, _, _) = lease.phase else { return .leaseLost }

        let failed = reroute.failed
        var state = deployment(failed, now: now)
        state.note(reroute.failure, estimate: reroute.estimate, failed.limits, now: now)
        deployments[failed.id] = state
        if reroute.candidates.isEmpty { return .reported(cooldown: state.cool - now) }

        let choice = choose(
            among: reroute.candidates,
            estimate: reroute.estimate,
            terms: reroute.terms,
            now: now
        )
        if failed.limits.concurrency != nil { deploymentSlots[failed.id]?.release(reroute.lease) }
        switch choice {
        case .none(let wait, let cooldowns):
            leases[reroute.lease] = LeaseState(
                phase: .held(charged: charged, trial: 0, home: nil),
                keptUntil: now + reroute.terms.lease
            )
            return .refused(
                Refusal(reason: .deployments, wait: wait, time: now, levels: [], cooldowns: cooldowns)
            )
        case .chosen(let choice):
            hold(choice, lease: reroute.lease, charged: charged, terms: reroute.terms, now: now)
            return .rerouted(choice.reservation(time: now, authority: authority, levels: []))
        }
    }
}

extension DeploymentState {
    /// The longest streak that is counted.
    private static let mostFailures: Int64 = 1000

    fileprivate mutating func note(_ failure: Failure, estimate: Int64, _ limits: DeploymentLimits, now: Int64) {
        let configured = limits
        let limits = self.limits(configured)
        refill(now: now, limits)
        if failure.refundsCharge {
            meter.adjust(requests: -1, tokens: -estimate, requestRate: limits.requests, tokenRate: limits.tokens)
        }
        meter.lower(failure.feedback, requests: limits.requests, tokens: limits.tokens)
        // What fails while it cools was sent before, and is the same failure.
        let isCooling = cool > now
        let cooldown = failure.cooldown ?? (isCooling ? 0 : backoff(jitter: failure.jitter))
        cool = max(cool, now + min(cooldown, Failure.mostCooldown))
        if failure.countsTowardsStreak, !isCooling { streak = min(streak + 1, Self.mostFailures) }
        probe = 0
        renew(failure.feedback, configured, now: now)
        keep(now: now, limits)
    }

    /// A second, doubled for each failure before this one.
    private func backoff(jitter: Int64) -> Int64 {
        let backoff = streak < 6 ? 1000 << streak : Failure.mostBackoff
        return backoff + backoff * jitter / 1000
    }
}
