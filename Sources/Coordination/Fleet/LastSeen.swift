/// What Redis said last of the limits that an event loop asks about: where this process's share begins when Redis goes away.
///
/// A share that began full would be handed out anew whenever Redis comes and goes. Each note is used once, and lowers only:
/// what was spent alone since then stays spent. Pure, and bounded by the clients and deployments of the configuration.
struct LastSeen {
    /// Of one client, or one client and model, or one deployment.
    struct Note: Equatable {
        let levels: Levels
        /// When that was so, in milliseconds since 1970 by Redis's clock.
        let time: Int64
        var spent = Spent(day: 0, month: 0)
    }

    private var scopes: [ScopeID: Note] = [:]
    private var deployments: [DeploymentID: Note] = [:]

    /// Beyond it everything is forgotten: models may be called by any name.
    static let mostNotes = 16_384

    var count: Int { scopes.count + deployments.count }

    mutating func note(_ admission: Admission, _ decision: AdmissionDecision) {
        if count >= Self.mostNotes { self = LastSeen() }
        switch decision {
        case .admitted(let reservation):
            var quotas = reservation.spent.makeIterator()
            for (scope, levels) in zip(admission.scopes, reservation.levels) {
                let spent = scope.limits.hasQuotas ? quotas.next() : nil
                scopes[scope.id] = Note(
                    levels: levels,
                    time: reservation.time,
                    spent: spent ?? Spent(day: 0, month: 0)
                )
            }
            note(admission.candidates[reservation.candidate], reservation.deployment, at: reservation.time)
        case .refused(let refusal):
            for (index, (scope, levels)) in zip(admission.scopes, refusal.levels).enumerated() {
                // A refusal by a quota says that it is used up; any other says nothing of quotas.
                var spent = scopes[scope.id]?.spent ?? Spent(day: 0, month: 0)
                if refusal.reason == .client(scope: index, .tokensPerDay), let most = scope.limits.tokensPerDay {
                    spent = Spent(day: most, month: spent.month)
                } else if refusal.reason == .client(scope: index, .tokensPerMonth),
                    let most = scope.limits.tokensPerMonth
                {
                    spent = Spent(day: spent.day, month: most)
                }
                scopes[scope.id] = Note(levels: levels, time: refusal.time, spent: spent)
            }
        case .duplicate, .unavailable:
            break
        }
    }

    mutating func note(_ candidate: Candidate, _ levels: Levels, at time: Int64) {
        guard candidate.limits.requests != nil || candidate.limits.tokens != nil else { return }
        deployments[candidate.id] = Note(levels: levels, time: time)
    }

    mutating func take(_ scope: ScopeID) -> Note? { scopes.isEmpty ? nil : scopes.removeValue(forKey: scope) }
    mutating func take(_ deployment: DeploymentID) -> Note? {
        deployments.isEmpty ? nil : deployments.removeValue(forKey: deployment)
    }
}

extension LimiterState {
    /// Lowers a share to its part of what was left of the whole.
    ///
    /// - Parameter whole: the limits that the replicas share.
    mutating func begin(_ whole: ClientScope, at note: LastSeen.Note, replicas: Int64, now: Int64) {
        let share = whole.divided(by: replicas)
        var state = scope(share, now: now)
        state.refill(now: now, share.limits)
        state.meter.lower(
            to: note.part(of: whole.limits.requests, whole.limits.tokens, replicas: replicas, now: now),
            requests: share.limits.requests,
            tokens: share.limits.tokens
        )
        state.startPeriods(now: now, share.limits)
        // What is left of a quota is divided, and so is what is used of it.
        if share.limits.tokensPerDay != nil, UTCDate.day(of: note.time) == state.day {
            state.dayUsed = (note.spent.day + replicas - 1) / replicas
        }
        if share.limits.tokensPerMonth != nil, UTCDate.month(of: note.time) == state.month {
            state.monthUsed = (note.spent.month + replicas - 1) / replicas
        }
        state.keep(now: now, share.limits)
        scopes[whole.id] = state
    }

    /// The same of a deployment.
    mutating func begin(_ whole: Candidate, at note: LastSeen.Note, replicas: Int64, now: Int64) {
        let share = whole.divided(by: replicas)
        var state = deployment(share, now: now)
        let limits = state.limits(share.limits)
        state.refill(now: now, limits)
        state.meter.lower(
            to: note.part(of: whole.limits.requests, whole.limits.tokens, replicas: replicas, now: now),
            requests: limits.requests,
            tokens: share.limits.tokens
        )
        state.keep(now: now, limits)
        deployments[whole.id] = state
    }
}

extension LastSeen.Note {
    /// One replica's part of what the whole has refilled to meanwhile.
    fileprivate func part(of requests: Rate?, _ tokens: Rate?, replicas: Int64, now: Int64) -> Levels {
        let elapsed = max(0, now - time)
        func part(_ level: Int64, _ rate: Rate?) -> Int64 {
            rate.map { Bucket($0).refilled(level, elapsed: elapsed) / replicas } ?? Bucket.full
        }
        return Levels(requests: part(levels.requests, requests), tokens: part(levels.tokens, tokens))
    }
}

extension Meter {
    /// A level without a limit stays as it is.
    fileprivate mutating func lower(to levels: Levels, requests requestRate: Rate?, tokens tokenRate: Rate?) {
        if requestRate != nil { requests = min(requests, levels.requests) }
        if tokenRate != nil { tokens = min(tokens, levels.tokens) }
    }
}
