import Testing

@testable import Coordination

struct SettleTests {
    private var machine = LimiterState()
    private let scope = Make.scope(ClientLimits(requests: Make.rate(10), tokens: Make.rate(1000), concurrency: 2))
    private let usage = Usage(
        day: 20_260_320,
        client: ScopeID(client: "team-a"),
        deployment: DeploymentID(endpoint: "sweden", deployment: "gpt-4o"),
        counts: Usage.Counts(requests: 1, input: 30, output: 10)
    )

    @Test("What was not used goes back to the client, and only to a deployment that refunds")
    mutating func refund() {
        let limits = DeploymentLimits(tokens: Make.rate(1000))
        for (sequence, refunds) in [(1, false), (2, true)] as [(UInt64, Bool)] {
            let candidate = Make.candidate("d\(sequence)", limits)
            let admission = Make.admission(sequence, [scope], on: [candidate])
            _ = machine.admit(admission, now: Make.now)
            let settlement = Make.settlement(admission, actual: 40, refunds: refunds)
            #expect(machine.settle(settlement, now: Make.now) == .applied)
            #expect(machine.deployments[candidate.id]?.meter.tokens == (refunds ? 960 : 900) * Bucket.unit)
        }
        #expect(machine.scopes[scope.id]?.meter.tokens == 920 * Bucket.unit)
    }

    @Test("A refund never fills above the brim, however late it comes (S2)")
    mutating func refundClamp() {
        let admission = Make.admission(1, [scope])
        _ = machine.admit(admission, now: Make.now)
        _ = machine.settle(Make.settlement(admission, actual: 0), now: Make.now + 59_000)
        _ = machine.admit(Make.admission(2, estimate: 1, [scope]), now: Make.now + 59_000)
        #expect(machine.scopes[scope.id]?.meter.tokens == 999 * Bucket.unit)
    }

    @Test("An overrun becomes debt of client and deployment")
    mutating func debt() {
        let candidate = Make.candidate("d", DeploymentLimits(tokens: Make.rate(1000)))
        let admission = Make.admission(1, [scope], on: [candidate])
        _ = machine.admit(admission, now: Make.now)
        _ = machine.settle(Make.settlement(admission, actual: 1500), now: Make.now)
        #expect(machine.scopes[scope.id]?.meter.tokens == -500 * Bucket.unit)
        #expect(machine.deployments[candidate.id]?.meter.tokens == -500 * Bucket.unit)
        let refusal = machine.admit(Make.admission(2, estimate: 1, [scope]), now: Make.now).refusal
        #expect(refusal?.wait == 30_060)
    }

    @Test("An unknown number of tokens keeps the estimate")
    mutating func unknown() {
        let admission = Make.admission(1, [scope])
        _ = machine.admit(admission, now: Make.now)
        #expect(machine.settle(Make.settlement(admission, actual: nil), now: Make.now) == .applied)
        #expect(machine.scopes[scope.id]?.meter.tokens == 900 * Bucket.unit)
    }

    @Test("Slots are released once, usage is what was used, by whichever attempt (S3, S4)", arguments: [1, 2, 3])
    mutating func onceByAnyAttempt(attempt: Int) {
        let admission = Make.admission(1, [scope])
        _ = machine.admit(admission, now: Make.now)
        let other = Make.admission(2, [scope])
        _ = machine.admit(other, now: Make.now)
        let settlement = Make.settlement(admission, attempt: attempt, actual: 40, usage: usage)
        #expect(machine.settle(settlement, now: Make.now) == .applied)
        for attempt in 2...4 {
            let again = Make.settlement(admission, attempt: attempt, actual: 40, usage: usage)
            #expect(machine.settle(again, now: Make.now) == .alreadyApplied)
        }
        #expect(machine.scopeSlots[scope.id]?.count == 1)
        #expect(
            machine.usage.values.map(\.counts) == [
                ["sweden/gpt-4o:req": 1, "sweden/gpt-4o:in": 30, "sweden/gpt-4o:out": 10]
            ]
        )
    }

    @Test("A lease that Redis lost is settled late by its first attempt, and by no other")
    mutating func late() {
        let admission = Make.admission(1, [scope])
        #expect(machine.settle(Make.settlement(admission, attempt: 2, actual: 200), now: Make.now) == .alreadyApplied)
        #expect(machine.settle(Make.settlement(admission, actual: 200, usage: usage), now: Make.now) == .appliedLate)
        #expect(machine.scopes[scope.id]?.meter.tokens == 900 * Bucket.unit)
        #expect(machine.usage.count == 1)
    }

    @Test("A beat brings back a lease that Redis lost, and not one that was ended with a mark")
    mutating func restore() {
        let candidate = Make.candidate("d", DeploymentLimits(concurrency: 4))
        let admission = Make.admission(1, [scope], on: [candidate])
        let renewal = Renewal(
            lease: admission.lease,
            scopes: [scope],
            deployment: candidate,
            admitted: Make.now,
            restores: true
        )
        let beat = Beat(instance: 1, leases: [renewal])
        #expect(machine.beat(beat, now: Make.now).restored == 1)
        #expect(machine.scopeSlots[scope.id]?.count == 1 && machine.deploymentSlots[candidate.id]?.count == 1)
        let settlement = Settlement(
            lease: admission.lease,
            isBeingRenewed: true,
            estimate: 100,
            actual: 50,
            admitted: Make.now,
            scopes: [scope],
            deployment: candidate,
            succeeded: true,
            authority: .shared
        )
        #expect(machine.settle(settlement, now: Make.now) == .applied)
        #expect(machine.beat(beat, now: Make.now).lost == [0])
        #expect(machine.scopeSlots[scope.id]?.count == 0 && machine.deploymentSlots[candidate.id]?.count == 0)
    }

    @Test("Beats keep slots, and count the processes that live")
    mutating func beats() {
        let admission = Make.admission(1, [scope])
        _ = machine.admit(admission, now: Make.now)
        let renewal = Renewal(
            lease: admission.lease,
            scopes: [scope],
            deployment: admission.candidates[0],
            admitted: Make.now,
            restores: true
        )
        #expect(machine.beat(Beat(instance: 1, leases: [renewal]), now: Make.now + 60_000).instances == 1)
        #expect(machine.beat(Beat(instance: 2, leases: []), now: Make.now + 100_000).instances == 2)
        #expect(machine.beat(Beat(instance: 2, leases: []), now: Make.now + 120_000).instances == 1)
        #expect(machine.scopeSlots[scope.id]?.live(now: Make.now + 144_999) == 1)
        #expect(machine.scopeSlots[scope.id]?.live(now: Make.now + 145_000) == 0)
    }
}
