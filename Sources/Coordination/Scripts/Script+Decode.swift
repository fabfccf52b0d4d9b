/// Reads the replies of the scripts. What does not have the exact shape that the call asks for is an error, and nothing of it
/// is used: the address may be another kind of server, or the connection out of step.
package enum ScriptDecoder {
    package struct UnexpectedReply: Error, Equatable, Sendable {
        package let script: String
    }

    package static func decision(
        _ admission: Admission,
        _ reply: RESPReply
    ) throws(UnexpectedReply) -> AdmissionDecision {
        var reader = try Reader(reply, of: Script.admit)
        let code = try reader.next()
        let time = try reader.next(0...)
        let scopes = admission.scopes.count
        let decision: AdmissionDecision
        switch code {
        case 0:
            let candidate = Int(try reader.next(0..<Int64(admission.candidates.count)))
            let isProbe = try reader.next(0..<2) == 1
            let deployment = try reader.levels()
            decision = .admitted(
                Reservation(
                    candidate: candidate,
                    isProbe: isProbe,
                    time: time,
                    authority: .shared,
                    levels: try reader.levels(scopes),
                    deployment: deployment,
                    cooldowns: try reader.next(candidate, in: 0...),
                    spent: try reader.spent(admission.scopes),
                    shadow: try reader.shadow(admission.scopes, admission.candidates[candidate])
                )
            )
        case 1, 2, 4:
            let wait = try reader.next(1...)
            let scope = Int(try reader.next(0..<Int64(scopes)))
            let kind = try reader.limit(code: code)
            decision = .refused(
                Refusal(
                    reason: .client(scope: scope, kind),
                    wait: wait,
                    time: time,
                    levels: try reader.levels(scopes),
                    cooldowns: []
                )
            )
        case 3:
            let wait = try reader.next(1...)
            let levels = try reader.levels(scopes)
            let cooldowns = try reader.next(admission.candidates.count, in: 0...)
            decision = .refused(
                Refusal(reason: .deployments, wait: wait, time: time, levels: levels, cooldowns: cooldowns)
            )
        case 6:
            decision = .duplicate
        default:
            throw reader.error
        }
        try reader.end()
        return decision
    }

    package static func decision(_ reroute: Reroute, _ reply: RESPReply) throws(UnexpectedReply) -> RerouteDecision {
        var reader = try Reader(reply, of: Script.reroute)
        let code = try reader.next()
        let time = try reader.next(0...)
        let decision: RerouteDecision
        switch (code, reroute.candidates.isEmpty) {
        case (0, false):
            let candidate = Int(try reader.next(0..<Int64(reroute.candidates.count)))
            let isProbe = try reader.next(0..<2) == 1
            let deployment = try reader.levels()
            decision = .rerouted(
                Reservation(
                    candidate: candidate,
                    isProbe: isProbe,
                    time: time,
                    authority: .shared,
                    levels: [],
                    deployment: deployment,
                    cooldowns: try reader.next(candidate, in: 0...),
                    shadow: try reader.shadow(reroute.candidates[candidate])
                )
            )
        case (1, true):
            decision = .reported(cooldown: try reader.next(0...))
        case (3, false):
            let wait = try reader.next(1...)
            let cooldowns = try reader.next(reroute.candidates.count, in: 0...)
            decision = .refused(
                Refusal(reason: .deployments, wait: wait, time: time, levels: [], cooldowns: cooldowns)
            )
        case (5, _):
            decision = .leaseLost
        default:
            throw reader.error
        }
        try reader.end()
        return decision
    }

    /// Of a settlement or a cancellation.
    package static func outcome(_ reply: RESPReply) throws(UnexpectedReply) -> SettlementOutcome {
        switch reply.integer {
        case 0: return .alreadyApplied
        case 1: return .applied
        case 2: return .appliedLate
        default: throw UnexpectedReply(script: Script.settle.name)
        }
    }

    package static func outcome(_ beat: Beat, _ reply: RESPReply) throws(UnexpectedReply) -> BeatOutcome {
        var reader = try Reader(reply, of: Script.beat)
        guard try reader.next() == 0 else { throw reader.error }
        let time = try reader.next(0...)
        let instances = try reader.next(1...)
        let restored = try reader.next(0..<Int64(beat.leases.count + 1))
        var lost: [Int] = []
        while !reader.isAtEnd {
            let index = Int(try reader.next(0..<Int64(beat.leases.count)))
            guard index > lost.last ?? -1 else { throw reader.error }
            lost.append(index)
        }
        return BeatOutcome(time: time, instances: instances, restored: restored, lost: lost)
    }
}

/// Takes integers off the front of an array.
private struct Reader {
    private var rest: ArraySlice<RESPReply>
    let error: ScriptDecoder.UnexpectedReply

    init(_ reply: RESPReply, of script: RedisScript) throws(ScriptDecoder.UnexpectedReply) {
        error = ScriptDecoder.UnexpectedReply(script: script.name)
        guard let array = reply.array else { throw error }
        rest = array[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func next() throws(ScriptDecoder.UnexpectedReply) -> Int64 {
        guard let value = rest.popFirst()?.integer else { throw error }
        return value
    }

    mutating func next(_ range: Range<Int64>) throws(ScriptDecoder.UnexpectedReply) -> Int64 {
        let value = try next()
        guard range ~= value else { throw error }
        return value
    }

    mutating func next(_ range: PartialRangeFrom<Int64>) throws(ScriptDecoder.UnexpectedReply) -> Int64 {
        let value = try next()
        guard range ~= value else { throw error }
        return value
    }

    mutating func next(
        _ count: Int,
        in range: PartialRangeFrom<Int64>
    ) throws(ScriptDecoder.UnexpectedReply) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try next(range)) }
        return values
    }

    mutating func levels() throws(ScriptDecoder.UnexpectedReply) -> Levels {
        Levels(requests: try next(), tokens: try next())
    }

    mutating func levels(_ count: Int) throws(ScriptDecoder.UnexpectedReply) -> [Levels] {
        var levels: [Levels] = []
        levels.reserveCapacity(count)
        for _ in 0..<count { levels.append(try self.levels()) }
        return levels
    }

    /// Without quotas nothing is allocated.
    mutating func spent(_ scopes: [ClientScope]) throws(ScriptDecoder.UnexpectedReply) -> [Spent] {
        var spent: [Spent] = []
        for scope in scopes where scope.limits.hasQuotas {
            spent.append(Spent(day: try next(0...), month: try next(0...)))
        }
        return spent
    }

    /// Said only where a scope or the deployment is a shadow.
    mutating func shadow(
        _ scopes: [ClientScope],
        _ chosen: Candidate
    ) throws(ScriptDecoder.UnexpectedReply) -> ShadowRefusals {
        guard chosen.limits.isShadow || scopes.contains(where: \.limits.isShadow) else { return ShadowRefusals() }
        let scope = Int(try next(0..<Int64(scopes.count + 1)))
        let kind = try shadowKind()
        guard (scope > 0) == (kind != nil), scope == 0 || scopes[scope - 1].limits.isShadow else { throw error }
        let there = try shadowKind()
        guard there == nil || chosen.limits.isShadow else { throw error }
        return ShadowRefusals(
            client: kind.map { ShadowRefusals.OfClient(scope: scope - 1, $0) },
            deployment: there
        )
    }

    mutating func shadow(_ chosen: Candidate) throws(ScriptDecoder.UnexpectedReply) -> ShadowRefusals {
        guard chosen.limits.isShadow else { return ShadowRefusals() }
        return ShadowRefusals(deployment: try shadowKind())
    }

    private mutating func shadowKind() throws(ScriptDecoder.UnexpectedReply) -> LimitKind? {
        let number = try next(0...)
        if number == 0 { return nil }
        guard let kind = LimitKind(rawValue: Int(truncatingIfNeeded: number)) else { throw error }
        return kind
    }

    /// The kind of limit that goes with the code of a refusal.
    mutating func limit(code: Int64) throws(ScriptDecoder.UnexpectedReply) -> LimitKind {
        guard let kind = LimitKind(rawValue: Int(try next())) else { throw error }
        let expected: Int64 =
            switch kind {
            case .requests, .tokens: 1
            case .concurrency: 2
            case .tokensPerDay, .tokensPerMonth: 4
            }
        guard code == expected else { throw error }
        return kind
    }

    func end() throws(ScriptDecoder.UnexpectedReply) {
        guard rest.isEmpty else { throw error }
    }
}
