extension LimiterState {
    enum ChoiceResult {
        case chosen(Choice)
        /// How long until one may be free, and how much longer each cools.
        case none(wait: Int64, cooldowns: [Int64])
    }

    /// A deployment with room, and what it becomes if it is taken.
    struct Choice {
        let index: Int
        let candidate: Candidate
        let state: DeploymentState
        let isProbe: Bool
        let cooldowns: [Int64]
        /// What its limits would have passed it over for if they were not a shadow.
        let shadow: LimitKind?

        func reservation(
            time: Int64,
            authority: Authority,
            levels: [Levels],
            spent: [Spent] = [],
            shadow client: ShadowRefusals.OfClient? = nil
        ) -> Reservation {
            Reservation(
                candidate: index,
                isProbe: isProbe,
                time: time,
                authority: authority,
                levels: levels,
                deployment: state.meter.levels,
                cooldowns: cooldowns,
                spent: spent,
                shadow: ShadowRefusals(client: client, deployment: shadow)
            )
        }
    }

    /// `Scripts/choose.lua`: the first candidate with room. Changes nothing but what a clock that went back asks for.
    mutating func choose(
        among candidates: [Candidate],
        estimate: Int64,
        terms: LeaseTerms,
        now: Int64
    ) -> ChoiceResult {
        var cooldowns: [Int64] = []
        var soonest = Int64.max
        for (index, candidate) in candidates.enumerated() {
            var state = deployment(candidate, now: now)
            let limits = state.limits(candidate.limits)
            let cooldown = state.cooldown(now: now, isProbed: candidate.isProbed)
            var (wait, kind) = (cooldown, LimitKind.requests)
            if wait == 0 {
                state.refill(now: now, limits)
                let ofTokens = state.meter.wait(forTokens: estimate, now: now, rate: limits.tokens)
                wait = state.meter.waitForRequest(now: now, rate: limits.requests)
                // A live limit that is not named again ends before.
                let other = state.live > 0 ? min(ofTokens, state.liveUntil - now) : ofTokens
                if other > wait { (wait, kind) = (other, .tokens) }
            }
            if wait == 0, let most = limits.concurrency,
                deploymentSlots[candidate.id]?.live(now: now) ?? 0 >= most
            {
                (wait, kind) = (Refusal.slotWait, .concurrency)
            }
            var shadow: LimitKind?
            if limits.isShadow, cooldown == 0, wait > 0 { (shadow, wait) = (kind, 0) }
            if wait == 0 {
                let isProbe = candidate.isProbed && state.streak > 0
                if isProbe { state.probe = now + terms.probe }
                state.meter.debit(
                    tokens: estimate,
                    requests: limits.requests,
                    tokens: limits.tokens,
                    isShadow: limits.isShadow
                )
                state.keep(now: now, limits)
                return .chosen(
                    Choice(
                        index: index,
                        candidate: candidate,
                        state: state,
                        isProbe: isProbe,
                        cooldowns: cooldowns,
                        shadow: shadow
                    )
                )
            }
            cooldowns.append(cooldown)
            soonest = min(soonest, wait)
        }
        return .none(wait: soonest, cooldowns: cooldowns)
    }

    /// Writes down that the lease is with the chosen deployment.
    mutating func hold(_ choice: Choice, lease: LeaseID, charged: Int64, terms: LeaseTerms, now: Int64) {
        let id = choice.candidate.id
        deployments[id] = choice.state
        leases[lease] = LeaseState(
            phase: .held(charged: charged, trial: choice.state.streak > 0 ? now : 0, home: id),
            keptUntil: now + terms.lease
        )
        guard choice.candidate.limits.concurrency != nil else { return }
        deploymentSlots[id, default: Slots()].hold(lease, until: now + terms.slot)
    }
}

extension DeploymentState {
    /// How much longer nobody may use it: it cools, or someone else probes it.
    fileprivate func cooldown(now: Int64, isProbed: Bool) -> Int64 {
        if cool > now { return cool - now }
        if isProbed, streak > 0, probe > now { return probe - now }
        return 0
    }
}
