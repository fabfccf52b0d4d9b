import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport

@testable import Coordination

/// One replica with one event loop, for tests that run elsewhere.
final class TestFleet: Sendable {
    struct Admitted: Sendable {
        let decision: AdmissionDecision
        /// How much later it came than a bare timer of the same loop rang that was set to the deadline.
        let behindTimer: TimeAmount
    }

    let coordination: FleetCoordination
    let eventLoop: any EventLoop
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let coordinator: NIOLoopBoundBox<any Coordinator>
    private let deadline: TimeAmount
    private let eventsSoFar: NIOLockedValueBox<[CoordinationEvent]>
    private let outcomesSoFar = NIOLockedValueBox<[LeaseID: SettlementOutcome]>([:])

    static func configuration(_ port: Int, instance: UInt32 = 0xAB) -> CoordinationConfiguration {
        CoordinationConfiguration(address: RedisAddress(host: "127.0.0.1", port: port), instance: instance)
    }

    init(_ configuration: CoordinationConfiguration) async throws {
        let events = NIOLockedValueBox<[CoordinationEvent]>([])
        eventsSoFar = events
        deadline = configuration.deadline
        let coordination = try FleetCoordination(configuration) { event in events.withLockedValue { $0.append(event) } }
        let eventLoop = group.next()
        self.coordination = coordination
        self.eventLoop = eventLoop
        coordinator = try await eventLoop.submit {
            NIOLoopBoundBox(coordination.coordinator(on: eventLoop), eventLoop: eventLoop)
        }.get()
    }

    var events: [CoordinationEvent] { eventsSoFar.withLockedValue { $0 } }

    var modes: [CoordinationMode] {
        events.compactMap { if case .modeChanged(let mode) = $0 { mode } else { nil } }
    }

    /// Settlements whose end was told.
    var outcomes: [LeaseID: SettlementOutcome] { outcomesSoFar.withLockedValue { $0 } }

    var snapshot: CoordinationSnapshot { coordination.snapshot() }

    func becomesShared() async throws {
        try await eventually("the replica decides through Redis", within: 30) { snapshot.mode == .shared }
    }

    func queueEmpties() async throws {
        try await eventually("all is told to Redis", within: 30) { snapshot.queueDepth == 0 }
    }

    func admit(_ admission: Admission) async throws -> AdmissionDecision {
        let promise = eventLoop.makePromise(of: AdmissionDecision.self)
        eventLoop.execute { [coordinator] in coordinator.value.admit(admission) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    /// Returns when it was asked; cancels what is admitted, and then keeps the promise.
    func admitAndCancel(_ admission: Admission, _ decided: EventLoopPromise<Void>) async throws {
        try await eventLoop.submit { [coordinator] in
            coordinator.value.admit(admission) { decision in
                if let authority = decision.reservation?.authority {
                    coordinator.value.cancel(Cancellation(admission, authority: authority)) { _ in }
                }
                decided.succeed()
            }
        }.get()
    }

    func timedAdmit(_ admission: Admission) async throws -> Admitted {
        let promise = eventLoop.makePromise(of: Admitted.self)
        eventLoop.execute { [coordinator, deadline] in
            let timer = coordinator.eventLoop.scheduleTask(in: deadline) { NIODeadline.now() }
            let due = NIODeadline.now() + deadline
            coordinator.value.admit(admission) { decision in
                let now = NIODeadline.now()
                timer.futureResult.whenSuccess { rang in
                    promise.succeed(Admitted(decision: decision, behindTimer: now - max(rang, due)))
                }
            }
        }
        return try await promise.futureResult.get()
    }

    func reroute(_ reroute: Reroute) async throws -> RerouteDecision {
        let promise = eventLoop.makePromise(of: RerouteDecision.self)
        eventLoop.execute { [coordinator] in coordinator.value.reroute(reroute) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    /// Returns when it was handed over; `outcomes` says later what became of it.
    func settle(_ settlement: Settlement) async throws {
        try await eventLoop.submit { [coordinator, outcomesSoFar] in
            coordinator.value.settle(settlement) { outcome in
                outcomesSoFar.withLockedValue {
                    precondition($0[settlement.lease] == nil, "an outcome is told once")
                    $0[settlement.lease] = outcome
                }
            }
        }.get()
    }

    func cancel(_ cancellation: Cancellation) async throws {
        try await eventLoop.submit { [coordinator] in coordinator.value.cancel(cancellation) { _ in } }.get()
    }

    /// What is known of the leases that Redis holds for this loop.
    func live() async throws -> Int {
        try await eventLoop.submit { [coordinator] in (coordinator.value as? RedisCoordinator)?.live.count ?? -1 }.get()
    }

    func end() async throws {
        await coordination.drain(until: .now() + .seconds(2))
        try await group.shutdownGracefully()
    }
}

/// Runs a test with a replica and ends it, whatever happens.
func withFleet(_ configuration: CoordinationConfiguration, _ body: (TestFleet) async throws -> Void) async throws {
    let fleet = try await TestFleet(configuration)
    do {
        try await body(fleet)
    } catch {
        try? await fleet.end()
        throw error
    }
    try await fleet.end()
}

extension Make {
    static let day = 20_260_331

    static func usage(input: Int64 = 70, output: Int64 = 20) -> Usage {
        Usage(
            day: day,
            client: ScopeID(client: "team-a"),
            deployment: candidate().id,
            counts: Usage.Counts(requests: 1, input: input, output: output)
        )
    }

    /// The end of what was admitted, with one request of 90 tokens.
    static func end(
        _ admission: Admission,
        _ reservation: Reservation,
        actual: Int64? = 90,
        usage: Usage? = usage()
    ) -> Settlement {
        Settlement(
            lease: admission.lease,
            estimate: admission.estimate,
            actual: actual,
            admitted: reservation.time,
            scopes: admission.scopes,
            deployment: admission.candidates[reservation.candidate],
            succeeded: true,
            usage: usage,
            authority: reservation.authority
        )
    }
}

extension RedisServer {
    /// What Redis has counted for the client of `Make.usage`: requests and tokens of prompts.
    func usage() throws -> [String: Int] {
        let reply = try command("HGETALL", "{0}:v1:u:\(Make.day):team-a").array ?? []
        var counts: [String: Int] = [:]
        for index in stride(from: 0, to: reply.count - 1, by: 2) {
            let field = reply[index].text ?? ""
            counts[String(field.split(separator: ":").last ?? "")] = Int(reply[index + 1].text ?? "")
        }
        return counts
    }

    /// Slots of the client `team-a` that are taken.
    func slots() throws -> Int64? { try command("ZCARD", "{0}:v1:cl:team-a").integer }

    /// What is left of the client's limits, in units of `Bucket`; `nil` for a bucket that nobody used.
    func levels() throws -> Levels? {
        guard case .string(let bytes) = try command("GET", "{0}:v1:c:team-a") else { return nil }
        var buffer = ByteBuffer(bytes: bytes)
        guard let numbers = buffer.readMultipleIntegers(endianness: .little, as: (Int64, Int64, Int64).self) else {
            return nil
        }
        return Levels(requests: numbers.1, tokens: numbers.2)
    }
}
