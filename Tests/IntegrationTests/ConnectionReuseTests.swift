internal import Testing

extension Integration {
    @Suite("A client's connection")
    struct ConnectionReuseTests {
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try ScriptedUpstream.answeringWithTarget()
            gateway = try Gateway(upstream: upstream)
        }

        @Test("serves 20 pipelined requests in order")
        func pipelined() throws {
            let client = try gateway.connect()
            try client.send((0..<20).flatMap { Client.bytes("GET", "/openai/\($0)") })
            for number in 0..<20 { #expect(try client.response().text == "/openai/\(number)") }
        }

        @Test("serves pipelined requests with bodies, refused ones among them, in order")
        func pipelinedBodies() throws {
            let client = try gateway.connect()
            let json = Array(#"{"model":"gpt-4o","x":1}"#.utf8)
            for number in 0..<20 {
                let key = number % 3 == 0 ? "nobody" : GatewayConfigurationText.key
                try client.request("POST", "/openai/v1/\(number)", body: json, key: key)
            }
            for number in 0..<20 {
                let response = try client.response()
                #expect(response.status == (number % 3 == 0 ? 401 : 200))
                if response.status == 200 { #expect(response.text == "/openai/v1/\(number)") }
            }
        }

        @Test("serves 100 requests one after the other, over one connection to the upstream")
        func keptAlive() throws {
            let client = try gateway.connect()
            for number in 0..<100 {
                try client.request("GET", "/openai/\(number)")
                #expect(try client.response().text == "/openai/\(number)")
            }
            #expect(try gateway.metric("sluice_connections_accepted_total") == 1)
            #expect(upstream.connections == 1)
        }

        @Test("is kept when the client asks for a body to be waited for, and the body comes after 100")
        func expectContinue() throws {
            let client = try gateway.connect()
            let body = Array(#"{"model":"gpt-4o"}"#.utf8)
            for _ in 0..<2 {
                try client.request(
                    "POST",
                    "/openai/v1/x",
                    headers: ["expect: 100-continue", "content-length: \(body.count)"]
                )
                let interim = "HTTP/1.1 100 Continue\r\n\r\n"
                try client.fill { $0.count >= interim.utf8.count }
                #expect(String(decoding: client.take(interim.utf8.count), as: UTF8.self) == interim)
                try client.send(body)
                let response = try client.response()
                #expect(response.status == 200)
                #expect(response.interim.isEmpty)
            }
            #expect(upstream.requests.allSatisfy { $0.header("expect") == nil })
        }

        @Test("is closed with 401, without 100, when a client that waits with its body has no key")
        func expectContinueWithoutKey() throws {
            let client = try gateway.connect()
            try client.request(
                "POST",
                "/openai/v1/x",
                headers: ["expect: 100-continue", "content-length: 18"],
                key: "nobody"
            )
            let response = try client.response()
            #expect(response.status == 401)
            #expect(response.interim.isEmpty)
            #expect(response.closes)
            #expect(try client.isClosed())
        }

        @Test("gets 417 for an expectation that nobody knows")
        func unknownExpectation() throws {
            let client = try gateway.connect()
            try client.request("GET", "/openai/x", headers: ["expect: miracles"])
            #expect(try client.response().status == 417)
        }

        /// Persistence is an extension of HTTP/1.0 that proxies get wrong (RFC 9112 section 9.3).
        @Test(
            "of HTTP/1.0 is closed after the answer, even if the client would keep it",
            arguments: ["", "keep-alive"]
        )
        func version1_0(connection: String) throws {
            let client = try gateway.connect()
            let line = connection.isEmpty ? "" : "connection: \(connection)\r\n"
            try client.send("GET /openai/x HTTP/1.0\r\napi-key: \(GatewayConfigurationText.key)\r\n\(line)\r\n")
            let response = try client.response()
            #expect(response.text == "/openai/x")
            #expect(response.closes)
            #expect(try client.isClosed())
        }

        @Test("is closed after the answer when the client says so")
        func closed() throws {
            let client = try gateway.connect()
            try client.request("GET", "/openai/x", headers: ["connection: close"])
            let response = try client.response()
            #expect(response.text == "/openai/x")
            #expect(response.closes)
            #expect(try client.isClosed())
        }

        @Test("stays usable after an early 401 whose body was still on its way")
        func earlyAnswer() throws {
            let client = try gateway.connect()
            let body = [UInt8](repeating: 0x20, count: 200_000)
            let bytes = Client.bytes("POST", "/openai/v1/x", body: body, key: "nobody")
            try client.send(Array(bytes.prefix(100_000)))
            let response = try client.response()
            #expect(response.status == 401)
            #expect(!response.closes)
            try client.send(Array(bytes.dropFirst(100_000)))
            try client.request("GET", "/openai/after")
            #expect(try client.response().text == "/openai/after")
        }

        @Test("carries HEAD with the length of the body that GET would have, and no body")
        func head() throws {
            let upstream = try ScriptedUpstream.answering("HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n")
            let client = try Gateway(upstream: upstream).connect()
            for _ in 0..<3 {
                try client.request("HEAD", "/openai/models")
                let response = try client.response(to: "HEAD")
                #expect(response.status == 200)
                #expect(response.header("content-length") == "42")
            }
            #expect(
                upstream.requests.map(\.requestLine) == [String](repeating: "HEAD /openai/models HTTP/1.1", count: 3)
            )
        }

        @Test("takes a request that comes byte by byte")
        func byteByByte() throws {
            let client = try gateway.connect()
            for byte in Client.bytes("POST", "/openai/v1/x", body: Array(#"{"model":"gpt-4o"}"#.utf8)) {
                try client.send([byte])
            }
            #expect(try client.response().text == "/openai/v1/x")
        }
    }
}
