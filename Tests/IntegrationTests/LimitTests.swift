internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Limits")
    struct LimitTests {
        private static func file(
            _ upstream: any Upstream,
            limits: String,
            redis: Int? = nil,
            deployments: String = "[{endpoint: west, deployment: gpt-4o}]",
            further: [String] = []
        ) -> String {
            let coordination = redis.map { ["coordination: {redis: \"redis://127.0.0.1:\($0)\", deadline: 1s}"] } ?? []
            return
                (["listen: 127.0.0.1:0", "admin: 127.0.0.1:0"] + coordination + [
                    "clients:",
                    "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], \(limits)}",
                    "endpoints:",
                    "  - {name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
                ] + further + ["models:", "  - {name: gpt-4o, deployments: \(deployments)}"]).joined(separator: "\n")
                + "\n"
        }

        private static let chat = Array(
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":20}"#.utf8
        )
        private static let stream = Array(
            #"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hello there"}],"max_tokens":20}"#
                .utf8
        )

        private static func ask(_ client: Client, _ body: [UInt8] = chat) throws -> Response {
            try client.request("POST", "/openai/v1/chat/completions", body: body)
            return try client.response()
        }

        @Test("are told on every answer, in place of Azure's")
        func told() throws {
            let upstream = try MockAzure(deployments: ["gpt-4o,tpm=500000,rpm=3000"])
            let limits = "limits: {requests_per_minute: 60, tokens_per_minute: 6000}"
            let gateway = try Gateway(file: Self.file(upstream, limits: limits), upstream: upstream)
            let client = try gateway.connect()
            let first = try Self.ask(client)
            #expect(first.status == 200)
            #expect(first.header("x-ratelimit-limit-requests") == "60")
            #expect(first.header("x-ratelimit-remaining-requests") == "59")
            #expect(first.header("x-ratelimit-limit-tokens") == "6000")
            let left = try #require(first.header("x-ratelimit-remaining-tokens").flatMap { Int($0) })
            #expect((5900..<6000).contains(left))
            #expect(first.header("x-ratelimit-reset-requests") == "1")
        }

        @Test("refuse in Azure's shape, with the wait in both fields")
        func refused() throws {
            let upstream = try MockAzure()
            let limits = "limits: {requests_per_minute: 6}, burst: {requests: 2}"
            let gateway = try Gateway(file: Self.file(upstream, limits: limits), upstream: upstream)
            let client = try gateway.connect()
            for _ in 0..<2 { #expect(try Self.ask(client).status == 200) }
            let refusal = try Self.ask(client)
            #expect(refusal.status == 429)
            #expect(refusal.errorCode == "429")
            #expect(refusal.text.contains("\"innererror\":{\"code\":\"ClientRequestsPerMinute\"}"), "\(refusal.text)")
            let wait = try #require(refusal.header("retry-after-ms").flatMap { Int($0) })
            #expect((8_000...10_000).contains(wait))
            #expect(refusal.header("retry-after") == "\((wait + 999) / 1000)")
            #expect(refusal.header("x-ratelimit-remaining-requests") == "0")
        }

        @Test("of zero block, and say so")
        func blocked() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(
                file: Self.file(upstream, limits: "limits: {tokens_per_minute: 0}"),
                upstream: upstream
            )
            #expect(try Self.ask(try gateway.connect()).status == 403)
        }

        @Test("are one for all replicas that share a Redis")
        func shared() throws {
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let file = Self.file(upstream, limits: "limits: {requests_per_minute: 5}", redis: redis.port)
            let gateways = try (0..<2).map { _ in try Gateway(file: file, upstream: upstream) }
            for gateway in gateways {
                try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            }
            let clients = try gateways.map { try $0.connect() }
            let start = ContinuousClock.now
            var admitted = 0
            for number in 0..<20 {
                let status = try Self.ask(clients[number % 2]).status
                #expect(status == 200 || status == 429)
                if status == 200 { admitted += 1 }
            }
            // One more every twelve seconds.
            let most = 5 + Int((ContinuousClock.now - start).components.seconds) / 12
            #expect((5...most).contains(admitted))
        }

        @Test("leave books that agree with Azure's, for plain and streamed answers")
        func books() throws {
            let upstream = try MockAzure()
            let redis = try RedisServer()
            let file = Self.file(upstream, limits: "limits: {tokens_per_minute: 1M}", redis: redis.port)
            let gateway = try Gateway(file: file, upstream: upstream)
            try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            let client = try gateway.connect()
            for _ in 0..<5 {
                #expect(try Self.ask(client).status == 200)
                let streamed = try Self.ask(client, Self.stream)
                #expect(streamed.status == 200)
                #expect(streamed.text.hasSuffix("data: [DONE]\n\n"))
                #expect(!streamed.text.contains("\"prompt_tokens\""), "the client did not ask for its usage")
            }
            let stats = try upstream.stats()
            #expect(stats.completion > 0)
            try wait(for: "all settlements") { try gateway.metric("sluice_settlements_waiting") == 0 }
            try wait(for: "the books") { try redis.usage("req") == 10 }
            #expect(try redis.usage("in") == stats.prompt)
            #expect(try redis.usage("out") == stats.completion)
        }

        @Test("hold without Redis, and the replica says that it decides alone")
        func withoutRedis() throws {
            let upstream = try MockAzure()
            let file = Self.file(upstream, limits: "limits: {requests_per_minute: 600}", redis: LoopbackPort.free())
            let gateway = try Gateway(file: file, upstream: upstream)
            #expect(try Self.ask(try gateway.connect()).status == 200)
            #expect(try gateway.admin("/status").text.contains("\"mode\":\"degraded\""))
            #expect(try gateway.metric("sluice_fallback_admissions_total") >= 1)
        }

        @Test("of a deployment that cannot be reached, or does not exist, are another's")
        func failover() throws {
            let upstream = try MockAzure(deployments: ["gpt-4o"])
            let dead =
                "  - {name: east, url: \"http://127.0.0.1:\(LoopbackPort.free())\", api_key: \(GatewayConfigurationText.upstreamKey)}"
            let deployments =
                "[{endpoint: east, deployment: gpt-4o, tier: 1}, {endpoint: west, deployment: missing, tier: 2}, {endpoint: west, deployment: gpt-4o, tier: 3}]"
            let gateway = try Gateway(
                file: Self.file(upstream, limits: "models: \"*\"", deployments: deployments, further: [dead]),
                upstream: upstream
            )
            let client = try gateway.connect()
            for body in [Self.chat, Self.stream] { #expect(try Self.ask(client, body).status == 200) }
            let line = try gateway.accessLogLine(path: "/openai/v1/chat/completions")
            #expect(line["attempts"] as? Int == 3)
            #expect(line["deployment"] as? String == "gpt-4o")
            #expect(try gateway.metric("sluice_upstream_misconfigured_total") >= 1)
        }
    }
}
