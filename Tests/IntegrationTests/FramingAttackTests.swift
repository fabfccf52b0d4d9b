internal import Testing

extension Integration {
    /// RFC 9112, sections 2.2, 3, 5, 6, 7 and 11.2: where two parsers could disagree, there is no request.
    @Suite("Framing attacks")
    struct FramingAttackTests {
        private let upstream: ScriptedUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try ScriptedUpstream.answering()
            var configuration = GatewayConfigurationText()
            configuration.server = ["request_head_timeout: 1s"]
            gateway = try Gateway(configuration, upstream: upstream)
        }

        @Test("on the body's length are refused", arguments: FramingAttack.bodyLength)
        func bodyLength(_ attack: FramingAttack) throws { try perform(attack) }

        @Test("by Transfer-Encoding are refused", arguments: FramingAttack.transferEncoding)
        func transferEncoding(_ attack: FramingAttack) throws { try perform(attack) }

        @Test("by chunks are refused", arguments: FramingAttack.chunk)
        func chunks(_ attack: FramingAttack) throws { try perform(attack) }

        @Test("by header fields are refused", arguments: FramingAttack.fields)
        func fields(_ attack: FramingAttack) throws { try perform(attack) }

        @Test("by the request line are refused", arguments: FramingAttack.requestLine)
        func requestLine(_ attack: FramingAttack) throws { try perform(attack) }

        private func perform(_ attack: FramingAttack) throws {
            let client = try gateway.connect()
            try client.send(attack.bytes)
            let response = try client.response()
            switch (attack.expected, response.status) {
            case (.acceptedOrRefused, 200):
                let request = try #require(upstream.requests.first)
                #expect(
                    request.requestLine.hasPrefix("POST /openai/v1/")
                        || request.requestLine == "GET /openai/models HTTP/1.1"
                )
                #expect(request.body == Array((request.body.isEmpty ? "" : #"{"model":"gpt-4o-west"}"#).utf8))
                #expect(request.header("x-late") == nil)
                #expect(upstream.requests.count <= 2, "the request and, rightly, the one behind it")
            case (.acceptedOrRefused, let status):
                #expect(status == 400)
                try expectRefusal(response, client)
            case (.refused(let expected), let status):
                #expect(status == expected, "\(response.text)")
                try expectRefusal(response, client)
            }
            // The gateway is none the worse for it.
            let other = try gateway.connect()
            try other.request("GET", "/openai/models")
            #expect(try other.response().status == 200)
            try gateway.awaitIdle()
        }

        private func expectRefusal(_ response: Response, _ client: Client) throws {
            #expect(response.errorCode != nil, "not Azure's shape: \(response.text)")
            #expect(response.closes)
            #expect(try client.isClosed())
            #expect(upstream.requests.isEmpty, "\(upstream.requests.map(\.requestLine))")
        }

        @Test("by TRACE are answered 405")
        func trace() throws {
            let client = try gateway.connect()
            try client.request("TRACE", "/openai/models")
            let response = try client.response()
            #expect(response.status == 405)
            #expect(response.errorCode == "MethodNotAllowed")
            #expect(response.header("allow")?.contains("POST") == true)
            #expect(upstream.requests.isEmpty)
        }

        @Test("do not reach the upstream as a request inside a body that was refused early")
        func refusedEarly() throws {
            let client = try gateway.connect()
            let inner = Client.bytes("GET", "/smuggled")
            try client.request("POST", "/openai/v1/chat/completions", body: inner, key: "nobody")
            #expect(try client.response().status == 401)
            try client.request("GET", "/openai/models")
            #expect(try client.response().status == 200)
            #expect(upstream.requests.map(\.target) == ["/openai/models"])
        }
    }
}
