extension LimiterState {
    /// `Scripts/admit.lua`: everything is looked at before anything is changed.
    mutating func admit(_ admission: Admission, now: Int64) -> AdmissionDecision {
        guard leases[admission.lease] == nil else { return .duplicate }

        var states: [ScopeState] = []
        var levels: [Levels] = []
        states.reserveCapacity(admission.scopes.count)
        levels.reserveCapacity(admission.scopes.count)
        var refused: (wait: Int64, reason: Refusal.Reason)?
        var shadow: (wait: Int64, client: ShadowRefusals.OfClient)?
        for (index, scope) in admission.scopes.enumerated() {
            var state = self.scope(scope, now: now)
            state.refill(now: now, scope.limits)
            levels.append(state.meter.levels)
            state.startPeriods(now: now, scope.limits)
            if let (wait, kind) = state.longestWait(admission.estimate, now: now, scope.limits) {
                if scope.limits.isShadow {
                    if wait > shadow?.wait ?? 0 { shadow = (wait, ShadowRefusals.OfClient(scope: index, kind)) }
                } else if wait > refused?.wait ?? 0 {
                    refused = (wait, .client(scope: index, kind))
                }
            }
            state.charge(admission.estimate, scope.limits)
            state.keep(now: now, scope.limits)
            states.append(state)
        }
        if refused == nil {
            for (index, scope) in admission.scopes.enumerated() {
                guard let most = scope.limits.concurrency, (scopeSlots[scope.id]?.live(now: now) ?? 0) >= most else {
                    continue
                }
                guard scope.limits.isShadow else {
                    refused = (Refusal.slotWait, .client(scope: index, .concurrency))
                    break
                }
                if shadow == nil { shadow = (Refusal.slotWait, ShadowRefusals.OfClient(scope: index, .concurrency)) }
            }
        }
        if let (wait, reason) = refused {
            return .refused(Refusal(reason: reason, wait: wait, time: now, levels: levels, cooldowns: []))
        }

        switch choose(among: admission.candidates, estimate: admission.estimate, terms: admission.terms, now: now) {
        case .none(let wait, let cooldowns):
            return .refused(
                Refusal(reason: .deployments, wait: wait, time: now, levels: levels, cooldowns: cooldowns)
            )
        case .chosen(let choice):
            var spent: [Spent] = []
            for (scope, state) in zip(admission.scopes, states) {
                scopes[scope.id] = state
                if scope.limits.hasQuotas { spent.append(state.spent(scope.limits)) }
                guard scope.limits.concurrency != nil else { continue }
                scopeSlots[scope.id, default: Slots()].hold(admission.lease, until: now + admission.terms.slot)
            }
            hold(choice, lease: admission.lease, charged: now, terms: admission.terms, now: now)
            let levels = states.map(\.meter.levels)
            return .admitted(
                choice.reservation(
                    time: now,
                    authority: authority,
                    levels: levels,
                    spent: spent,
                    shadow: shadow?.client
                )
            )
        }
    }
}

extension ScopeState {
    /// Starts the day and the month over where they have changed. A clock that went back changes neither.
    mutating func startPeriods(now: Int64, _ limits: ClientLimits) {
        if limits.tokensPerDay != nil {
            let today = UTCDate.day(of: now)
            if day < today { (day, dayUsed) = (today, 0) }
        }
        if limits.tokensPerMonth != nil {
            let current = UTCDate.month(of: now)
            if month < current { (month, monthUsed) = (current, 0) }
        }
    }

    /// The limit that takes longest to allow so many tokens; `nil` if all do at once. More than a quota are allowed in a period
    /// of their own.
    fileprivate func longestWait(_ tokens: Int64, now: Int64, _ limits: ClientLimits) -> (Int64, LimitKind)? {
        var longest: Int64 = 0
        var kind = LimitKind.requests
        func consider(_ wait: Int64, _ limit: LimitKind) {
            guard wait > longest else { return }
            longest = wait
            kind = limit
        }
        consider(meter.waitForRequest(now: now, rate: limits.requests), .requests)
        consider(meter.wait(forTokens: tokens, now: now, rate: limits.tokens), .tokens)
        if let most = limits.tokensPerDay, dayUsed + min(tokens, most) > most {
            consider((day + 1) * UTCDate.millisecondsPerDay - now, .tokensPerDay)
        }
        if let most = limits.tokensPerMonth, monthUsed + min(tokens, most) > most {
            consider(UTCDate.start(ofMonth: month + 1) - now, .tokensPerMonth)
        }
        return longest > 0 ? (longest, kind) : nil
    }

    fileprivate func spent(_ limits: ClientLimits) -> Spent {
        Spent(day: limits.tokensPerDay == nil ? 0 : dayUsed, month: limits.tokensPerMonth == nil ? 0 : monthUsed)
    }

    fileprivate mutating func charge(_ tokens: Int64, _ limits: ClientLimits) {
        meter.debit(tokens: tokens, requests: limits.requests, tokens: limits.tokens, isShadow: limits.isShadow)
        if limits.tokensPerDay != nil { dayUsed += tokens }
        if limits.tokensPerMonth != nil { monthUsed += tokens }
    }
}
