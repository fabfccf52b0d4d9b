import TestSupport
import Testing

@testable import Coordination

struct AdmitTests {
    private var machine = LimiterState()

    @Test("A refusal changes nothing (I1)")
    mutating func refusalChangesNothing() {
        for seed in UInt64(1)...20 {
            var world = RandomWorld(seed: seed)
            var machine = LimiterState()
            for _ in 0..<500 {
                let step = world.next()
                let before = machine.stored(KeySpace())
                guard case .admit(let admission) = step,
                    case .admission(let decision)? = machine.perform(step, now: world.now)
                else {
                    _ = machine.perform(step, now: world.now)
                    continue
                }
                world.note(admission, decision)
                // A clock that went back by much is written down all the same.
                let isBehind = before.values.contains {
                    if case .integers(let state) = $0 { state[0] - world.now > 120_000 } else { false }
                }
                if decision.reservation == nil, !isBehind { #expect(machine.stored(KeySpace()) == before) }
            }
        }
    }

    @Test("All that an admission takes, a cancellation gives back: there are no halves (I2)")
    mutating func allOrNothing() {
        let limits = ClientLimits(
            requests: Make.rate(10),
            tokens: Make.rate(1000),
            concurrency: 5,
            tokensPerDay: 5000,
            tokensPerMonth: 9000
        )
        let room = DeploymentLimits(requests: Make.rate(10), tokens: Make.rate(1000), concurrency: 3)
        let admission = Make.admission(
            estimate: 100,
            [Make.scope(limits), Make.scope(limits, "team-a/gpt-4o")],
            on: [Make.candidate("a", room), Make.candidate("b", room)]
        )
        let reservation = machine.admit(admission, now: Make.now).reservation
        #expect(reservation?.levels == Array(repeating: Levels(requests: 540_000, tokens: 54_000_000), count: 2))
        #expect(reservation?.deployment == Levels(requests: 540_000, tokens: 54_000_000))
        #expect(machine.scopes.values.map(\.dayUsed) == [100, 100])
        #expect(machine.scopeSlots.values.map(\.count) == [1, 1])
        #expect(machine.deploymentSlots.values.map(\.count) == [1])

        #expect(machine.cancel(Cancellation(admission, authority: .shared), now: Make.now) == .applied)
        for state in machine.scopes.values {
            #expect(state.meter.levels == Levels(requests: 600_000, tokens: 60_000_000))
            #expect(state.dayUsed == 0 && state.monthUsed == 0)
        }
        #expect(machine.deployments.values.map(\.meter.levels) == [Levels(requests: 600_000, tokens: 60_000_000)])
        #expect(machine.scopeSlots.values.allSatisfy { $0.count == 0 })
        #expect(machine.deploymentSlots.values.allSatisfy { $0.count == 0 })
    }

    @Test("No interval admits more than burst and refill, and one request that is larger than the burst (I3)")
    mutating func neverAboveTheLimit() {
        let rate = Make.rate(6000, burst: 500)
        let scope = Make.scope(ClientLimits(tokens: rate))
        var random = SplitMix(seed: 7)
        var admitted: [(time: Int64, tokens: Int64)] = []
        var now = Make.now
        for sequence in 0..<4000 as Range<UInt64> {
            now += Int64.random(in: 0..<20, using: &random)
            let estimate = Int64.random(in: 1...700, using: &random)
            let admission = Make.admission(sequence, estimate: estimate, [scope])
            if machine.admit(admission, now: now).reservation != nil { admitted.append((now, estimate)) }
        }
        #expect(admitted.count > 10)
        for start in admitted.indices {
            var sum: Int64 = 0
            for end in start..<admitted.count {
                sum += admitted[end].tokens
                let elapsed = admitted[end].time - admitted[start].time
                #expect(sum * Bucket.unit <= (500 + 700) * Bucket.unit + elapsed * 6000)
            }
        }
    }

    @Test("Live leases are never more than the limit at the moment of an admission (I4)")
    mutating func concurrency() {
        let scope = Make.scope(ClientLimits(concurrency: 3))
        for sequence in 1...3 as ClosedRange<UInt64> {
            #expect(machine.admit(Make.admission(sequence, [scope]), now: Make.now).reservation != nil)
        }
        let refusal = machine.admit(Make.admission(4, [scope]), now: Make.now).refusal
        #expect(refusal?.reason == .client(scope: 0, .concurrency))
        #expect(refusal?.wait == Refusal.slotWait)
        _ = machine.settle(Make.settlement(Make.admission(2, [scope]), actual: 5), now: Make.now)
        #expect(machine.admit(Make.admission(5, [scope]), now: Make.now).reservation != nil)
        // The slots of a process that died run out.
        let later = Make.now + LeaseTerms.standard.slot
        #expect(machine.admit(Make.admission(6, [scope]), now: later - 1).refusal != nil)
        #expect(machine.admit(Make.admission(6, [scope]), now: later).reservation != nil)
    }

    @Test("A lease is admitted once, and not after a cancellation that overtook it (I5)")
    mutating func once() {
        let admission = Make.admission()
        #expect(machine.admit(admission, now: Make.now).reservation != nil)
        #expect(machine.admit(admission, now: Make.now) == .duplicate)
        let late = Make.admission(2)
        #expect(machine.cancel(Cancellation(late, authority: .shared), now: Make.now) == .alreadyApplied)
        #expect(machine.admit(late, now: Make.now) == .duplicate)
    }

    @Test("After the wait of a refusal the same request is admitted, and a millisecond before it is not")
    func retryIsExact() {
        var waits: [LimitKind: Int] = [:]
        var atDeployments = 0
        for seed in UInt64(100)...160 {
            var world = RandomWorld(seed: seed)
            var machine = LimiterState()
            for _ in 0..<400 {
                let step = world.next()
                guard case .admission(let decision)? = machine.perform(step, now: world.now),
                    case .admit(let admission) = step
                else { continue }
                world.note(admission, decision)
                guard let refusal = decision.refusal, refusal.wait != Refusal.slotWait else { continue }
                var early = machine
                let tooEarly = early.admit(admission, now: world.now + refusal.wait - 1).refusal
                #expect(tooEarly != nil, "seed \(seed): \(refusal) was not needed")
                var then = machine
                switch (then.admit(admission, now: world.now + refusal.wait), refusal.reason) {
                case (.admitted, _): break
                case (.refused(let next), .client):
                    // Another limit refuses now; of the clients' rates and quotas none does.
                    #expect(
                        next.reason == .deployments || next.wait == Refusal.slotWait,
                        "seed \(seed): \(refusal), \(next)"
                    )
                case (.refused(let next), .deployments):
                    // It no longer cools, and is full.
                    #expect(next.reason == .deployments, "seed \(seed): \(refusal), \(next)")
                case (.duplicate, _), (.unavailable, _): Issue.record("seed \(seed): a refused lease was used")
                }
                switch refusal.reason {
                case .client(_, let kind): waits[kind, default: 0] += 1
                case .deployments: atDeployments += 1
                }
            }
        }
        #expect(waits.count == 4 && atDeployments > 0)
    }

    @Test("Of several limits that refuse, the one that takes longest is named")
    mutating func longestWait() {
        let limits = ClientLimits(requests: Make.rate(1), tokens: Make.rate(100), tokensPerDay: 100)
        let model = ClientLimits(tokens: Make.rate(60, burst: 100))
        let scopes = [Make.scope(limits), Make.scope(model, "team-a/gpt-4o")]
        #expect(machine.admit(Make.admission(1, estimate: 100, scopes), now: Make.now).reservation != nil)
        let refusal = machine.admit(Make.admission(2, estimate: 100, scopes), now: Make.now).refusal
        #expect(refusal?.reason == .client(scope: 0, .tokensPerDay))
        #expect(refusal?.wait == 86_400_000 - Make.now % 86_400_000)
        #expect(refusal?.levels == [Levels(requests: 0, tokens: 0), Levels(requests: Bucket.full, tokens: 0)])
        let tomorrow = Make.now + (refusal?.wait ?? 0)
        #expect(machine.admit(Make.admission(2, estimate: 100, scopes), now: tomorrow).reservation != nil)
    }

    @Test("A quota counts days and months of its own, and what was charged yesterday is not given back today")
    mutating func quotas() {
        let scope = Make.scope(ClientLimits(tokensPerDay: 1000, tokensPerMonth: 1500))
        let midnight = (Make.now / 86_400_000 + 1) * 86_400_000
        let first = Make.admission(1, estimate: 900, [scope])
        #expect(machine.admit(first, now: midnight - 1).reservation != nil)
        #expect(machine.admit(Make.admission(2, estimate: 400, [scope]), now: midnight).reservation != nil)
        _ = machine.settle(Make.settlement(first, actual: 100), now: midnight)
        #expect(machine.scopes[scope.id]?.dayUsed == 400)
        #expect(machine.scopes[scope.id]?.monthUsed == 500)
        let refusal = machine.admit(Make.admission(3, estimate: 1500, [scope]), now: midnight).refusal
        #expect(refusal?.reason == .client(scope: 0, .tokensPerMonth))
    }

    @Test("What the headers say comes from the limit that leaves least")
    mutating func allowance() {
        let scopes = [
            Make.scope(ClientLimits(tokens: Make.rate(1000))),
            Make.scope(ClientLimits(requests: Make.rate(10), tokens: Make.rate(600, burst: 500)), "team-a/gpt-4o"),
        ]
        let levels = machine.admit(Make.admission(1, estimate: 100, scopes), now: Make.now).reservation?.levels ?? []
        let tokens = Allowance.tokens(scopes, levels)
        #expect(tokens?.limit == 600 && tokens?.remaining == 400 && tokens?.reset == 10_000)
        #expect(Allowance.requests(scopes, levels)?.remaining == 9)
        #expect(Allowance.requests([scopes[0]], [levels[0]]) == nil)
    }
}
