import Testing

@testable import Coordination

/// Mistakes that other rate limiters made, and their users found. Named after where they happened.
struct KnownBugsTests {
    private var machine = LimiterState()
    private let scope = Make.scope(ClientLimits(requests: Make.rate(10), tokens: Make.rate(1000)))

    @Test("upstash: refused calls go on consuming, so a client that retries never gets back in")
    mutating func refusedCallsConsume() {
        _ = machine.admit(Make.admission(1, estimate: 5000, [scope]), now: Make.now)
        let wait = machine.admit(Make.admission(2, estimate: 10, [scope]), now: Make.now).refusal?.wait ?? 0
        for sequence in 3..<500 as Range<UInt64> {
            let refusal = machine.admit(Make.admission(sequence, estimate: 10, [scope]), now: Make.now + 1).refusal
            #expect(refusal?.wait == wait - 1)
        }
        #expect(machine.admit(Make.admission(2, estimate: 10, [scope]), now: Make.now + wait).reservation != nil)
    }

    @Test("upstash: a refund fills above the limit")
    mutating func overRefund() {
        let admission = Make.admission(1, estimate: 900, [scope])
        _ = machine.admit(admission, now: Make.now)
        _ = machine.settle(Make.settlement(admission, actual: 0), now: Make.now + 3_600_000)
        let next = machine.admit(Make.admission(2, estimate: 1, [scope]), now: Make.now + 3_600_000)
        #expect(next.reservation?.levels == [Levels(requests: 540_000, tokens: 59_940_000)])
    }

    @Test("upstash, spring-cloud-gateway: keys that are kept for ever, or for no time at all")
    func keysWithoutExpiry() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            // So fast that it is full again within a millisecond.
            let rate = Make.rate(1_000_000_000, burst: 1_000_000)
            let scope = Make.scope(ClientLimits(requests: rate, tokens: rate, concurrency: 2))
            let admission = Make.admission(1, [scope], on: [Make.candidate("d", DeploymentLimits(concurrency: 2))])
            _ = try scripts.admit(admission, now: Make.now)
            _ = try scripts.beat(Beat(instance: 1, leases: []), now: Make.now)
            let usage = Usage(
                day: 20_260_320,
                client: ScopeID(client: "team-a"),
                deployment: admission.candidates[0].id,
                counts: Usage.Counts(requests: 1)
            )
            let other = Make.admission(2, [scope], on: admission.candidates)
            _ = try scripts.admit(other, now: Make.now)
            _ = try scripts.settle(Make.settlement(other, attempt: 2, actual: 5, usage: usage), now: Make.now)
            let keys = Array(try scripts.stored().keys)
            #expect(keys.count == 8)
            for (key, lifetime) in try scripts.lifetimes(keys) { #expect(lifetime > 60_000, "\(key)") }
        }
    }

    @Test("envoyproxy/ratelimit, LiteLLM: hits over the limit are counted")
    mutating func countingRefusals() {
        for sequence in 1...30 as ClosedRange<UInt64> {
            _ = machine.admit(Make.admission(sequence, estimate: 1, [scope]), now: Make.now)
        }
        #expect(machine.scopes[scope.id]?.meter.levels == Levels(requests: 0, tokens: 990 * Bucket.unit))
        #expect(machine.leases.count == 10)
    }

    @Test(
        "LiteLLM #18730, #23775, Envoy AI Gateway #680: requests under way at once overshoot, as tokens are taken at the end"
    )
    mutating func overshoot() {
        var admitted: [Admission] = []
        for sequence in 1...64 as ClosedRange<UInt64> {
            let scope = Make.scope(ClientLimits(tokens: Make.rate(1000)))
            let admission = Make.admission(sequence, estimate: 100, [scope])
            if machine.admit(admission, now: Make.now).reservation != nil { admitted.append(admission) }
        }
        #expect(admitted.count == 10)
    }

    @Test("LiteLLM #29191: an estimate above a small limit is refused for ever")
    mutating func estimateAboveLimit() {
        let small = Make.scope(ClientLimits(tokens: Make.rate(50), tokensPerDay: 80))
        #expect(machine.admit(Make.admission(1, estimate: 4096, [small]), now: Make.now).reservation != nil)
        // What it took is owed.
        #expect(machine.admit(Make.admission(2, estimate: 1, [small]), now: Make.now).refusal != nil)
    }

    @Test("LiteLLM #40130: a second cooldown keeps the earlier, shorter deadline")
    mutating func shorterCooldown() {
        let admission = Make.admission()
        _ = machine.admit(admission, now: Make.now)
        for cooldown in [1000, 30_000, 5000] as [Int64] {
            let reroute = Make.reroute(admission, from: admission.candidates[0], .quota, cooldown: cooldown)
            _ = machine.reroute(reroute, now: Make.now)
        }
        #expect(machine.admit(Make.admission(2), now: Make.now).refusal?.wait == 30_000)
    }

    @Test("LiteLLM #27823: when everything cools, nobody says for how long")
    mutating func waitOfCooldowns() {
        let candidates = [Make.candidate("a"), Make.candidate("b")]
        let admission = Make.admission(1, on: candidates)
        _ = machine.admit(admission, now: Make.now)
        for (candidate, cooldown) in zip(candidates, [9000, 4000] as [Int64]) {
            _ = machine.reroute(
                Make.reroute(admission, from: candidate, .quota, cooldown: cooldown),
                now: Make.now
            )
        }
        let refusal = machine.admit(Make.admission(2, on: candidates), now: Make.now).refusal
        #expect(refusal?.wait == 4000 && refusal?.cooldowns == [9000, 4000])
    }

    @Test("LiteLLM #20256, #28160: slots leak, and are held for an hour")
    mutating func leakedSlots() {
        let scope = Make.scope(ClientLimits(concurrency: 1))
        _ = machine.admit(Make.admission(1, [scope]), now: Make.now)
        #expect(machine.admit(Make.admission(2, [scope]), now: Make.now + 84_999).refusal != nil)
        #expect(machine.admit(Make.admission(2, [scope]), now: Make.now + 85_000).reservation != nil)
    }

    @Test("bucket4j #417: debt is reported as something else than nothing")
    mutating func debtInHeaders() {
        let decision = machine.admit(Make.admission(1, estimate: 5000, [scope]), now: Make.now)
        let tokens = Allowance.tokens([scope], decision.reservation?.levels ?? [])
        #expect(tokens?.remaining == 0 && tokens?.reset == 300_000)
    }
}
