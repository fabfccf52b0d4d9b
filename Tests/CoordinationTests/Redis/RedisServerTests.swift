import NIOCore
import TestSupport
import Testing

@testable import Coordination

/// A client and a real redis-server that does what it should, or says clearly why not.
@Suite struct RedisServerTests {
    private static func text(_ outcome: TestClient.Outcome) -> String? { outcome.reply?.text }

    @Test func answersComeToThoseWhoAsked() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                let numbers = (0..<500).map(String.init)
                let outcomes = try await client.runAll(numbers.map { (.echo, ["{0}:key"], [$0]) })
                #expect(outcomes.compactMap(Self.text) == numbers)
                #expect(try server.command("CLIENT", "LIST").text?.contains("name=sluice") == true)
                let counters = try await client.on { $0.counters }
                #expect(counters.sent == 500)
                #expect(counters.answered == 500)
                #expect(counters.connections == 1)
                #expect(client.events == [.ready])
            }
        }
    }

    @Test func allCommandsOfOneTurnLeaveInOneWrite() async throws {
        try await withScriptedRedis(Answers { command, _ in ScriptedRedis.prepare(command) ?? "$1\r\nx\r\n" }) {
            server,
            client in
            try await client.becomesReady()
            _ = try await client.runAll((0..<10).map { _ in (.echo, [], ["x"]) })
            #expect(server.commandsPerRead.last == 10)
        }
    }

    @Test func scriptsThatTheServerHasLostAreSentAsText() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                try server.command("SCRIPT", "FLUSH")
                let numbers = (0..<20).map(String.init)
                let outcomes = try await client.runAll(numbers.map { (.echo, [], [$0]) })
                #expect(outcomes.compactMap(Self.text) == numbers)
                #expect(try await client.on { $0.counters.sentAgain } == 20)
                // From now on the digest does again, as it was loaded on the side.
                #expect(try await Self.text(client.run(.echo, arguments: ["again"])) == "again")
                #expect(try await client.on { $0.counters.sentAgain } == 20)
                // One that was never loaded.
                #expect(try await client.run(.numbers).reply?.array?.count == 10)
            }
        }
    }

    @Test func aMistakeOfAScriptIsNoFailureOfRedis() async throws {
        try await withRedis { server in
            try await withClient(server.configuration, scripts: [.mistake, .echo]) { client in
                try await client.becomesReady()
                for _ in 0..<10 {
                    guard case .failure(let error) = try await client.run(.mistake).result else {
                        Issue.record("a mistake succeeded")
                        return
                    }
                    #expect(error.code == .other)
                    #expect(error.mayHaveRun)
                }
                #expect(try await Self.text(client.run(.echo, arguments: ["x"])) == "x")
                #expect(client.events.count == 2, "ready, and one word about the mistake")
            }
        }
    }

    // MARK: who we are

    @Test func passwords() async throws {
        try await withRedis(password: "right") { server in
            var configuration = server.configuration
            configuration.credentials = RedisCredentials(password: "right")
            try await withClient(configuration, scripts: [.echo]) { try await $0.becomesReady() }
            configuration.credentials = RedisCredentials(password: "wrong")
            try await withClient(configuration) { client in
                try await eventually("it tries again") { try await client.on { $0.counters.connections } > 2 }
                #expect(Self.failures(client) == [.wrongPassword], "said once, not with every attempt")
                let code = try await client.run(.echo).code
                #expect(code == .notConnected || code == .breakerOpen)
            }
            configuration.credentials = nil
            try await withClient(configuration) { client in
                try await eventually("it tries") { !client.events.isEmpty }
                #expect(Self.failures(client) == [.noAuthentication])
            }
        }
    }

    @Test func usersAndWhatTheyMay() async throws {
        try await withRedis { server in
            try server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
            var configuration = server.configuration
            configuration.credentials = RedisCredentials(user: "app", password: "secret")
            try await withClient(configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                #expect(try server.command("CLIENT", "LIST").text?.contains("user=app") == true)
                try server.command("ACL", "SETUSER", "app", "-evalsha")
                #expect(try await client.run(.echo, arguments: ["x"]).code == .noPermission)
                #expect(client.events.contains { if case .needsAttention = $0 { true } else { false } })
                try server.command("ACL", "SETUSER", "app", "+evalsha")
                try await client.becomesReady()
                #expect(try await Self.text(client.run(.echo, arguments: ["x"])) == "x")
            }
        }
    }

    @Test func newCredentialsAreShownOnTheStandingConnection() async throws {
        try await withRedis { server in
            try server.command("ACL", "SETUSER", "app", "on", ">first", ">second", "~*", "+@all")
            var configuration = server.configuration
            configuration.credentials = RedisCredentials(user: "app", password: "first")
            try await withClient(configuration, scripts: [.echo]) { client in
                try await client.becomesReady()
                try await client.on { $0.authenticate(RedisCredentials(user: "app", password: "second")) }
                #expect(try await Self.text(client.run(.echo, arguments: ["x"])) == "x")
                // Refused ones do not end a connection that works.
                try await client.on { $0.authenticate(RedisCredentials(user: "app", password: "third")) }
                #expect(try await Self.text(client.run(.echo, arguments: ["y"])) == "y")
                #expect(try await client.on { $0.counters.connections } == 1)
            }
        }
    }

    @Test func aDatabaseIsSelected() async throws {
        try await withRedis { server in
            var configuration = server.configuration
            configuration.address.database = 3
            try await withClient(configuration) { client in
                try await client.becomesReady()
                #expect(try server.command("CLIENT", "LIST").text?.contains("db=3") == true)
            }
            configuration.address.database = 99
            try await withClient(configuration) { client in
                try await eventually("it tries") { !client.events.isEmpty }
                #expect(Self.failures(client) == [.other])
            }
        }
    }

    // MARK: TLS

    @Test func tlsVerifiesTheName() async throws {
        try await withRedis(certificate: "DNS:localhost") { server in
            let named = try server.tlsConfiguration(host: "localhost", caFile: server.caFile)
            try await withClient(named, scripts: [.echo]) { client in
                try await client.becomesReady()
                let numbers = (0..<100).map(String.init)
                let outcomes = try await client.runAll(numbers.map { (.echo, [], [$0]) })
                #expect(outcomes.compactMap(Self.text) == numbers)
            }
            let byAddress = try server.tlsConfiguration(host: "127.0.0.1", caFile: server.caFile)
            try await expectFailure(byAddress, .certificate)
            try await expectFailure(try server.tlsConfiguration(host: "localhost", caFile: nil), .certificate)
        }
        try await withRedis(certificate: "DNS:other.invalid") { server in
            let other = try server.tlsConfiguration(host: "localhost", caFile: server.caFile)
            try await expectFailure(other, .certificate)
        }
        try await withRedis(certificate: "IP:127.0.0.1") { server in
            let byAddress = try server.tlsConfiguration(host: "127.0.0.1", caFile: server.caFile)
            try await withClient(byAddress) { try await $0.becomesReady() }
        }
    }

    @Test func tlsAndPlainAreNotMixedUp() async throws {
        try await withRedis(certificate: "DNS:localhost") { server in
            var toPlain = try server.tlsConfiguration(host: "localhost", caFile: server.caFile)
            toPlain.address.port = server.port
            // Redis takes the greeting for a line that has not ended, and waits.
            toPlain.preparationTimeout = .milliseconds(200)
            try await expectFailure(toPlain, .connectTimeout, .tls, .connectionLost)
            var toTLS = server.configuration
            toTLS.address.port = server.tlsPort ?? 0
            try await expectFailure(toTLS, .connectionLost, .protocolViolation)
        }
    }

    private func expectFailure(_ configuration: RedisConfiguration, _ codes: RedisError.Code...) async throws {
        try await withClient(configuration) { client in
            try await eventually("the connection fails") { !client.events.isEmpty }
            let failures = Self.failures(client)
            #expect(failures.first.map { codes.contains($0) } == true, "\(client.events)")
            #expect(try await !client.on { $0.isReady })
        }
    }

    // MARK: the end

    @Test func shuttingDownWaitsForAnswers() async throws {
        try await withRedis { server in
            let client = try await TestClient(server.configuration, scripts: [.echo])
            try await client.becomesReady()
            async let outcomes = client.runAll((0..<50).map { (.echo, [], [String($0)]) })
            try await eventually("the calls are sent") { try await client.on { $0.counters.sent } == 50 }
            try await client.shutDown()
            #expect(try await outcomes.allSatisfy { $0.reply != nil })
            #expect(try await client.run(.echo).code == .shutDown)
            try await eventually("the connection is closed") { try server.clients() == 0 }
            #expect(client.events == [.ready])
            try await client.end()
        }
    }

    static func failures(_ client: TestClient) -> [RedisError.Code] {
        client.events.compactMap { if case .connectFailed(let error) = $0 { error.code } else { nil } }
    }
}
