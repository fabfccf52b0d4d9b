import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// Replicas that share a real Redis in good health.
@Suite(.serialized) struct FleetTests {
    @Test func anExchangeIsAdmittedSettledAndCountedThroughRedis() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(ClientLimits(tokens: Make.rate(1, burst: 1000), concurrency: 1))
                let admission = Make.admission(1, estimate: 100, [scope])
                let reservation = try #require(try await fleet.admit(admission).reservation)
                #expect(reservation.authority == .shared)
                #expect(try server.slots() == 1)
                #expect(try await fleet.live() == 1)
                try await fleet.settle(Make.end(admission, reservation))
                try await fleet.queueEmpties()
                #expect(fleet.outcomes == [admission.lease: .applied])
                #expect(try server.slots() == 0)
                #expect(try server.usage() == ["req": 1, "in": 70, "out": 20])
                #expect(try #require(try server.levels()).tokens / Bucket.unit == 910)
                #expect(try await fleet.live() == 0)
                #expect(fleet.modes == [.shared])
                try await eventually("the fleet is counted") { fleet.snapshot.fleetSize == 1 }
            }
        }
    }

    @Test func twoReplicasHoldOneLimit() async throws {
        try await withRedis { server in
            var configuration = TestFleet.configuration(server.port, instance: 1)
            configuration.beatInterval = .milliseconds(50)
            var second = configuration
            second.instance = 2
            try await withFleet(configuration) { one in
                try await withFleet(second) { other in
                    try await one.becomesShared()
                    try await other.becomesShared()
                    let scope = Make.scope(ClientLimits(requests: Make.rate(1, burst: 10)))
                    var admitted = 0
                    for sequence in 1...20 as ClosedRange<UInt64> {
                        let fleet = sequence.isMultiple(of: 2) ? one : other
                        let decision = try await fleet.admit(Make.admission(sequence, [scope]))
                        if decision.reservation != nil { admitted += 1 } else { #expect(decision.refusal != nil) }
                    }
                    #expect(admitted == 10)
                    #expect(one.snapshot.fallbackAdmissions + other.snapshot.fallbackAdmissions == 0)
                    try await eventually("both count both") {
                        one.snapshot.fleetSize == 2 && other.snapshot.fleetSize == 2
                    }
                }
            }
        }
    }

    @Test func aFailedDeploymentIsLeftThroughRedis() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let (bad, good) = (Make.candidate("bad"), Make.candidate("good"))
                let admission = Make.admission(on: [bad, good])
                _ = try await fleet.admit(admission)
                let decision = try await fleet.reroute(
                    Make.reroute(admission, from: bad, .serverError, cooldown: 5000, to: [good])
                )
                guard case .rerouted(let reservation) = decision else {
                    Issue.record("not rerouted: \(decision)")
                    return
                }
                #expect(reservation.authority == .shared)
                // Another exchange sees the cooldown.
                let next = try await fleet.admit(Make.admission(2, on: [bad, good])).reservation
                #expect(next?.candidate == 1)
                #expect((next?.cooldowns.first ?? 0) > 0)
            }
        }
    }

    @Test func aCancelledAdmissionGivesEverythingBack() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(ClientLimits(tokens: Make.rate(1, burst: 1000), concurrency: 1))
                let admission = Make.admission(1, estimate: 600, [scope])
                #expect(try await fleet.admit(admission).reservation != nil)
                try await fleet.cancel(Cancellation(admission, authority: .shared))
                try await fleet.queueEmpties()
                #expect(try server.slots() == 0)
                #expect(try #require(try server.levels()).tokens == 1000 * Bucket.unit)
                #expect(fleet.snapshot.cancellations == 1)
                #expect(try await fleet.live() == 0)
            }
        }
    }

    @Test func beatsRenewMoreLeasesThanFitInOne() async throws {
        try await withRedis { server in
            var configuration = TestFleet.configuration(server.port)
            configuration.beatInterval = .milliseconds(50)
            try await withFleet(configuration) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(ClientLimits(concurrency: 1000))
                let count = Beat.mostLeases + 44
                for sequence in 1...UInt64(count) { _ = try await fleet.admit(Make.admission(sequence, [scope])) }
                #expect(try server.slots() == Int64(count))
                func earliest() throws -> Int {
                    let first = try server.command("ZRANGE", "{0}:v1:cl:team-a", "0", "0", "WITHSCORES").array
                    return Int(first?.last?.text ?? "") ?? 0
                }
                let latest = try server.command("ZRANGE", "{0}:v1:cl:team-a", "-1", "-1", "WITHSCORES").array
                let before = Int(latest?.last?.text ?? "") ?? 0
                try await eventually("the first that would run out was renewed") { try earliest() > before }
            }
        }
    }

    @Test func aRedisThatLostEverythingGetsTheSlotsBackAndTheUsage() async throws {
        try await withRedis { server in
            var configuration = TestFleet.configuration(server.port)
            configuration.beatInterval = .milliseconds(50)
            try await withFleet(configuration) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(ClientLimits(concurrency: 5))
                let admission = Make.admission(1, [scope])
                let reservation = try #require(try await fleet.admit(admission).reservation)
                server.kill()
                try await eventually("the replica notices") { fleet.snapshot.mode != .shared }
                try await server.restart()
                try await fleet.becomesShared()
                try await eventually("the slot is back") { try server.slots() == 1 }
                try await fleet.settle(Make.end(admission, reservation))
                try await fleet.queueEmpties()
                #expect(fleet.outcomes == [admission.lease: .applied])
                #expect(try server.slots() == 0)
                #expect(try server.usage()["req"] == 1)
                #expect(fleet.modes.count == 3 && fleet.modes.first == .shared && fleet.modes.last == .shared)
            }
        }
    }

    @Test func forgottenScriptsAreNoticedByNobody() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                for sequence in 1...5 as ClosedRange<UInt64> {
                    try server.command("SCRIPT", "FLUSH")
                    let admission = Make.admission(sequence)
                    let reservation = try #require(try await fleet.admit(admission).reservation)
                    #expect(reservation.authority == .shared)
                    try server.command("SCRIPT", "FLUSH")
                    try await fleet.settle(Make.end(admission, reservation))
                    try await fleet.queueEmpties()
                }
                #expect(try server.usage() == ["req": 5, "in": 350, "out": 100])
                #expect(fleet.modes == [.shared])
            }
        }
    }
}
