internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    /// Every failure before the first byte, at a deployment whose name says how it fails.
    @Suite("Failover")
    struct FailoverTests {
        /// What an upstream does with a request; `nil` closes the connection.
        private static let failures: [(name: String, answer: String?)] = [
            ("429", answer("429 Too Many Requests", "{}", "retry-after-ms: 60000\r\n")),
            ("429-silent", answer("429 Too Many Requests", #"{"error":{"code":"429","message":"x"}}"#)),
            ("408", answer("408 Request Timeout")),
            ("500", answer("500 Internal Server Error")),
            ("502", answer("502 Bad Gateway", "<html>")),
            ("503", answer("503 Service Unavailable")),
            ("504", answer("504 Gateway Timeout")),
            ("529", answer("529 Overloaded")),
            ("401", answer("401 Unauthorized", #"{"statusCode":401,"message":"Unauthorized."}"#)),
            ("403", answer("403 Forbidden", #"{"error":{"code":"AccessDenied","message":"x"}}"#)),
            ("404", answer("404 Not Found", #"{"error":{"code":"DeploymentNotFound","message":"x"}}"#)),
            ("garbage", "HTTP/1.1 what is this\r\n\r\n"),
            ("half-a-head", nil),
            ("closes", nil),
        ]

        /// Errors at the beginning of a stream that was 200.
        private static let streamErrors = [
            (
                "in-band-quota",
                #"{"error":{"code":"rate_limit_exceeded","type":"too_many_requests","message":"rate limit"}}"#
            ),
            ("in-band-capacity", #"{"error":{"code":"rate_limit_exceeded","message":"no_kv_space"}}"#),
            ("in-band-server", #"{"error":{"code":"server_error","message":"The server had an error"}}"#),
        ]

        private static func answer(_ status: String, _ body: String = "{}", _ fields: String = "") -> String {
            "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\n\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)"
        }

        private static func failing() throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while true {
                    let request = try connection.readRequest()
                    let body = String(decoding: request.body, as: UTF8.self)
                    if let failure = failures.first(where: { body.contains("\"bad-\($0.name)-") }) {
                        if failure.name == "half-a-head" { try connection.send("HTTP/1.1 200 OK\r\ncontent-ty") }
                        guard let answer = failure.answer else { return }
                        try connection.send(answer)
                    } else if let error = streamErrors.first(where: { body.contains("\"bad-\($0.0)-") }) {
                        let event = "data: \(error.1)\n\n"
                        try connection.send(
                            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: \(event.utf8.count)\r\n\r\n\(event)"
                        )
                    } else {
                        try connection.send(answer("418 I am a teapot"))
                    }
                }
            }
        }

        private static let kinds = ["json", "stream"]

        private static var names: [String] {
            failures.flatMap { failure in kinds.map { "\(failure.name)-\($0)" } }
                + streamErrors.map { "\($0.0)-stream" }
                + ["dead-json", "dead-stream", "dead-form"]
        }

        private static func file(bad: Int, good: Int, dead: Int, redis: Int) -> String {
            let key = GatewayConfigurationText.upstreamKey
            let endpoints = [("bad", bad), ("good", good), ("dead", dead)].map {
                "  - {name: \($0), url: \"http://127.0.0.1:\($1)\", api_key: \(key)}"
            }
            let models = names.map { name in
                let first = name.hasPrefix("dead") ? "dead" : "bad"
                return "  - {name: m-\(name), deployments: [{endpoint: \(first), deployment: bad-\(name), tier: 1}, "
                    + "{endpoint: good, deployment: \(name == "dead-form" ? "whisper" : "gpt-4o"), tier: 2}]}"
            }
            return
                ([
                    "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
                    "coordination: {redis: \"redis://127.0.0.1:\(redis)\", deadline: 1s}", "clients:",
                    "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], limits: {requests_per_minute: 1}, burst: {requests: 1000}}",
                    "endpoints:",
                ] + endpoints + ["models:"] + models).joined(separator: "\n") + "\n"
        }

        @Test("hides every failure before the first byte, charges the client once, and tells of each attempt")
        func everyFailure() throws {
            let (bad, good, redis) = (try Self.failing(), try MockAzure(), try RedisServer())
            let gateway = try Gateway(
                file: Self.file(bad: bad.port, good: good.port, dead: LoopbackPort.free(), redis: redis.port),
                upstream: good
            )
            try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            let client = try gateway.connect()
            var requests = 0
            for name in Self.names {
                let response: Response
                if name.hasSuffix("form") {
                    let form = Multipart(fields: [("model", "x")], fileBytes: 10_000)
                    try client.request(
                        "POST",
                        "/openai/deployments/m-\(name)/audio/transcriptions?api-version=2024-10-21",
                        headers: ["content-type: \(form.contentType)"],
                        body: form.body
                    )
                    response = try client.response()
                } else {
                    let stream = name.hasSuffix("stream") ? #""stream":true,"# : ""
                    let body =
                        #"{"model":"m-\#(name)",\#(stream)"messages":[{"role":"user","content":"Hi"}],"max_tokens":9}"#
                    try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8))
                    response = try client.response()
                    if !stream.isEmpty { #expect(response.text.hasSuffix("data: [DONE]\n\n"), "\(name)") }
                }
                requests += 1
                #expect(response.status == 200, "\(name): \(response.text)")
                #expect(response.header("x-sluice-attempts") == "2", "\(name)")
                #expect(response.header("x-sluice-deployment")?.hasPrefix("good/") == true, "\(name)")
                #expect(
                    response.header("x-ratelimit-remaining-requests") == "\(1000 - requests)",
                    "charged once: \(name)"
                )
            }
            try wait(for: "all settlements") { try gateway.metric("sluice_settlements_waiting") == 0 }
            try wait(for: "the books") { try redis.usage("req") == requests }
            #expect(try gateway.metric("sluice_upstream_attempts_total") == 2 * requests)
            #expect(try gateway.metric("sluice_upstream_misconfigured_total") == 6)
            // What is to be left alone is: one attempt for each, and none for those that cool.
            let again = #"{"model":"m-429-json","messages":[{"role":"user","content":"Hi"}]}"#
            let before = bad.requests.count
            try client.request("POST", "/openai/v1/chat/completions", body: Array(again.utf8))
            #expect(try client.response().header("x-sluice-attempts") == "1")
            #expect(bad.requests.count == before)
        }

        @Test("of the whole fleet: what one replica has cooled, another one does not call")
        func shared() throws {
            let (bad, good, redis) = (try Self.failing(), try MockAzure(), try RedisServer())
            let file = Self.file(bad: bad.port, good: good.port, dead: LoopbackPort.free(), redis: redis.port)
            let gateways = try (0..<2).map { _ in try Gateway(file: file, upstream: good) }
            for gateway in gateways {
                try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            }
            let body = Array(#"{"model":"m-429-json","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
            for (index, gateway) in gateways.enumerated() {
                let client = try gateway.connect()
                for number in 0..<20 {
                    try client.request("POST", "/openai/v1/chat/completions", body: body)
                    let response = try client.response()
                    #expect(response.status == 200)
                    #expect(response.header("x-sluice-attempts") == (index == 0 && number == 0 ? "2" : "1"))
                }
            }
            #expect(bad.requests.count == 1)
            // A failover costs one round trip to Redis, and nothing else does.
            for (index, gateway) in gateways.enumerated() {
                try wait(for: "all settlements") { try gateway.metric("sluice_settlements_waiting") == 0 }
                for (script, calls) in [("admit", 20), ("settle", 20), ("reroute", index == 0 ? 1 : 0)] {
                    let label = "script=\"\(script)\""
                    #expect(try gateway.metric("sluice_redis_latency_seconds_count", label) == calls, "\(script)")
                }
            }
            let status = try gateways[1].admin("/status").text
            let part = try #require(status.range(of: "\"name\":\"bad/bad-429-json\""))
            #expect(
                !status[part.upperBound...].prefix(120).contains("\"cooldown_ms\":0"),
                "\(status[part.lowerBound...].prefix(300))"
            )
        }

        @Test("of a fleet with nothing left: 429 with the shortest wait, in both fields")
        func nothingLeft() throws {
            let bad = try Self.failing()
            let dead = LoopbackPort.free()
            let text = Self.file(bad: bad.port, good: bad.port, dead: dead, redis: LoopbackPort.free())
                .replacing("deployment: gpt-4o, tier: 2", with: "deployment: bad-429-json, tier: 2")
            let gateway = try Gateway(file: text, upstream: bad)
            let client = try gateway.connect()
            // A minute here, and a second, doubled, there.
            let body = Array(#"{"model":"m-503-json","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
            for _ in 0..<2 {
                try client.request("POST", "/openai/v1/chat/completions", body: body)
                let response = try client.response()
                #expect(response.status == 429)
                let wait = try #require(response.header("retry-after-ms").flatMap { Int($0) })
                #expect((1...1300).contains(wait), "\(wait)")
                #expect(response.header("retry-after") == "\((wait + 999) / 1000)")
            }
        }
    }
}
