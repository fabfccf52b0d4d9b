import NIOConcurrencyHelpers
import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// What a replica does with answers that a real Redis is hard to bring to give.
@Suite struct FleetScriptedTests {
    /// A server that admits everything; `settled` is the answer to each attempt to settle, by its number from one.
    private static func withFleet(
        _ settled: @escaping @Sendable (Int) -> String,
        _ body: (TestFleet, _ attempts: () -> Int) async throws -> Void
    ) async throws {
        let asked = NIOLockedValueBox(0)
        let server = try await ScriptedRedis.start(
            Answers { command, _ in
                if let answer = ScriptedRedis.prepare(command) { return answer }
                if command.contains(Script.beat.digest) { return "*4\r\n:0\r\n:1\r\n:3\r\n:0\r\n" }
                if command.contains(Script.admit.digest) {
                    return "*6\r\n:0\r\n:1\r\n:0\r\n:0\r\n:0\r\n:0\r\n"
                }
                return settled(
                    asked.withLockedValue { count in
                        count += 1
                        return count
                    }
                )
            }
        )
        do {
            try await CoordinationTests.withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                try await body(fleet) { asked.withLockedValue { $0 } }
            }
        } catch {
            try? await server.stop()
            throw error
        }
        try await server.stop()
    }

    private static func settleOne(_ fleet: TestFleet) async throws -> Settlement {
        let admission = Make.admission()
        let reservation = try #require(try await fleet.admit(admission).reservation)
        let settlement = Make.end(admission, reservation)
        try await fleet.settle(settlement)
        try await fleet.queueEmpties()
        return settlement
    }

    @Test func aSettlementThatRedisRefusesThreeTimesIsGivenUpAndTold() async throws {
        let refused: @Sendable (Int) -> String = { _ in "-ERR malformed settlement\r\n" }
        try await Self.withFleet(refused) { fleet, attempts in
            let settlement = try await Self.settleOne(fleet)
            #expect(attempts() == 3)
            #expect(fleet.outcomes == [settlement.lease: .dropped])
            #expect(fleet.events.contains(.settlementDropped(settlement)))
            #expect(fleet.snapshot.dropped == 1)
        }
    }

    @Test func aRedisWithoutMemoryIsAskedAgain() async throws {
        let full = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
        let settled: @Sendable (Int) -> String = { $0 < 5 ? full : ":1\r\n" }
        try await Self.withFleet(settled) { fleet, attempts in
            let settlement = try await Self.settleOne(fleet)
            #expect(attempts() == 5)
            #expect(fleet.outcomes == [settlement.lease: .applied])
            #expect(fleet.modes == [.shared])
            #expect(fleet.snapshot.fleetSize == 3)
        }
    }

    @Test func anAnswerOfTheWrongShapeEndsTheConnectionAndNotTheSettlement() async throws {
        let settled: @Sendable (Int) -> String = { $0 == 1 ? "+OK\r\n" : ":0\r\n" }
        try await Self.withFleet(settled) { fleet, attempts in
            let settlement = try await Self.settleOne(fleet)
            #expect(attempts() == 2)
            #expect(fleet.outcomes == [settlement.lease: .alreadyApplied])
            #expect(fleet.modes.prefix(2) == [.shared, .degraded(.protocolViolation)])
        }
    }
}
