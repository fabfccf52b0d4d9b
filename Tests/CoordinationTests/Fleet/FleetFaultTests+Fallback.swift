import Glibc
import NIOCore
import TestSupport
import Testing
@testable import Coordination

// What is decided without Redis, and what becomes of it later.
extension FleetFaultTests {
    @Test func aShareIsNotHandedOutAgainWheneverRedisComesAndGoes() async throws {
        try await withRedis { server in
            var configuration = TestFleet.configuration(server.port)
            configuration.assumedReplicas = 4
            server.kill()
            try await withFleet(configuration) { fleet in
                let scope = Make.scope(ClientLimits(requests: Make.rate(1, burst: 8)))
                var sequence: UInt64 = 0
                func admitted(_ count: Int) async throws -> Int {
                    var admitted = 0
                    for _ in 0..<count {
                        sequence += 1
                        let decision = try await fleet.admit(Make.admission(sequence, [scope]))
                        if decision.reservation?.authority == .local { admitted += 1 }
                    }
                    return admitted
                }
                #expect(try await admitted(8) == 2, "a quarter of the burst")
                try await server.restart()
                try await fleet.becomesShared()
                try await eventually("the fleet is counted") { fleet.snapshot.fleetSize == 1 }
                server.kill()
                try await eventually("it notices") { fleet.snapshot.mode != .shared }
                #expect(try await admitted(8) == 0, "the bucket is as empty as it was left")
            }
        }
    }

    @Test func openLetsEverythingPassAndCountsItLater() async throws {
        try await withRedis { server in
            var configuration = TestFleet.configuration(server.port)
            configuration.whenUnavailable = .open
            server.kill()
            try await withFleet(configuration) { fleet in
                let scope = Make.scope(ClientLimits(requests: Make.rate(1, burst: 1)))
                for sequence in 1...3 as ClosedRange<UInt64> {
                    let admission = Make.admission(sequence, [scope])
                    let reservation = try #require(try await fleet.admit(admission).reservation)
                    #expect(reservation.authority == .nobody)
                    #expect(reservation.levels.count == 1)
                    try await fleet.settle(Make.end(admission, reservation))
                }
                try await server.restart()
                try await fleet.becomesShared()
                try await fleet.queueEmpties()
                #expect(try server.usage()["req"] == 3)
            }
        }
    }

    @Test func closedRefusesEverything() async throws {
        var configuration = TestFleet.configuration(try await Self.nobodyListens())
        configuration.whenUnavailable = .closed
        try await withFleet(configuration) { fleet in
            let decision = try await fleet.admit(Make.admission())
            #expect(decision == .unavailable)
        }
    }

    /// A port that was in use a moment ago.
    private static func nobodyListens() async throws -> Int {
        let server = try await RedisServer.start()
        defer { server.remove() }
        return server.port
    }

    @Test func aLeaseOfRedisFindsAnotherDeploymentHereAndIsSettledInBoth() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let names = ["a", "b", "c"].map { Make.candidate($0, DeploymentLimits(concurrency: 1)) }
                let admission = Make.admission(1, [Make.scope(Self.limits)], on: names)
                let reservation = try #require(try await fleet.admit(admission).reservation)
                server.kill()
                try await eventually("it notices") { fleet.snapshot.mode != .shared }
                for (failed, next) in [(0, 1), (1, 2)] {
                    let decision = try await fleet.reroute(
                        Make.reroute(admission, from: names[failed], .serverError, to: [names[next]])
                    )
                    guard case .rerouted(let moved) = decision else {
                        Issue.record("not rerouted: \(decision)")
                        return
                    }
                    #expect(moved.authority == .shared)
                }
                try await fleet.settle(
                    Settlement(
                        lease: admission.lease,
                        estimate: admission.estimate,
                        actual: 90,
                        admitted: reservation.time,
                        scopes: admission.scopes,
                        deployment: names[2],
                        succeeded: true,
                        usage: Make.usage(),
                        authority: .shared
                    )
                )
                // Its slot at the last deployment is free here.
                #expect(try await fleet.admit(Make.admission(2, on: [names[2]])).reservation?.authority == .local)
                try await server.restart()
                try await fleet.becomesShared()
                try await fleet.queueEmpties()
                #expect(try server.usage()["req"] == 1)
            }
        }
    }

    @Test func whatIsGivenBackForALeaseOfRedisIsNotMintedHere() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                try await eventually("the fleet is counted") { fleet.snapshot.fleetSize == 1 }
                let scope = Make.scope(ClientLimits(tokens: Make.rate(1, burst: 1000)))
                let (bad, good) = (Make.candidate("bad"), Make.candidate("good"))
                let admission = Make.admission(1, estimate: 500, [scope], on: [bad, good])
                let reservation = try #require(try await fleet.admit(admission).reservation)
                server.kill()
                try await eventually("it notices") { fleet.snapshot.mode != .shared }
                let all = try await fleet.admit(Make.admission(2, estimate: 500, [scope]))
                #expect(all.reservation != nil)
                _ = try await fleet.reroute(Make.reroute(admission, from: bad, .serverError, to: [good]))
                try await fleet.settle(Make.end(admission, reservation, actual: 1))
                let more = try await fleet.admit(Make.admission(3, estimate: 400, [scope]))
                #expect(more.refusal?.reason == .client(scope: 0, .tokens))
            }
        }
    }
}
