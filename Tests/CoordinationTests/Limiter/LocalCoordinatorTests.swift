import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Coordination

struct LocalCoordinatorTests {
    @Test("Threads that ask at once are admitted exactly as much as the limit holds")
    func exactAcrossThreads() async {
        let coordinator = LocalCoordinator(clock: { Make.now })
        let scope = Make.scope(ClientLimits(requests: Make.rate(1000)))
        let admitted = NIOLockedValueBox(0)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 as Range<UInt64> {
                group.addTask {
                    for sequence in 0..<500 as Range<UInt64> {
                        let admission = Make.admission(worker * 1000 + sequence, [scope])
                        coordinator.admit(admission) {
                            if $0.reservation != nil { admitted.withLockedValue { $0 += 1 } }
                        }
                    }
                }
            }
        }
        #expect(admitted.withLockedValue { $0 } == 1000)
    }

    @Test("Every answer is there when the method returns, and says who decided")
    func synchronous() {
        let coordinator = LocalCoordinator(clock: { Make.now })
        let admission = Make.admission()
        var authority: Authority?
        coordinator.admit(admission) { authority = $0.reservation?.authority }
        #expect(authority == .local)
        var outcomes: [SettlementOutcome] = []
        coordinator.settle(Make.settlement(admission, actual: 1)) { outcomes.append($0) }
        coordinator.cancel(Cancellation(admission, authority: .local)) { outcomes.append($0) }
        #expect(outcomes == [.applied, .alreadyApplied])
        var decision: RerouteDecision?
        coordinator.reroute(Make.reroute(admission, from: admission.candidates[0], .timeout)) { decision = $0 }
        #expect(decision == .leaseLost)
        var beat: BeatOutcome?
        coordinator.beat(Beat(instance: 1, leases: [])) { beat = $0 }
        #expect(beat?.instances == 1)
    }

    @Test("Memory does not grow with clients that come once and leases that nobody ends")
    func bounded() {
        let time = NIOLockedValueBox(Make.now)
        let coordinator = LocalCoordinator(clock: { time.withLockedValue { $0 } })
        let limits = ClientLimits(requests: Make.rate(10), tokens: Make.rate(1000), concurrency: 5)
        for sequence in 0..<50_000 as Range<UInt64> {
            time.withLockedValue { $0 += 1000 }
            coordinator.admit(Make.admission(sequence, [Make.scope(limits, "client-\(sequence)")])) { _ in }
        }
        // A lease is kept for an hour of the 14, slots for 90 seconds and buckets for two minutes.
        #expect(coordinator.count < 12_000)
    }

    @Test("What a sweep forgets makes no difference to any admission of a limited client")
    func sweepIsInvisible() {
        let limits = ClientLimits(requests: Make.rate(7), tokens: Make.rate(1000, burst: 3000), concurrency: 3)
        var random = SplitMix(seed: 3)
        var (swept, kept) = (LimiterState(), LimiterState())
        var now = Make.now
        for sequence in 0..<3000 as Range<UInt64> {
            now += Int64.random(in: 0..<60_000, using: &random)
            let scope = Make.scope(limits, "client-\(Int.random(in: 0..<20, using: &random))")
            let admission = Make.admission(sequence, estimate: Int64.random(in: 1...4000, using: &random), [scope])
            swept.sweep(now: now)
            let decision = swept.admit(admission, now: now)
            #expect(decision == kept.admit(admission, now: now))
            if decision.reservation != nil, Bool.random(using: &random) {
                let settlement = Make.settlement(admission, actual: Int64.random(in: 0...9000, using: &random))
                #expect(swept.settle(settlement, now: now) == kept.settle(settlement, now: now))
            }
        }
        #expect(swept.count < kept.count)
    }
}
