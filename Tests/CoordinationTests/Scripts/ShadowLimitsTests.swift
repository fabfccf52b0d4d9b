import TestSupport
import Testing

@testable import Coordination

/// Limits in the shadow: what the machine decides, and with each step what the scripts in Redis do.
struct ShadowLimitsTests {
    /// Both coordinators, asked the same; they have to say the same.
    private struct Both {
        var machine = LimiterState()
        let scripts: ScriptServer

        mutating func admit(_ admission: Admission, at time: Int64 = 0) throws -> AdmissionDecision {
            let decision = machine.admit(admission, now: Make.now + time)
            #expect(try scripts.admit(admission, now: Make.now + time) == decision)
            return decision
        }

        mutating func settle(_ settlement: Settlement) throws {
            let outcome = machine.settle(settlement, now: Make.now)
            #expect(try scripts.settle(settlement, now: Make.now) == outcome)
        }

        mutating func cancel(_ admission: Admission) throws {
            let cancellation = Cancellation(admission, authority: .shared)
            #expect(machine.cancel(cancellation, now: Make.now) == .applied)
            #expect(try scripts.cancel(cancellation, now: Make.now) == .applied)
        }

        func check() throws { #expect(try scripts.stored() == machine.stored(scripts.encoder.keys)) }
    }

    private func withBoth(_ body: (inout Both) throws -> Void) async throws {
        try await withRedis { server in
            var both = Both(scripts: try ScriptServer(server))
            try body(&both)
            try both.check()
        }
    }

    private static func shadow(_ limits: ClientLimits) -> ClientLimits {
        var limits = limits
        limits.isShadow = true
        return limits
    }

    @Test("Everything passes, and each request above the limit says which one would have refused it")
    func passes() async throws {
        try await withBoth { both in
            let scope = Make.scope(Self.shadow(ClientLimits(requests: Make.rate(3))))
            for number in UInt64(1)...9 {
                let reservation = try #require(try both.admit(Make.admission(number, [scope])).reservation)
                let expected = number > 3 ? ShadowRefusals.OfClient(scope: 0, .requests) : nil
                #expect(reservation.shadow == ShadowRefusals(client: expected))
                // Debt ends at one capacity.
                #expect(reservation.levels.map(\.requests) == [max(-3, 3 - Int64(number)) * Bucket.unit])
            }
        }
    }

    @Test("Every kind of limit is named", arguments: LimitKind.allCases)
    func kinds(kind: LimitKind) async throws {
        var limits = ClientLimits(isShadow: true)
        switch kind {
        case .requests: limits.requests = Make.rate(1)
        case .tokens: limits.tokens = Make.rate(100)
        case .tokensPerDay: limits.tokensPerDay = 100
        case .tokensPerMonth: limits.tokensPerMonth = 100
        case .concurrency: limits.concurrency = 1
        }
        try await withBoth { both in
            let scope = Make.scope(limits)
            #expect(try both.admit(Make.admission(1, [scope])).reservation?.shadow == ShadowRefusals())
            let second = try both.admit(Make.admission(2, [scope])).reservation
            #expect(second?.shadow.client == ShadowRefusals.OfClient(scope: 0, kind))
        }
        #expect(limits.divided(by: 7).isShadow)
    }

    @Test("Of several the one with the longest wait is named, slots last")
    func longest() async throws {
        try await withBoth { both in
            let ofClient = Self.shadow(ClientLimits(requests: Make.rate(1), concurrency: 1))
            let ofModel = Self.shadow(ClientLimits(tokens: Make.rate(100), tokensPerDay: 100))
            let scopes = [Make.scope(ofClient), Make.scope(ofModel, "team-a/gpt-4o")]
            #expect(try both.admit(Make.admission(1, scopes)).reservation?.shadow.client == nil)
            let second = try both.admit(Make.admission(2, scopes)).reservation
            #expect(second?.shadow.client == ShadowRefusals.OfClient(scope: 1, .tokensPerDay))
            let slots = [Make.scope(Self.shadow(ClientLimits(concurrency: 1)))]
            let third = try both.admit(Make.admission(3, slots)).reservation
            #expect(third?.shadow.client == ShadowRefusals.OfClient(scope: 0, .concurrency))
        }
    }

    @Test(
        "A limit that is enforced refuses beside it, and then nothing is charged and nothing reported",
        arguments: [0, 1]
    )
    func enforcedBeside(place: Int) async throws {
        try await withBoth { both in
            let enforced = Make.scope(ClientLimits(requests: Make.rate(1)))
            let shadow = Make.scope(Self.shadow(ClientLimits(requests: Make.rate(1), concurrency: 1)), "team-a/gpt-4o")
            let scopes = place == 0 ? [shadow, enforced] : [enforced, shadow]
            #expect(try both.admit(Make.admission(1, scopes)).reservation?.shadow.client == nil)
            let refusal = try both.admit(Make.admission(2, scopes)).refusal
            #expect(refusal?.reason == .client(scope: 1 - place, .requests))
            #expect(refusal?.wait == 60_000)
            #expect(both.machine.scopes[shadow.id]?.meter.requests == 0)
            #expect(both.machine.scopeSlots[shadow.id]?.count == 1)
        }
    }

    @Test("What a request did not use comes back, and so does its slot")
    func givesBack() async throws {
        try await withBoth { both in
            let limits = Self.shadow(ClientLimits(tokens: Make.rate(100), concurrency: 1, tokensPerDay: 1000))
            let admission = Make.admission(1, estimate: 150, [Make.scope(limits)])
            #expect(try both.admit(admission).reservation?.levels.map(\.tokens) == [-50 * Bucket.unit])
            try both.settle(Make.settlement(admission, actual: 30))
            #expect(both.machine.scopes.values.map(\.meter.tokens) == [70 * Bucket.unit])
            #expect(both.machine.scopes.values.map(\.dayUsed) == [30])
            #expect(both.machine.scopeSlots.values.map(\.count) == [0])
            let other = Make.admission(2, estimate: 70, [Make.scope(limits)])
            #expect(try both.admit(other).reservation?.shadow == ShadowRefusals())
            try both.cancel(other)
            #expect(both.machine.scopes.values.map(\.meter.tokens) == [70 * Bucket.unit])
        }
    }

    @Test("Enforced, the limit refuses the next request, for no longer than two buckets fill")
    func enforced() async throws {
        try await withBoth { both in
            let limits = ClientLimits(requests: Make.rate(3))
            for number in UInt64(1)...20 {
                let admission = Make.admission(number, [Make.scope(Self.shadow(limits))])
                #expect(try both.admit(admission).reservation != nil)
            }
            let wait = try both.admit(Make.admission(21, [Make.scope(limits)])).refusal?.wait
            #expect(wait == 80_000)
            #expect(try both.admit(Make.admission(22, [Make.scope(limits)]), at: 79_999).refusal?.wait == 1)
            #expect(try both.admit(Make.admission(23, [Make.scope(limits)]), at: 80_000).reservation != nil)
        }
    }

    @Test("A deployment is passed over for its cooldown alone")
    func deployment() async throws {
        try await withBoth { both in
            let limits = DeploymentLimits(requests: Make.rate(1), concurrency: 1, isShadow: true)
            let candidates = [Make.candidate("a", limits), Make.candidate("b")]
            for number in UInt64(1)...4 {
                let reservation = try both.admit(Make.admission(number, on: candidates)).reservation
                #expect(reservation?.candidate == 0)
                #expect(reservation?.shadow == ShadowRefusals(deployment: number > 1 ? .requests : nil))
            }
            // Debt ends at one capacity: two of them fill in two minutes, and by then the slots have run out.
            let later = try both.admit(Make.admission(5, on: candidates), at: 120_000).reservation
            #expect(later?.shadow.deployment == nil)
            let failed = Make.admission(6, on: candidates)
            #expect(try both.admit(failed, at: 300_000).reservation?.candidate == 0)
            let reroute = Make.reroute(failed, from: candidates[0], .serverError, cooldown: 5000, to: [candidates[1]])
            let decision = both.machine.reroute(reroute, now: Make.now + 300_000)
            let reply = try both.scripts.run(both.scripts.encoder.call(reroute), now: Make.now + 300_000)
            #expect(try ScriptDecoder.decision(reroute, reply) == decision)
            let next = try both.admit(Make.admission(7, on: candidates), at: 300_001).reservation
            #expect(next?.candidate == 1)
            #expect(next?.shadow == ShadowRefusals())
        }
    }

    @Test("Slots of a deployment are counted, and pass it over no more than its rates do")
    func slotsOfDeployment() async throws {
        try await withBoth { both in
            let candidates = [
                Make.candidate("a", DeploymentLimits(concurrency: 1, isShadow: true)), Make.candidate("b"),
            ]
            #expect(try both.admit(Make.admission(1, on: candidates)).reservation?.shadow.deployment == nil)
            let second = try both.admit(Make.admission(2, on: candidates)).reservation
            #expect(second?.candidate == 0)
            #expect(second?.shadow.deployment == .concurrency)
            #expect(both.machine.deploymentSlots.values.map(\.count) == [2])
        }
    }

    @Test("A reroute says what the other deployment would have been passed over for")
    func reroute() async throws {
        try await withBoth { both in
            let limits = DeploymentLimits(tokens: Make.rate(100), isShadow: true)
            let candidates = [Make.candidate("a"), Make.candidate("b", limits)]
            #expect(try both.admit(Make.admission(1, on: [candidates[1]])).reservation?.shadow.deployment == nil)
            let failed = Make.admission(2, on: candidates)
            #expect(try both.admit(failed).reservation?.candidate == 0)
            let reroute = Make.reroute(failed, from: candidates[0], .timeout, to: [candidates[1]])
            let decision = both.machine.reroute(reroute, now: Make.now)
            let reply = try both.scripts.run(both.scripts.encoder.call(reroute), now: Make.now)
            #expect(try ScriptDecoder.decision(reroute, reply) == decision)
            guard case .rerouted(let reservation) = decision else {
                Issue.record("\(decision)")
                return
            }
            #expect(reservation.shadow == ShadowRefusals(deployment: .tokens))
        }
    }

    @Test("No field of an answer tells of it")
    func allowance() {
        let shadow = Make.scope(Self.shadow(ClientLimits(requests: Make.rate(3), tokens: Make.rate(3))))
        let enforced = Make.scope(ClientLimits(requests: Make.rate(600)), "team-a/gpt-4o")
        let levels = [Levels(requests: 0, tokens: 0), Levels(requests: 100 * Bucket.unit, tokens: 0)]
        #expect(Allowance.requests([shadow, enforced], levels)?.remaining == 100)
        #expect(Allowance.requests([shadow], levels) == nil)
        #expect(Allowance.tokens([shadow, enforced], levels) == nil)
    }

    @Test("A reply that names a shadow where there is none is no answer")
    func malformed() {
        let scope = Make.scope(Self.shadow(ClientLimits(requests: Make.rate(3))))
        let plain = Make.scope(ClientLimits(requests: Make.rate(3)))
        func decision(_ scope: ClientScope, _ tail: [Int64]) throws -> AdmissionDecision {
            let reply = [0, Make.now, 0, 0, 0, 0, 0, 0] + tail
            return try ScriptDecoder.decision(Make.admission(1, [scope]), .array(reply.map { .integer($0) }))
        }
        #expect(throws: Never.self) { try decision(scope, [1, 1, 0]) }
        #expect(throws: Never.self) { try decision(plain, []) }
        for tail: [Int64] in [
            [], [1, 0, 0], [0, 1, 0], [2, 1, 0], [1, 6, 0], [1, 1, 1], [1, 1, 0, 0], [-1, 0, 0],
        ] {
            #expect(throws: ScriptDecoder.UnexpectedReply.self, "\(tail)") { try decision(scope, tail) }
        }
        #expect(throws: ScriptDecoder.UnexpectedReply.self) { try decision(plain, [1, 1, 0]) }
    }
}
