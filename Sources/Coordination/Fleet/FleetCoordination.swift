internal import NIOConcurrencyHelpers
package import NIOCore

/// What `/metrics` and `/status` say about coordination; counts since the process started.
package struct CoordinationSnapshot: Sendable, Equatable {
    package let mode: CoordinationMode
    /// Live replicas as Redis said last, or as the configuration assumes; limits are divided by it while Redis is away.
    package let fleetSize: Int
    /// Ends of leases that Redis has not acknowledged yet.
    package let queueDepth: Int
    /// Of those, given up: the queue was full, Redis refused, or the process ended.
    package let dropped: Int
    /// Decisions that came when this process had decided alone.
    package let lateAnswers: Int
    /// Admissions taken back, as nobody knows what became of them or nobody wants them any more.
    package let cancellations: Int
    /// Admissions decided without Redis.
    package let fallbackAdmissions: Int
    /// Calls without a usable answer in time.
    package let errors: Int
    /// Refusals that were given again without asking Redis.
    package let rememberedRefusals: Int
}

/// Makes the replicas of a gateway hold their limits as one: what a process has of it, for all its event loops.
///
/// Redis decides while it answers in time; else each process decides alone, as `whenUnavailable` says, and tells Redis later
/// what was used. Redis need not be there when the process starts.
package final class FleetCoordination: Sendable {
    private let configuration: CoordinationConfiguration
    private let redis: RedisConfiguration
    private let state: FleetState
    private let coordinators = NIOLockedValueBox<[RedisCoordinator]>([])

    /// For admissions: beats renew leases and slots.
    package static let leaseTerms = LeaseTerms.standard
    /// What was not acknowledged this long after the end began is given up.
    package static let longestDrain = TimeAmount.seconds(2)

    /// - Parameter observe: called on any event loop; must not block.
    /// - Throws: NIOSSL's error when the file of certificates cannot be read.
    package convenience init(
        _ configuration: CoordinationConfiguration,
        observe: @escaping @Sendable (CoordinationEvent) -> Void
    ) throws {
        try self.init(configuration, local: LocalCoordinator(), observe: observe)
    }

    init(
        _ configuration: CoordinationConfiguration,
        local: LocalCoordinator,
        observe: @escaping @Sendable (CoordinationEvent) -> Void
    ) throws {
        self.configuration = configuration
        redis = try configuration.makeRedisConfiguration()
        let fallback = FallbackCoordinator(
            configuration.whenUnavailable,
            assumedReplicas: configuration.assumedReplicas,
            local: local
        )
        state = FleetState(fallback: fallback, observe: observe)
    }

    /// The coordinator of an event loop, which begins to connect; asked for once per loop.
    package func coordinator(on eventLoop: any EventLoop) -> any Coordinator {
        let coordinator = RedisCoordinator(configuration, redis, state, eventLoop: eventLoop)
        state.loopAdded(ObjectIdentifier(coordinator))
        coordinators.withLockedValue { $0.append(coordinator) }
        eventLoop.execute { coordinator.start() }
        return coordinator
    }

    var everyCoordinator: [RedisCoordinator] { coordinators.withLockedValue { $0 } }

    /// For questions that are of no event loop.
    var anyCoordinator: RedisCoordinator? { coordinators.withLockedValue { $0.first } }

    /// Shows Redis new credentials, such as a fresh Entra token, on all connections and on those to come.
    package func authenticate(_ credentials: RedisCredentials) {
        for coordinator in coordinators.withLockedValue({ $0 }) {
            coordinator.eventLoop.execute { coordinator.authenticate(credentials) }
        }
    }

    var namespace: String { configuration.namespace }
    var instance: UInt32 { configuration.instance }

    /// How long Redis took, by script.
    package func latencies() async -> [(script: String, latency: Histogram)] {
        var sums = Script.all.map { (script: $0.name, latency: Histogram(bounds: Histogram.lagBounds)) }
        for coordinator in coordinators.withLockedValue({ $0 }) {
            // A loop refuses work only after its shutdown, when there is nothing left to ask.
            let own = try? await coordinator.eventLoop.submit { coordinator.latency }.get()
            for (index, latency) in (own ?? []).enumerated() { sums[index].latency.add(latency) }
        }
        return sums
    }

    func coordinator(of eventLoop: any EventLoop) -> RedisCoordinator? {
        coordinators.withLockedValue { $0.first { $0.eventLoop === eventLoop } }
    }

    package func snapshot() -> CoordinationSnapshot {
        CoordinationSnapshot(
            mode: state.mode,
            fleetSize: Int(state.fallback.fleetSize),
            queueDepth: state.counters.queueDepth.value,
            dropped: state.counters.dropped.value,
            lateAnswers: state.counters.lateAnswers.value,
            cancellations: state.counters.cancellations.value,
            fallbackAdmissions: state.counters.fallbackAdmissions.value,
            errors: state.counters.errors.value,
            rememberedRefusals: state.counters.rememberedRefusals.value
        )
    }

    /// Tells Redis what it has not acknowledged yet, and closes the connections; the event loops must still run.
    ///
    /// What is left at the deadline, or after `longestDrain`, goes to the observer. Decisions are made alone from then on.
    package func drain(until deadline: NIODeadline) async {
        let deadline = min(deadline, .now() + Self.longestDrain)
        await withTaskGroup(of: Void.self) { group in
            for coordinator in coordinators.withLockedValue({ $0 }) {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        coordinator.eventLoop.execute {
                            coordinator.drain(until: deadline) { continuation.resume() }
                        }
                    }
                }
            }
        }
    }
}
