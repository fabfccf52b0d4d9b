internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Limits of requests")
    struct RequestLimitTests {
        private let upstream: ScriptedUpstream

        init() throws { upstream = try ScriptedUpstream.answering() }

        private func gateway(_ server: String...) throws -> Gateway {
            var configuration = GatewayConfigurationText()
            configuration.server = server
            return try Gateway(configuration, upstream: upstream)
        }

        /// - Parameter givesUp: the client sends no more of its body; the gateway would wait for that for a while, since
        ///   closing at once could cost the client the answer.
        private func expectRefusal(_ client: Client, _ status: Int, _ code: String, givesUp: Bool = false) throws {
            let response = try client.response()
            if givesUp { client.socket.halfClose() }
            #expect(response.status == status)
            #expect(response.errorCode == code, "\(response.text)")
            #expect(response.closes)
            #expect(try client.isClosed())
            #expect(upstream.requests.isEmpty)
        }

        @Test("too many header fields are 431")
        func tooManyFields() throws {
            let gateway = try gateway("max_header_count: 20")
            for count in [19, 30, 5_000] {
                let client = try gateway.connect()
                try client.request("GET", "/openai/models", headers: (2..<count).map { "x-\($0): 1" }, key: "nobody")
                if count < 20 {
                    #expect(try client.response().status == 401)
                } else {
                    try expectRefusal(client, 431, "RequestHeaderFieldsTooLarge")
                }
            }
        }

        @Test("too large header fields are 431", arguments: [80_000, 200_000])
        func tooLargeFields(bytes: Int) throws {
            let gateway = try gateway()
            let one = try gateway.connect()
            try one.request("GET", "/openai/models", headers: ["x-large: \(String(repeating: "a", count: bytes))"])
            try expectRefusal(one, 431, "RequestHeaderFieldsTooLarge")
            let many = try gateway.connect()
            let piece = String(repeating: "a", count: bytes / 50)
            try many.request("GET", "/openai/models", headers: (0..<50).map { "x-\($0): \(piece)" })
            try expectRefusal(many, 431, "RequestHeaderFieldsTooLarge")
            let name = try gateway.connect()
            try name.request("GET", "/openai/models", headers: ["\(String(repeating: "a", count: bytes)): 1"])
            try expectRefusal(name, 431, "RequestHeaderFieldsTooLarge")
        }

        @Test("a target that is too long is 414", arguments: [10_000, 100_000, 1_000_000])
        func targetTooLong(bytes: Int) throws {
            let client = try gateway().connect()
            // The gateway may have closed before the last byte is sent.
            try? client.request("GET", "/openai/\(String(repeating: "a", count: bytes))")
            try expectRefusal(client, 414, "RequestTargetTooLong")
        }

        @Test("a target that is too long is 414 behind a request that is still being answered, too")
        func targetTooLongBehindAnother() throws {
            let mayAnswer = Flag()
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try mayAnswer.await("the test to let it answer")
                try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            }
            var configuration = GatewayConfigurationText()
            configuration.server = ["threads: 1"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let client = try gateway.connect()
            try client.request("GET", "/openai/models")
            try wait(for: "the upstream to be asked") { upstream.requests.count == 1 }
            try client.send("GET /openai/\(String(repeating: "a", count: 10_000))")
            // The one event loop refuses another client twice: meanwhile it has read what this one sent before.
            let other = try gateway.connect()
            for _ in 0..<2 {
                try other.request("GET", "/openai/models", key: "nobody")
                #expect(try other.response().status == 401)
            }
            mayAnswer.raise()
            #expect(try client.response().status == 200)
            // The rest may meet a connection that is closed already.
            try? client.send("\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n\r\n")
            let refusal = try client.response()
            #expect(refusal.status == 414)
            #expect(refusal.errorCode == "RequestTargetTooLong")
        }

        @Test("a target of 8,000 bytes passes")
        func longTarget() throws {
            let client = try gateway().connect()
            let target = "/openai/\(String(repeating: "a", count: 7_992))"
            try client.request("GET", target)
            #expect(try client.response().status == 200)
            #expect(upstream.requests.first?.target == target)
        }

        @Test(
            "a body that says to be too large is 413 at once, before it is sent",
            arguments: ["application/json", "audio/wav"]
        )
        func bodyTooLarge(type: String) throws {
            let client = try gateway("max_body_bytes: 64k").connect()
            try client.send(
                """
                POST /openai/v1/x HTTP/1.1\r\nhost: g\r\napi-key: \(GatewayConfigurationText.key)\r\n\
                content-type: \(type)\r\ncontent-length: 65537\r\n\r\n
                """
            )
            try expectRefusal(client, 413, "RequestTooLarge", givesUp: true)
        }

        @Test("a chunked body is 413 when it grows too large")
        func chunkedBodyTooLarge() throws {
            let client = try gateway("max_body_bytes: 64k").connect()
            try client.send(
                """
                POST /openai/v1/x HTTP/1.1\r\nhost: g\r\napi-key: \(GatewayConfigurationText.key)\r\n\
                transfer-encoding: chunked\r\n\r\n
                """
            )
            let chunk = "1000\r\n\(String(repeating: " ", count: 4_096))\r\n"
            for _ in 0..<17 { try client.send(chunk) }
            try expectRefusal(client, 413, "RequestTooLarge", givesUp: true)
        }

        @Test("a body of just the limit passes")
        func largestBody() throws {
            let client = try gateway("max_body_bytes: 64k").connect()
            let body = Array((#"{"model":"gpt-4o","x":""# + String(repeating: "a", count: 65_536 - 26) + #""}"#).utf8)
            try client.request("POST", "/openai/v1/chat/completions", body: body)
            #expect(try client.response().status == 200)
        }

        @Test("a head that does not end is 408", arguments: ["G", "GET /openai/models HTTP/1.1\r\nhost: g\r\n"])
        func slowHead(start: String) throws {
            let client = try gateway("request_head_timeout: 300ms").connect()
            try client.send(start)
            try expectRefusal(client, 408, "RequestTimeout")
        }

        @Test("a head that drips is 408 all the same")
        func drippingHead() throws {
            let client = try gateway("request_head_timeout: 300ms").connect()
            try client.send("GET /openai/models HTTP/1.1\r\n")
            // Each wait is one for an answer that does not come yet.
            while try !client.socket.hasInput(until: .in(.milliseconds(50))) { try? client.send("x: 1\r\n") }
            try expectRefusal(client, 408, "RequestTimeout")
        }

        @Test("a body that stops coming is 408")
        func slowBody() throws {
            let client = try gateway("request_head_timeout: 300ms").connect()
            try client.send(
                """
                POST /openai/v1/x HTTP/1.1\r\nhost: g\r\napi-key: \(GatewayConfigurationText.key)\r\n\
                content-length: 100\r\n\r\n{
                """
            )
            try expectRefusal(client, 408, "RequestTimeout")
        }

        @Test("an idle connection is closed without a word, before and after a request")
        func idle() throws {
            let gateway = try gateway("idle_timeout: 1s")
            let fresh = try gateway.connect()
            let used = try gateway.connect()
            try used.request("GET", "/openai/models")
            #expect(try used.response().status == 200)
            #expect(try fresh.isClosed())
            #expect(try used.isClosed())
        }

        @Test("more requests than may be in flight are 503 with retry-after, and the others are served")
        func overloaded() throws {
            let goOn = Flag()
            let upstream = try ScriptedUpstream { connection in
                while true {
                    _ = try connection.readRequest()
                    try goOn.await("the test's word")
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                }
            }
            var configuration = GatewayConfigurationText()
            configuration.server = ["max_in_flight: 2"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let served = try (0..<2).map { _ in try gateway.connect() }
            for client in served { try client.request("GET", "/openai/models") }
            try wait(for: "both requests") { upstream.requests.count == 2 }

            let refused = try gateway.connect()
            try refused.request("GET", "/openai/models")
            let response = try refused.response()
            #expect(response.status == 503)
            #expect(response.errorCode == "GatewayOverloaded")
            #expect(response.header("retry-after") == "1")
            #expect(response.header("retry-after-ms") == "1000")
            #expect(!response.closes)
            // Probes are not requests.
            try refused.request("GET", "/health/front-door", key: nil)
            #expect(try refused.response().status == 200)

            goOn.raise()
            for client in served { #expect(try client.response().status == 200) }
            try refused.request("GET", "/openai/models")
            #expect(try refused.response().status == 200)
        }
    }
}
