import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// What becomes of what Redis has to be told when a replica ends.
extension FleetFaultTests {
    @Test func whatIsLeftAtTheEndIsHandedOver() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let admission = Make.admission(1, [Make.scope(Self.limits)])
                let reservation = try #require(try await fleet.admit(admission).reservation)
                server.kill()
                try await eventually("it notices") { fleet.snapshot.mode != .shared }
                let settlement = Make.end(admission, reservation)
                try await fleet.settle(settlement)
                await fleet.coordination.drain(until: .now() + .milliseconds(50))
                #expect(fleet.events.contains(.settlementDropped(settlement)))
                #expect(fleet.outcomes == [admission.lease: .dropped])
                #expect(fleet.snapshot.dropped == 1 && fleet.snapshot.queueDepth == 0)
                let late = Make.end(Make.admission(2), reservation)
                try await fleet.settle(late)
                #expect(fleet.outcomes[late.lease] == .dropped, "nothing is taken after the end")
            }
        }
    }

    @Test func theEndTakesBackWhatIsAdmittedForSomebodyWhoIsGone() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                var configuration = Self.proxied(proxy)
                configuration.deadline = .seconds(2)
                try await withFleet(configuration) { fleet in
                    try await fleet.becomesShared()
                    proxy.fault = .delay(.milliseconds(200))
                    let admission = Make.admission(1, [Make.scope(Self.limits)])
                    // As an exchange does whose client has left meanwhile.
                    let decided = fleet.eventLoop.makePromise(of: Void.self)
                    try await fleet.admitAndCancel(admission, decided)
                    await fleet.coordination.drain(until: .now() + .seconds(2))
                    try await decided.futureResult.get()
                    #expect(fleet.snapshot.dropped == 0)
                    try Self.expectNothingHeld(server)
                }
            }
        }
    }

    @Test func theEndWaitsUntilRedisHasBeenTold() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                try await withFleet(Self.proxied(proxy)) { fleet in
                    try await fleet.becomesShared()
                    let admission = Make.admission(1, [Make.scope(Self.limits)])
                    let reservation = try #require(try await fleet.admit(admission).reservation)
                    proxy.fault = .delay(.milliseconds(200))
                    try await fleet.settle(Make.end(admission, reservation))
                    await fleet.coordination.drain(until: .now() + .seconds(2))
                    #expect(fleet.outcomes == [admission.lease: .applied])
                    #expect(try server.usage()["req"] == 1)
                }
            }
        }
    }
}
