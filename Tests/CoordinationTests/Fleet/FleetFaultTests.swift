import Glibc
import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// What a replica does while Redis is ill or away, and when it is back.
@Suite(.serialized) struct FleetFaultTests {
    static let limits = ClientLimits(
        requests: Make.rate(1, burst: 100),
        tokens: Make.rate(1, burst: 100_000),
        concurrency: 100
    )

    static func proxied(_ proxy: FaultProxy) -> CoordinationConfiguration {
        TestFleet.configuration(proxy.port)
    }

    /// Nothing of what was admitted is left: full buckets, no slots.
    static func expectNothingHeld(_ server: RedisServer) throws {
        #expect(try server.slots() == 0)
        if let levels = try server.levels() {
            #expect(levels.requests == 100 * Bucket.unit)
            #expect(levels.tokens == 100_000 * Bucket.unit)
        }
    }

    // MARK: the deadline

    @Test func aBlackholeCostsTheDeadlineAndNotMore() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                try await withFleet(Self.proxied(proxy)) { fleet in
                    try await fleet.becomesShared()
                    proxy.fault = .blackhole
                    let scope = Make.scope(Self.limits)
                    for sequence in 1...10 as ClosedRange<UInt64> {
                        let answer = try await fleet.timedAdmit(Make.admission(sequence, [scope]))
                        #expect(answer.behindTimer <= .milliseconds(10))
                        #expect(answer.decision.reservation?.authority == .local)
                    }
                    #expect(fleet.snapshot.fallbackAdmissions == 10)
                    #expect(fleet.snapshot.errors >= 5, "the breaker opens after five")
                    proxy.fault = .none
                    try await fleet.becomesShared()
                    try await fleet.queueEmpties()
                    #expect(fleet.snapshot.cancellations >= 4, "all of unknown outcome; a beat may be the fifth")
                    try Self.expectNothingHeld(server)
                }
            }
        }
    }

    @Test func whatAStoppedServerAdmitsTooLateIsCancelled() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(Self.limits)
                server.signal(SIGSTOP)
                let answer = try await fleet.timedAdmit(Make.admission(1, estimate: 5000, [scope]))
                #expect(answer.behindTimer <= .milliseconds(10))
                #expect(answer.decision.reservation?.authority == .local)
                #expect(fleet.snapshot.cancellations == 0, "the answer may still come")
                server.signal(SIGCONT)
                try await eventually("the late answer comes") { fleet.snapshot.lateAnswers == 1 }
                try await fleet.queueEmpties()
                #expect(fleet.snapshot.cancellations == 1)
                #expect(try server.levels() != nil, "it had been admitted")
                try Self.expectNothingHeld(server)
                #expect(try await fleet.live() == 0)
            }
        }
    }

    @Test func aPausedServerCostsTheDeadlineAndGetsEverythingBack() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(Self.limits)
                try server.command("CLIENT", "PAUSE", "400", "ALL")
                let answer = try await fleet.timedAdmit(Make.admission(1, [scope]))
                #expect(answer.behindTimer <= .milliseconds(10))
                #expect(answer.decision.reservation?.authority == .local)
                try await eventually("the late answer comes") { fleet.snapshot.lateAnswers == 1 }
                try await fleet.queueEmpties()
                try Self.expectNothingHeld(server)
            }
        }
    }

    @Test func aResetWithAnAdmissionOnItsWayIsDecidedHereAndTakenBackThere() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                try await withFleet(Self.proxied(proxy)) { fleet in
                    try await fleet.becomesShared()
                    let scope = Make.scope(Self.limits)
                    // What is sent next is reset: mostly the admission, now and then a beat that comes before it.
                    for number in 1...20 where fleet.snapshot.cancellations == 0 {
                        proxy.fault = .reset
                        let admission = Make.admission(UInt64(number), [scope])
                        #expect(try await fleet.admit(admission).reservation?.authority == .local)
                        proxy.fault = .none
                        try await fleet.becomesShared()
                        try await fleet.queueEmpties()
                    }
                    #expect(fleet.snapshot.cancellations == 1)
                    try Self.expectNothingHeld(server)
                }
            }
        }
    }

    // MARK: usage, exactly once

    @Test(arguments: [NetworkFault.halfClose, .cut(after: 0), .reset])
    func aSettlementWhoseAnswerIsLostCountsOnce(fault: NetworkFault) async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                try await withFleet(Self.proxied(proxy)) { fleet in
                    try await fleet.becomesShared()
                    let admission = Make.admission(1, estimate: 100, [Make.scope(Self.limits)])
                    let reservation = try #require(try await fleet.admit(admission).reservation)
                    proxy.fault = fault
                    try await fleet.settle(Make.end(admission, reservation))
                    try await eventually("the connection is cut") { fleet.snapshot.mode != .shared }
                    #expect(fleet.outcomes.isEmpty)
                    proxy.fault = .none
                    try await fleet.becomesShared()
                    try await fleet.queueEmpties()
                    #expect(fleet.outcomes == [admission.lease: fault == .reset ? .applied : .alreadyApplied])
                    #expect(try server.usage() == ["req": 1, "in": 70, "out": 20])
                    #expect(try server.slots() == 0)
                    #expect(try #require(try server.levels()).tokens / Bucket.unit == 100_000 - 90)
                }
            }
        }
    }

    @Test(arguments: [NetworkFault.halfClose, .cut(after: 0), .reset])
    func whatWasDecidedHereCountsOnceThere(fault: NetworkFault) async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                try await withFleet(Self.proxied(proxy)) { fleet in
                    try await fleet.becomesShared()
                    // Admitted by Redis too, which is taken back: neither hides the other.
                    let admission = Make.admission(1, [Make.scope(Self.limits)])
                    proxy.fault = .cut(after: 0)
                    let reservation = try #require(try await fleet.admit(admission).reservation)
                    #expect(reservation.authority == .local)
                    proxy.fault = .none
                    try await fleet.becomesShared()
                    try await fleet.queueEmpties()
                    proxy.fault = fault
                    try await fleet.settle(Make.end(admission, reservation))
                    try await eventually("the connection is cut") { fleet.snapshot.mode != .shared }
                    #expect(fleet.outcomes == [admission.lease: .applied], "by this process, which decided")
                    proxy.fault = .none
                    try await fleet.becomesShared()
                    try await fleet.queueEmpties()
                    #expect(try server.usage() == ["req": 1, "in": 70, "out": 20])
                    #expect(try server.slots() == 0)
                    let levels = try #require(try server.levels(), "what passed alone is charged, once")
                    #expect(levels.requests / Bucket.unit == 99)
                    #expect(levels.tokens / Bucket.unit == 100_000 - 90)
                }
            }
        }
    }

    @Test func aNetworkThatFailsInManyWaysLosesNothingAndCountsNothingTwice() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                var configuration = Self.proxied(proxy)
                configuration.beatInterval = .milliseconds(20)
                configuration.breaker.firstOpening = .milliseconds(20)
                configuration.breaker.longestOpening = .milliseconds(50)
                configuration.whenUnavailable = .open
                try await withFleet(configuration) { fleet in
                    try await fleet.becomesShared()
                    let faults: [NetworkFault] = [
                        .reset, .cut(after: 0), .blackhole, .halfClose, .delay(.milliseconds(100)), .cut(after: 7),
                        .none,
                    ]
                    let scope = Make.scope(ClientLimits(concurrency: 1000))
                    var byAuthority: [Authority: Int] = [:]
                    var sequence: UInt64 = 0
                    for fault in faults {
                        proxy.fault = .none
                        try await fleet.becomesShared()
                        proxy.fault = fault
                        for _ in 1...20 {
                            sequence += 1
                            let admission = Make.admission(sequence, [scope])
                            let reservation = try #require(try await fleet.admit(admission).reservation)
                            byAuthority[reservation.authority, default: 0] += 1
                            try await fleet.settle(Make.end(admission, reservation))
                        }
                    }
                    try await fleet.queueEmpties()
                    // How many of each depends on how busy the machine is.
                    #expect(byAuthority[.shared, default: 0] > 0 && byAuthority[.nobody, default: 0] >= 20)
                    #expect(try server.usage()["req"] == Int(sequence))
                    #expect(try server.usage()["in"] == 70 * Int(sequence))
                    #expect(try server.slots() == 0)
                    #expect(try await fleet.live() == 0)
                    #expect(fleet.snapshot.dropped == 0)
                }
            }
        }
    }

    // MARK: away

    @Test func aReplicaStartsWithoutRedisAndFindsItLater() async throws {
        try await withRedis { server in
            server.kill()
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                let admission = Make.admission(1, [Make.scope(Self.limits)])
                let reservation = try #require(try await fleet.admit(admission).reservation)
                #expect(reservation.authority == .local)
                try await fleet.settle(Make.end(admission, reservation))
                #expect(fleet.snapshot.queueDepth == 1)
                #expect(fleet.snapshot.fleetSize == 10, "as assumed")
                try await eventually("it is told that Redis is away") { !fleet.modes.isEmpty }
                try await server.restart()
                try await fleet.becomesShared()
                try await fleet.queueEmpties()
                #expect(try server.usage() == ["req": 1, "in": 70, "out": 20])
                #expect(fleet.modes == [.degraded(.connectFailed), .shared])
                try await eventually("the fleet is counted") { fleet.snapshot.fleetSize == 1 }
                #expect(try await fleet.admit(Make.admission(2)).reservation?.authority == .shared)
            }
        }
    }

    @Test func aServerThatIsKilledAndComesBackEmptyCountsWhatWasMeanwhile() async throws {
        try await withRedis { server in
            try await withFleet(TestFleet.configuration(server.port)) { fleet in
                try await fleet.becomesShared()
                let scope = Make.scope(Self.limits)
                let first = Make.admission(1, [scope])
                let before = try #require(try await fleet.admit(first).reservation)
                server.kill()
                try await eventually("it notices") { fleet.snapshot.mode != .shared }
                let second = Make.admission(2, [scope])
                let during = try #require(try await fleet.admit(second).reservation)
                #expect((before.authority, during.authority) == (.shared, .local))
                try await fleet.settle(Make.end(first, before))
                try await fleet.settle(Make.end(second, during))
                #expect(fleet.snapshot.queueDepth == 2)
                try await server.restart()
                try await fleet.becomesShared()
                try await fleet.queueEmpties()
                #expect(fleet.outcomes[first.lease] == .appliedLate)
                #expect(try server.usage() == ["req": 2, "in": 140, "out": 40])
                #expect(try server.slots() == 0)
            }
        }
    }

    @Test func aWrongPasswordIsToldOnceAndMended() async throws {
        try await withRedis(password: "right") { server in
            var configuration = TestFleet.configuration(server.port)
            configuration.credentials = RedisCredentials(password: "wrong")
            try await withFleet(configuration) { fleet in
                try await eventually("it is told") { !fleet.modes.isEmpty }
                #expect(fleet.modes == [.degraded(.wrongPassword)])
                #expect(try await fleet.admit(Make.admission(1)).reservation?.authority == .local)
                fleet.coordination.authenticate(RedisCredentials(password: "right"))
                try await fleet.becomesShared()
                #expect(fleet.modes == [.degraded(.wrongPassword), .shared])
                #expect(try await fleet.admit(Make.admission(2)).reservation?.authority == .shared)
            }
        }
    }

    @Test func aServerThatIsNoRedisOfOursIsNotBelieved() async throws {
        let server = try await ScriptedRedis.start(
            Answers { command, _ in ScriptedRedis.prepare(command) ?? "*2\r\n:0\r\n:1\r\n" }
        )
        try await withFleet(TestFleet.configuration(server.port)) { fleet in
            try await fleet.becomesShared()
            try await eventually("something is asked and its answer refused") {
                _ = try await fleet.admit(Make.admission(UInt64.random(in: 1...1_000_000)))
                return fleet.snapshot.errors > 0
            }
            #expect(fleet.modes.contains(.degraded(.protocolViolation)))
        }
        try await server.stop()
    }
}
