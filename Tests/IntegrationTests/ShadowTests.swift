internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Limits in the shadow")
    struct ShadowTests {
        private static func file(
            _ upstream: any Upstream,
            client: String = "limits: {requests_per_minute: 1, tokens_per_day: 1M, shadow: true}, burst: {requests: 5}",
            deployments: String = "[{endpoint: west, deployment: gpt-4o}]",
            redis: Int
        ) -> String {
            [
                "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
                "coordination: {redis: \"redis://127.0.0.1:\(redis)\", deadline: 2s}",
                "clients:",
                "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], \(client)}",
                "endpoints:",
                "  - {name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
                "models:",
                "  - {name: gpt-4o, deployments: \(deployments)}",
            ].joined(separator: "\n") + "\n"
        }

        private static func ask(_ client: Client) throws -> Response {
            let body = #"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":20}"#
            try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8))
            return try client.response()
        }

        private static func start(_ file: String, _ upstream: any Upstream) throws -> Gateway {
            let gateway = try Gateway(file: file, upstream: upstream)
            try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            return gateway
        }

        private static func shadowLines(_ gateway: Gateway) -> [String] {
            gateway.process.printed.split(separator: "\n").map(String.init).filter { $0.contains("\"shadow_limit\"") }
        }

        @Test("let three times as much pass, count exactly what they would have refused, and the books are exact")
        func threefold() throws {
            let upstream = try MockAzure(deployments: ["gpt-4o,tpm=500000,rpm=3000"])
            let redis = try RedisServer()
            let file = Self.file(upstream, redis: redis.port)
            let gateways = try (0..<2).map { _ in try Self.start(file, upstream) }
            let clients = try gateways.map { try $0.connect() }
            for number in 0..<15 {
                let answer = try Self.ask(clients[number % 2])
                #expect(answer.status == 200)
                // Azure's own, as nothing of this client is enforced.
                #expect(answer.header("x-ratelimit-limit-requests") == "3000")
            }
            for gateway in gateways { try gateway.awaitIdle() }
            let counts = try gateways.map {
                try $0.metric("sluice_shadow_refusals_total", "client=\"team-a\"", "limit=\"requests_per_minute\"")
            }
            #expect(counts == [5, 5])
            for gateway in gateways {
                #expect(try gateway.metric("sluice_shadow_refusals_total") == 5)
                #expect(try gateway.metric("sluice_refusals_total") == 0)
                try wait(for: "the access log") { Self.shadowLines(gateway).count == 5 }
                let line = "\"shadow_limit\":\"requests_per_minute\",\"shadow_scope\":\"client\""
                #expect(Self.shadowLines(gateway).allSatisfy { $0.contains(line) })
                #expect(try gateway.admin("/status").text.contains("\"shadow_refusals\":{\"requests_per_minute\":5}"))
                try wait(for: "all settlements") { try gateway.metric("sluice_settlements_waiting") == 0 }
            }
            let stats = try upstream.stats()
            try wait(for: "the books") { try redis.usage("req") == 15 }
            #expect(try redis.usage("in") == stats.prompt)
            #expect(try redis.usage("out") == stats.completion)
        }

        @Test("are enforced from the next request on when the file says so, and shadows again when it says that")
        func reload() throws {
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let gateway = try Self.start(Self.file(upstream, redis: redis.port), upstream)
            let client = try gateway.connect()
            for _ in 0..<6 { #expect(try Self.ask(client).status == 200) }
            let enforced = "limits: {requests_per_minute: 1, tokens_per_day: 1M}, burst: {requests: 5}"
            try gateway.rewrite(Self.file(upstream, client: enforced, redis: redis.port))
            func awaitReloads(_ count: Int) throws {
                gateway.process.signal(SIGHUP)
                try wait(for: "reload \(count)") {
                    try gateway.metric("sluice_configuration_reloads_total", "taken_up") == count
                }
            }
            try awaitReloads(1)
            #expect(gateway.process.printed.contains("limits shadow -> enforced"))
            let refusal = try Self.ask(client)
            #expect(refusal.status == 429)
            #expect(refusal.text.contains("ClientRequestsPerMinute"))
            #expect(refusal.header("x-ratelimit-limit-requests") == "1")
            try gateway.rewrite(Self.file(upstream, redis: redis.port))
            try awaitReloads(2)
            #expect(try Self.ask(client).status == 200)
            try gateway.awaitIdle()
            #expect(try gateway.metric("sluice_shadow_refusals_total") == 2)
            #expect(try gateway.metric("sluice_refusals_total") == 1)
        }

        @Test("of a deployment never pass it over, and count when they would have")
        func deployment() throws {
            let upstream = try MockAzure(deployments: ["gpt-4o", "spill"])
            let redis = try RedisServer()
            let deployments =
                "[{endpoint: west, deployment: gpt-4o, tier: 1, limits: {requests_per_minute: 1, shadow: true}}, "
                + "{endpoint: west, deployment: spill, tier: 2}]"
            let file = Self.file(upstream, client: "priority: 5", deployments: deployments, redis: redis.port)
            let gateway = try Self.start(file, upstream)
            let client = try gateway.connect()
            for _ in 0..<4 {
                let answer = try Self.ask(client)
                #expect(answer.status == 200)
                #expect(answer.header("x-sluice-deployment") == "west/gpt-4o")
            }
            try gateway.awaitIdle()
            let labels = ["endpoint=\"west\"", "deployment=\"gpt-4o\"", "limit=\"requests_per_minute\""]
            #expect(try gateway.metric("sluice_shadow_passed_over_total", labels[0], labels[1], labels[2]) == 3)
            #expect(try gateway.metric("sluice_shadow_refusals_total") == 0)
            #expect(try gateway.admin("/status").text.contains("\"shadow_passed_over\":{\"requests_per_minute\":3}"))
            try wait(for: "the access log") {
                gateway.process.printed.contains("\"shadow_deployment_limit\":\"requests_per_minute\"")
            }
        }

        @Test("stand behind limits that are enforced: what these refuse is not counted, and their fields are told")
        func beside() throws {
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let client =
                "limits: {requests_per_minute: 1, shadow: true}, model_limits: {gpt-4o: {requests_per_minute: 2}}"
            let gateway = try Self.start(Self.file(upstream, client: client, redis: redis.port), upstream)
            let connection = try gateway.connect()
            let answers = try (0..<3).map { _ in try Self.ask(connection) }
            #expect(answers.map(\.status) == [200, 200, 429])
            #expect(answers.map { $0.header("x-ratelimit-limit-requests") } == ["2", "2", "2"])
            #expect(answers.map { $0.header("x-ratelimit-remaining-requests") } == ["1", "0", "0"])
            try gateway.awaitIdle()
            #expect(try gateway.metric("sluice_shadow_refusals_total") == 1)
            #expect(try gateway.metric("sluice_refusals_total") == 1)
        }

        @Test("are called so by the commands of operators")
        func commands() throws {
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let deployments = "[{endpoint: west, deployment: gpt-4o, limits: {tokens_per_minute: 10, shadow: true}}]"
            let file = Self.file(upstream, deployments: deployments, redis: redis.port)
            let gateway = try Self.start(file, upstream)
            let client = try gateway.connect()
            for _ in 0..<6 { #expect(try Self.ask(client).status == 200) }
            let folder = try TemporaryFolder()
            let path = try folder.write(file, to: "fleet.yaml").path
            func run(_ arguments: String...) throws -> String {
                let output = folder.url.appendingPathComponent(UUID().uuidString)
                let process = try ChildProcess(
                    Build.executable("sluice"),
                    arguments + ["--config", path],
                    output: output
                )
                #expect(try process.awaitExit() == .exited(0), "\(process.printed)")
                return process.printed
            }
            let limits = try run("limits").split(separator: "\n")
            #expect(limits.first?.split(separator: " ").last == "mode")
            #expect(limits.dropFirst().count == 2)
            #expect(limits.dropFirst().allSatisfy { $0.split(separator: " ").last == "shadow" }, "\(limits)")
            #expect(try run("deployments").split(separator: "\n").last?.split(separator: " ").last == "shadow")
            let explained = try run("explain", "--client", "team-a", "--model", "gpt-4o", "--tokens", "100")
            #expect(explained.contains("admitted"))
            #expect(explained.contains("shadow: requests_per_minute of the client would refuse"), "\(explained)")
            #expect(
                explained.contains("shadow: tokens_per_minute of the deployment would pass it over"),
                "\(explained)"
            )
        }
    }
}
