import Glibc
import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// Rows of the failure table, with a real redis-server that is ill, or a network that is.
@Suite(.serialized) struct RedisFaultTests {
    private static let deadline = TimeAmount.milliseconds(75)

    /// Every call is answered, at the latest 10 ms after its deadline.
    private static func expectAnswersInTime(
        _ client: TestClient,
        calls: Int = 100
    ) async throws -> [RedisError.Code: Int] {
        var codes: [RedisError.Code: Int] = [:]
        for answer in try await client.hurry(.echo, calls: calls, every: .milliseconds(5), within: deadline) {
            #expect(answer.behindTimer <= .milliseconds(10))
            if let code = answer.outcome.code { codes[code, default: 0] += 1 }
        }
        return codes
    }

    private static func works(_ client: TestClient) async throws {
        try await client.becomesReady(within: 20)
        #expect(try await client.run(.echo, arguments: ["x"]).reply == .string(Array("x".utf8)))
    }

    // MARK: a server that is ill

    @Test func aStoppedServerCostsTheDeadlineAndNotMore() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                let start = NIODeadline.now()
                server.signal(SIGSTOP)
                let codes = try await Self.expectAnswersInTime(client)
                server.signal(SIGCONT)
                #expect(codes[.timedOut, default: 0] > 0)
                #expect(codes[.breakerOpen, default: 0] > codes[.timedOut, default: 0], "most do not wait at all")
                let openings = client.events.filter { if case .breakerOpened = $0 { true } else { false } }.count
                // Each lasts half a second at the least.
                let most = 1 + Int((NIODeadline.now() - start).nanoseconds / 500_000_000)
                #expect((1...most).contains(openings), "told per opening, not per command")
                try await Self.works(client)
            }
        }
    }

    @Test func aLateAnswerFindsItsCall() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                server.signal(SIGSTOP)
                let outcome = try await client.run(.echo, arguments: ["late"], within: Self.deadline)
                guard case .failure(let error) = outcome.result else {
                    Issue.record("a stopped server has answered")
                    return
                }
                #expect(error == .timedOut(mayHaveRun: true))
                #expect(client.late.isEmpty)
                async let next = client.run(.echo, arguments: ["in time"])
                server.signal(SIGCONT)
                #expect(try await next.reply == .string(Array("in time".utf8)))
                #expect(client.late == [.success(.string(Array("late".utf8)))])
                #expect(try await client.on { $0.counters.answeredLate } == 1)
                #expect(try await client.on { $0.counters.connections } == 1)
            }
        }
    }

    @Test func aFullLineRefusesAtOnce() async throws {
        try await withRedis { server in
            var configuration = server.configuration
            configuration.lineLimits.commands = 100
            try await withClient(configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                server.signal(SIGSTOP)
                let outcomes = try await client.runAll((0..<103).map { _ in (.echo, [], ["x"]) }, within: Self.deadline)
                server.signal(SIGCONT)
                #expect(outcomes[..<100].allSatisfy { $0.code == .timedOut })
                #expect(outcomes[100...].allSatisfy { $0.code == .backlog && $0.elapsed < Self.deadline })
                // Every one whose outcome is open hears of it once more: an answer, or that there will be none.
                try await eventually("all are settled") { client.late.count == 100 }
                try await Self.works(client)
            }
        }
    }

    @Test func aPausedServer() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                try server.command("CLIENT", "PAUSE", "400", "ALL")
                #expect(try await client.run(.echo, within: Self.deadline).code == .timedOut)
                try await eventually("the late answer comes") { client.late.count == 1 }
                try await Self.works(client)
            }
        }
    }

    @Test func aServerThatIsKilledAndComesBack() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                server.kill()
                let codes = try await Self.expectAnswersInTime(client)
                #expect(Set(codes.keys).isSubset(of: [.connectionLost, .notConnected, .breakerOpen]))
                try await server.restart()
                try await Self.works(client)
                #expect(client.events.last == .breakerClosed || client.events.last == .ready)
            }
        }
    }

    @Test func aReplicaIsLeftForTheMasterWithinTheDeadline() async throws {
        try await withRedis { old in
            try await withRedis { new in
                try await withFaultProxy(to: old.port) { proxy in
                    var configuration = old.configuration
                    configuration.address.port = proxy.port
                    try await withClient(configuration, scripts: [.write]) { client in
                        try await client.becomesReady()
                        try old.command("REPLICAOF", "127.0.0.1", String(new.port))
                        proxy.backend = new.port
                        let outcomes = try await client.runAll((0..<3).map { (.write, ["{0}:\($0)"], ["v"]) })
                        #expect(outcomes.allSatisfy { $0.reply == .string([UInt8(ascii: "v")]) })
                        #expect(try new.command("DBSIZE") == .integer(3))
                        #expect(try await client.on { $0.counters.connections } == 2)
                        #expect(try await client.on { $0.counters.sentAgain } == 3)
                    }
                }
            }
        }
    }

    @Test func aReplicaThatStaysOneIsReportedAfterOneRetry() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.write, .echo]) { client in
                try await client.becomesReady()
                try server.command("REPLICAOF", "127.0.0.1", "1")
                let outcome = try await client.run(.write, keys: ["a"], arguments: ["v"])
                #expect(outcome.code == .readOnly)
                #expect(try await client.on { $0.counters.connections } >= 2)
                try server.command("REPLICAOF", "NO", "ONE")
                try await Self.works(client)
            }
        }
    }

    @Test func outOfMemoryIsReportedAndIsNoOutage() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.write, .echo]) { client in
                try await client.becomesReady()
                try server.command("CONFIG", "SET", "maxmemory", "1")
                for _ in 0..<10 {
                    guard case .failure(let error) = try await client.run(.write, keys: ["a"], arguments: ["v"]).result
                    else {
                        Issue.record("written")
                        return
                    }
                    #expect(error.code == .outOfMemory)
                    #expect(!error.mayHaveRun)
                }
                #expect(client.events.count == 2, "ready, and one word about the memory")
                try await Self.works(client)
            }
        }
    }

    @Test func aBusyServer() async throws {
        try await withRedis(["--busy-reply-threshold", "1"]) { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                let other = try #require(BlockingSocket(port: server.port))
                _ = other.replies(to: RESPCommand(["EVAL", "while true do end", "0"]).bytes, count: 0)
                try await eventually("Redis is busy") {
                    try await client.run(.echo, arguments: ["x"]).code == .busy
                }
                #expect(try server.command("SCRIPT", "KILL") == .status(Array("OK".utf8)))
                try await eventually("the script is gone") { try server.command("PING").text == "PONG" }
                try await Self.works(client)
            }
        }
    }

    @Test func aServerThatLoads() async throws {
        try await withRedis(["--enable-debug-command", "yes"]) { server in
            try server.command("DEBUG", "POPULATE", "200")
            try server.command("SAVE")
            server.kill()
            let slowly = ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"]
            try await server.restart(slowly, loading: true)
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await eventually("the connection fails") { !client.events.isEmpty }
                #expect(RedisServerTests.failures(client) == [.loading])
                try server.command("CONFIG", "SET", "key-load-delay", "0")
                try await Self.works(client)
            }
        }
    }

    // MARK: a network that is ill

    @Test(arguments: [
        NetworkFault.blackhole, .delay(.milliseconds(200)), .drip(.milliseconds(40)), .reset, .halfClose,
        .cut(after: 2),
        .corrupt(at: 0), .corrupt(at: 1),
    ])
    func answersComeInTimeWhatever(fault: NetworkFault) async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                var configuration = server.configuration
                configuration.address.port = proxy.port
                configuration.preparationTimeout = .milliseconds(200)
                try await withClient(configuration, scripts: [.echo]) { client in
                    try await Self.works(client)
                    proxy.fault = fault
                    let codes = try await Self.expectAnswersInTime(client, calls: 60)
                    let expected: Set<RedisError.Code> =
                        switch fault {
                        case .none: []
                        case .blackhole, .delay, .drip: [.timedOut]
                        case .reset, .halfClose, .cut: [.connectionLost]
                        case .corrupt: [.protocolViolation]
                        }
                    #expect(expected.isSubset(of: codes.keys), "\(codes)")
                    proxy.fault = .none
                    try await Self.works(client)
                }
            }
        }
    }

    @Test(arguments: [NetworkFault.delay(.milliseconds(20)), .drip(.microseconds(500))])
    func slowIsNotDead(fault: NetworkFault) async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                var configuration = server.configuration
                configuration.address.port = proxy.port
                try await withClient(configuration, scripts: [.echo]) { client in
                    try await Self.works(client)
                    proxy.fault = fault
                    let outcomes = try await client.runAll((0..<5).map { (.echo, [], [String($0)]) })
                    #expect(outcomes.compactMap { $0.reply?.text } == (0..<5).map(String.init))
                    #expect(try await client.on { $0.counters.connections } == 1)
                }
            }
        }
    }

    @Test func aConnectionThatIsDeadWhileIdleIsFound() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                var configuration = server.configuration
                configuration.address.port = proxy.port
                configuration.pingAfter = .milliseconds(20)
                configuration.pingDeadline = .milliseconds(50)
                configuration.preparationTimeout = .milliseconds(200)
                try await withClient(configuration, scripts: [.echo]) { client in
                    try await client.becomesReady()
                    let before = proxy.bytesFromClients
                    try await eventually("it is pinged") { proxy.bytesFromClients >= before + 28 }
                    #expect(client.events == [.ready])
                    proxy.fault = .blackhole
                    try await eventually("the connection is given up") { client.events.contains(.lost(.stalled)) }
                    proxy.fault = .none
                    try await Self.works(client)
                }
            }
        }
    }

    // MARK: no connection

    @Test func nobodyListens() async throws {
        let refusing = LoopbackPort.refusing()
        try await withClient(RedisConfiguration(address: RedisAddress(host: "127.0.0.1", port: refusing.port))) {
            client in
            #expect(try await client.run(.echo).code == .notConnected)
            try await eventually("it gives up for a while") { try await !client.on { $0.breaker.isClosed } }
            #expect(RedisServerTests.failures(client) == [.connectFailed])
            let outcome = try await client.run(.echo)
            #expect(outcome.code == .breakerOpen)
        }
    }

    @Test func nobodyAnswers() async throws {
        try await withRedis { server in
            try await withFaultProxy(to: server.port) { proxy in
                proxy.fault = .blackhole
                var configuration = server.configuration
                configuration.address.port = proxy.port
                configuration.preparationTimeout = .milliseconds(100)
                try await withClient(configuration) { client in
                    try await eventually("the connection fails") { !client.events.isEmpty }
                    #expect(RedisServerTests.failures(client) == [.connectTimeout])
                    proxy.fault = .none
                    try await client.becomesReady()
                }
            }
        }
    }

    @Test func theNameIsUnknown() async throws {
        let address = RedisAddress(host: "no-such-host.invalid")
        try await withClient(RedisConfiguration(address: address)) { client in
            try await eventually("the connection fails") { !client.events.isEmpty }
            #expect(
                RedisServerTests.failures(client).first.map { [.connectFailed, .connectTimeout].contains($0) } == true
            )
        }
    }
}
