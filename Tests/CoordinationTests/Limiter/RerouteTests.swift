import Testing

@testable import Coordination

struct RerouteTests {
    private var machine = LimiterState()
    private let first = Make.candidate("a", DeploymentLimits(tokens: Make.rate(1000), concurrency: 5))
    private let second = Make.candidate("b", DeploymentLimits(tokens: Make.rate(1000), concurrency: 5))

    private mutating func admitted(_ sequence: UInt64 = 1, now: Int64 = Make.now) -> Admission {
        let scope = Make.scope(ClientLimits(tokens: Make.rate(10_000)))
        let admission = Make.admission(sequence, [scope], on: [first, second])
        _ = machine.admit(admission, now: now)
        return admission
    }

    @Test("The lease moves to the next deployment, the client is not charged again")
    mutating func moves() {
        let admission = admitted()
        let decision = machine.reroute(
            Make.reroute(admission, from: first, .serverError, cooldown: 5000, to: [second]),
            now: Make.now
        )
        guard case .rerouted(let reservation) = decision else { return #expect(Bool(false), "\(decision)") }
        #expect(reservation.candidate == 0 && reservation.deployment.tokens == 900 * Bucket.unit)
        #expect(machine.deploymentSlots[first.id]?.count == 0 && machine.deploymentSlots[second.id]?.count == 1)
        #expect(machine.scopes.values.map(\.meter.tokens) == [9900 * Bucket.unit])
        #expect(machine.deployments[first.id]?.cool == Make.now + 5000)
        // Its settlement concerns the second one only.
        _ = machine.settle(Make.settlement(admission, actual: 0, on: second, refunds: true), now: Make.now)
        #expect(machine.deployments[first.id]?.meter.tokens == 900 * Bucket.unit)
        #expect(machine.deployments[second.id]?.meter.tokens == 1000 * Bucket.unit)
    }

    @Test("Only a request that never arrived is refunded")
    mutating func refunds() {
        for (sequence, kind) in Failure.Kind.allCases.enumerated() {
            machine = LimiterState()
            let admission = admitted(UInt64(sequence))
            _ = machine.reroute(Make.reroute(admission, from: first, kind), now: Make.now)
            let left = machine.deployments[first.id]?.meter.tokens
            #expect(left == (kind == .connection ? 1000 : 900) * Bucket.unit, "\(kind)")
        }
    }

    @Test("A cooldown is never shortened by another failure")
    mutating func cooldownGrows() {
        let admission = admitted()
        _ = machine.reroute(Make.reroute(admission, from: first, .quota, cooldown: 60_000), now: Make.now)
        let decision = machine.reroute(Make.reroute(admission, from: first, .quota, cooldown: 1000), now: Make.now)
        #expect(decision == .reported(cooldown: 60_000))
    }

    @Test("Without a word from the deployment the cooldown doubles, up to a minute")
    mutating func backoff() {
        let admission = admitted()
        var cooldowns: [Int64] = []
        var now = Make.now
        for _ in 0..<8 {
            guard
                case .reported(let cooldown) = machine.reroute(
                    Make.reroute(admission, from: first, .timeout),
                    now: now
                )
            else { break }
            cooldowns.append(cooldown)
            now += cooldown
        }
        #expect(cooldowns == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    }

    @Test("What fails while it cools is the same failure: neither counted again nor waited for longer")
    mutating func oneFailure() {
        let admission = admitted()
        for _ in 0..<5 {
            let decision = machine.reroute(Make.reroute(admission, from: first, .connection), now: Make.now)
            #expect(decision == .reported(cooldown: 1000))
        }
        #expect(machine.deployments[first.id]?.streak == 1)
        // One that says how long it wants to be left alone is believed.
        let asked = Make.reroute(admission, from: first, .overload, cooldown: 5000)
        #expect(machine.reroute(asked, now: Make.now + 1) == .reported(cooldown: 5000))
        #expect(machine.deployments[first.id]?.streak == 1)
    }

    @Test("When it no longer cools, one exchange at a time tries it until one succeeds")
    mutating func halfOpen() {
        let failed = admitted()
        _ = machine.reroute(Make.reroute(failed, from: first, .serverError, cooldown: 1000), now: Make.now)
        let back = Make.now + 1000
        #expect(machine.admit(Make.admission(2, on: [first]), now: back - 1).refusal?.wait == 1)
        #expect(machine.admit(Make.admission(3, on: [first]), now: back).reservation?.isProbe == true)
        #expect(machine.admit(Make.admission(4, on: [first]), now: back).refusal?.cooldowns == [30_000])
        // An answer to what was sent before the failure proves nothing.
        let old = Make.settlement(failed, actual: 10, on: first)
        #expect(machine.settle(old, now: back) == .applied)
        #expect(machine.admit(Make.admission(4, on: [first]), now: back).refusal != nil)
        _ = machine.settle(Make.settlement(Make.admission(3, on: [first]), actual: 10), now: back + 10)
        #expect(machine.admit(Make.admission(4, on: [first]), now: back + 10).reservation?.isProbe == false)
    }

    @Test("A probe that does not come back makes room for the next")
    mutating func lostProbe() {
        let failed = admitted()
        _ = machine.reroute(Make.reroute(failed, from: first, .serverError, cooldown: 0), now: Make.now)
        #expect(machine.admit(Make.admission(2, on: [first]), now: Make.now).reservation?.isProbe == true)
        let next = Make.now + LeaseTerms.standard.probe
        #expect(machine.admit(Make.admission(3, on: [first]), now: next - 1).refusal != nil)
        #expect(machine.admit(Make.admission(3, on: [first]), now: next).reservation?.isProbe == true)
    }

    @Test("A 429 is not probed: its bucket paces the return")
    mutating func quotaIsNotProbed() {
        let failed = admitted()
        let failure = Failure(kind: .quota, cooldown: 1000, feedback: Feedback(requests: nil, tokens: 0))
        let reroute = Reroute(
            lease: failed.lease,
            estimate: 100,
            failed: first,
            failure: failure,
            candidates: [],
            authority: .shared
        )
        _ = machine.reroute(reroute, now: Make.now)
        #expect(machine.deployments[first.id]?.meter.tokens == 0)
        let refusal = machine.admit(Make.admission(2, estimate: 50, on: [first]), now: Make.now + 1000).refusal
        #expect(refusal?.wait == 2000 && refusal?.cooldowns == [0])
        #expect(
            machine.admit(Make.admission(2, estimate: 50, on: [first]), now: Make.now + 3000).reservation?.isProbe
                == false
        )
    }

    @Test("A lease that is gone changes nothing")
    mutating func lost() {
        let admission = Make.admission(9, on: [first, second])
        #expect(
            machine.reroute(Make.reroute(admission, from: first, .timeout, to: [second]), now: Make.now) == .leaseLost
        )
        #expect(machine.count == 0)
    }
}
