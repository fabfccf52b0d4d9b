internal import Glibc
internal import NIOConcurrencyHelpers

/// Coordinates within this process alone: without Redis, or while Redis is away.
///
/// One for all event loops: a limit holds exactly however the connections are spread among them. The lock guards a value and
/// is held for a few dictionary look-ups; answers are given before a method returns.
package final class LocalCoordinator: Coordinator, Sendable {
    private struct Guarded {
        var state: LimiterState
        /// Operations until what nobody needs any more is swept out.
        var untilSweep: Int
    }

    private let guarded: NIOLockedValueBox<Guarded>
    private let clock: @Sendable () -> Int64

    /// The least number of operations between two sweeps, which look at everything.
    private static let shortestSweep = 1024

    /// - Parameter clock: milliseconds since 1970; may go back.
    package init(clock: @escaping @Sendable () -> Int64 = LocalCoordinator.wallClock) {
        let state = LimiterState(authority: .local)
        guarded = NIOLockedValueBox(Guarded(state: state, untilSweep: Self.shortestSweep))
        self.clock = clock
    }

    package func admit(_ admission: Admission, then: @escaping (AdmissionDecision) -> Void) {
        then(withState { $0.admit(admission, now: $1) })
    }

    package func reroute(_ reroute: Reroute, then: @escaping (RerouteDecision) -> Void) {
        then(withState { $0.reroute(reroute, now: $1) })
    }

    package func settle(_ settlement: Settlement, then: @escaping (SettlementOutcome) -> Void) {
        then(withState { $0.settle(settlement, now: $1) })
    }

    package func cancel(_ cancellation: Cancellation, then: @escaping (SettlementOutcome) -> Void) {
        then(withState { $0.cancel(cancellation, now: $1) })
    }

    package func beat(_ beat: Beat, then: @escaping (BeatOutcome?) -> Void) {
        then(withState { $0.beat(beat, now: $1) })
    }

    /// Lowers shares to their parts of what was left when Redis was last heard of.
    ///
    /// - Parameter replicas: among how many the limits are divided.
    func begin(
        _ scopes: [(whole: ClientScope, note: LastSeen.Note)],
        _ deployments: [(whole: Candidate, note: LastSeen.Note)],
        replicas: Int64
    ) {
        withState { state, now in
            for (whole, note) in scopes { state.begin(whole, at: note, replicas: replicas, now: now) }
            for (whole, note) in deployments { state.begin(whole, at: note, replicas: replicas, now: now) }
        }
    }

    /// How many things are remembered.
    package var count: Int { guarded.withLockedValue { $0.state.count } }

    func withState<Answer>(_ decide: (inout LimiterState, Int64) -> Answer) -> Answer {
        guarded.withLockedValue { guarded in
            // Read under the lock, so that the times of two operations are in the order of the operations.
            let now = clock()
            guarded.untilSweep -= 1
            if guarded.untilSweep <= 0 {
                guarded.state.sweep(now: now)
                // Sweeping looks at as much as it may take operations to make: its cost per operation is constant.
                guarded.untilSweep = max(Self.shortestSweep, guarded.state.count)
            }
            return decide(&guarded.state, now)
        }
    }

    @Sendable package static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
