/// A part of what Redis knows at one moment, and what follows from it. Looking changes nothing.
package struct LimiterView: Sendable {
    /// When it was read, in milliseconds since 1970 by Redis' clock.
    package let time: Int64
    private let state: LimiterState

    /// Asks for what is known of scopes and deployments.
    static func call(_ keys: KeySpace, scopes: [ClientScope], candidates: [Candidate]) -> RedisScriptCall {
        var call = RedisScriptCall(InspectionScripts.look)
        for scope in scopes { call.key(keys.scope + scope.id.name) }
        for candidate in candidates { call.key(keys.deployment + candidate.id.name) }
        for scope in scopes { call.key(keys.scopeSlots + scope.id.name) }
        for candidate in candidates { call.key(keys.deploymentSlots + candidate.id.name) }
        call.argument(scopes.count + candidates.count)
        return call
    }

    /// - Returns: `nil` for what is no answer to that.
    init?(_ reply: RESPReply, scopes: [ClientScope], candidates: [Candidate]) {
        let states = scopes.count + candidates.count
        guard let values = reply.array, values.count == 1 + 2 * states, let time = values[0].text.flatMap({ Int64($0) })
        else { return nil }
        var state = LimiterState(authority: .shared)
        for (index, scope) in scopes.enumerated() {
            if case .string(let bytes) = values[1 + index] { state.scopes[scope.id] = ScopeState(stored: bytes) }
            state.scopeSlots[scope.id] = Slots(taken: values[1 + states + index].integer ?? 0)
        }
        for (index, candidate) in candidates.enumerated() {
            let place = 1 + scopes.count + index
            if case .string(let bytes) = values[place] {
                state.deployments[candidate.id] = DeploymentState(stored: bytes)
            }
            state.deploymentSlots[candidate.id] = Slots(taken: values[place + states].integer ?? 0)
        }
        self.time = time
        self.state = state
    }

    /// What ADMIT would decide. The arithmetic is that of `LocalCoordinator`, which agrees with the scripts to the bit.
    ///
    /// - Parameter time: when; the moment of the look unless given.
    package func decision(on admission: Admission, at time: Int64? = nil) -> AdmissionDecision {
        var state = state
        return state.admit(admission, now: time ?? self.time)
    }

    /// What is left of a client's limits.
    package struct ScopeReport: Sendable, Equatable {
        /// Requests and tokens that could be had at once; negative is debt, `nil` no limit.
        package let requests: Int64?
        package let tokens: Int64?
        /// Milliseconds until the buckets are full.
        package let timeToFull: Int64
        /// Tokens left of the day and of the month; `nil` without such a limit.
        package let day: Int64?
        package let month: Int64?
        /// Exchanges that run.
        package let running: Int64
    }

    package func report(on scope: ClientScope) -> ScopeReport {
        var state = state
        var stored = state.scope(scope, now: time)
        stored.refill(now: time, scope.limits)
        let dayUsed = stored.day < UTCDate.day(of: time) ? 0 : stored.dayUsed
        let monthUsed = stored.month < UTCDate.month(of: time) ? 0 : stored.monthUsed
        return ScopeReport(
            requests: scope.limits.requests.map { _ in stored.meter.requests.whole },
            tokens: scope.limits.tokens.map { _ in stored.meter.tokens.whole },
            timeToFull: stored.meter.timeToFull(
                now: time,
                requests: scope.limits.requests,
                tokens: scope.limits.tokens
            ),
            day: scope.limits.tokensPerDay.map { $0 - dayUsed },
            month: scope.limits.tokensPerMonth.map { $0 - monthUsed },
            running: state.scopeSlots[scope.id]?.live(now: time) ?? 0
        )
    }

    /// How a deployment stands, and how many exchanges run there.
    package func report(on candidate: Candidate) -> (state: DeploymentReport, running: Int64) {
        var state = state
        return (state.report(candidate, now: time), state.deploymentSlots[candidate.id]?.live(now: time) ?? 0)
    }
}

extension Int64 {
    /// Requests or tokens of a level, towards less.
    fileprivate var whole: Int64 { self >= 0 ? self / Bucket.unit : (self - Bucket.unit + 1) / Bucket.unit }
}
