internal import Foundation
internal import TestSupport
internal import Testing

/// A gateway with everything that has metrics of its own, which has seen requests of every sort.
final class MeteredGateway: Sendable {
    let gateway: Gateway
    private let redis: RedisServer

    init() throws {
        redis = try RedisServer()
        let upstream = try MockAzure()
        let key = GatewayConfigurationText.key
        let lines = [
            "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
            "coordination: {redis: \"redis://127.0.0.1:\(redis.port)\", deadline: 2s}",
            "clients:",
            "  - {name: team-a, api_keys: [\(key)], limits: {requests_per_minute: 6}, burst: {requests: 3}}",
            "endpoints:",
            "  - {name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
            "models:",
            "  - {name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o}]}",
            "  - {name: embedder, deployments: [{endpoint: west, deployment: embedder}]}",
        ]
        gateway = try Gateway(file: lines.joined(separator: "\n") + "\n", upstream: upstream)
        let gateway = gateway
        try wait(for: "Redis to be used") { try gateway.metric("sluice_limiter_shared") == 1 }
        let client = try gateway.connect()
        func ask(_ path: String, _ body: String, key: String = key) throws -> Int {
            try client.request("POST", "/openai/v1/\(path)", body: Array(body.utf8), key: key)
            return try client.response().status
        }
        let chat = #""model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":20"#
        #expect(try ask("chat/completions", "{\(chat)}") == 200)
        #expect(try ask("chat/completions", "{\(chat),\"stream\":true}") == 200)
        #expect(try ask("embeddings", #"{"model":"embedder","input":"Hello there"}"#) == 200)
        #expect(try ask("chat/completions", "{\(chat)}") == 429)
        #expect(try ask("chat/completions", "{\(chat)}", key: "nobody") == 401)
        try gateway.awaitIdle()
    }

    func page() throws -> String { try gateway.admin("/metrics").text }
}
