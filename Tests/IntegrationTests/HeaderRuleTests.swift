internal import Testing

extension Integration {
    @Suite("Header fields")
    struct HeaderRuleTests {
        private static let fromClient = [
            "authorization: Bearer \(GatewayConfigurationText.key)", "cookie: session=1", "accept: text/event-stream",
            "accept-encoding: gzip", "user-agent: OpenAI/Python", "content-type: application/json; charset=utf-8",
            "openai-beta: assistants=v2", "x-ms-client-request-id: id-1", "x-forwarded-for: 1.2.3.4",
            "x-forwarded-host: h", "x-forwarded-proto: https", "forwarded: for=1.2.3.4", "via: 1.1 azure",
            "x-azure-fdid: 1", "x-azure-clientip: 1.2.3.4", "x-real-ip: 1.2.3.4", "x-original-url: /admin",
            "connection: keep-alive, x-hop, accept-language", "x-hop: 1", "keep-alive: timeout=5", "te: trailers",
            "proxy-authorization: Basic eA==", "proxy-connection: keep-alive", "trailer: x-late",
            "accept-language: en", "x-extra-1: a", "x-extra-2: b", "x-extra-3: c", "x-extra-4: d", "x-extra-5: e",
        ]

        @Test("go upstream only if they are allowed to, with the endpoint's credential in place of the client's")
        func request() throws {
            let upstream = try ScriptedUpstream.answering()
            var configuration = GatewayConfigurationText()
            configuration.endpoint = [
                "forward_headers: [x-extra-1, x-extra-2, x-extra-3, x-extra-4, x-hop]"
            ]
            let client = try Gateway(configuration, upstream: upstream).connect()
            let more = (0..<40).map { "x-custom-\($0): \($0)" }
            let body = Array(#"{"model":"gpt-4o"}"#.utf8)
            try client.request(
                "POST",
                "/openai/v1/chat/completions?api-key=key-of-team-a",
                headers: Self.fromClient + more,
                body: body
            )
            #expect(try client.response().status == 200)

            let sent = try #require(upstream.requests.first)
            let names = Set(sent.headers.map { $0.name.lowercased() })
            #expect(
                names == [
                    "host", "accept", "user-agent", "content-type", "content-length", "openai-beta",
                    "x-ms-client-request-id", "api-key", "x-extra-1", "x-extra-2", "x-extra-3", "x-extra-4",
                ]
            )
            #expect(sent.headers.count == names.count, "a field stands twice")
            #expect(sent.header("api-key") == GatewayConfigurationText.upstreamKey)
            #expect(sent.header("host") == "127.0.0.1:\(upstream.port)")
            #expect(sent.header("content-type") == "application/json; charset=utf-8")
            #expect(sent.header("user-agent") == "OpenAI/Python")
            #expect(!sent.requestLine.contains("key-of-team-a"))
            // Azure counts neither the standard ones nor its own credential's host; ten are the most it takes.
            let standard: Set = ["host", "accept", "user-agent", "content-type", "content-length"]
            #expect(names.subtracting(standard).count <= 10)
        }

        @Test("that the client did not send are not made up")
        func nothingAdded() throws {
            let upstream = try ScriptedUpstream.answering()
            let client = try Gateway(upstream: upstream).connect()
            try client.request("GET", "/openai/models")
            #expect(try client.response().status == 200)
            let names = try #require(upstream.requests.first).headers.map { $0.name.lowercased() }
            #expect(names.sorted() == ["api-key", "host"])
        }

        @Test("of the answer reach the client as they came, but for those of one hop")
        func response() throws {
            let upstream = try ScriptedUpstream.answering(
                """
                HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-RateLimit-Remaining-Tokens: 438897\r\n\
                apim-request-id: 1-2-3\r\nRetry-After-Ms: 20\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                connection: x-secret-hop, keep-alive\r\nx-secret-hop: 1\r\nkeep-alive: timeout=5\r\n\
                proxy-authenticate: Basic\r\ntrailer: x\r\nupgrade: h2c\r\nalt-svc: h3=":443"\r\n\
                x-empty:\r\ncontent-length: 2\r\n\r\n{}
                """
            )
            let client = try Gateway(upstream: upstream).connect()
            try client.request("GET", "/openai/models")
            let response = try client.response()
            let names = response.headers.map(\.name)
            #expect(
                names == [
                    "Content-Type", "X-RateLimit-Remaining-Tokens", "apim-request-id", "Retry-After-Ms", "set-cookie",
                    "set-cookie", "x-empty", "x-sluice-deployment", "x-sluice-attempts", "content-length",
                ]
            )
            #expect(response.header("x-ratelimit-remaining-tokens") == "438897")
            #expect(response.text == "{}")
        }

        @Test("tell proxies not to hold back or change an event stream")
        func eventStream() throws {
            let upstream = try ScriptedUpstream.answering(
                """
                HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: max-age=60\r\n\
                x-accel-buffering: yes\r\ncontent-length: 14\r\n\r\ndata: [DONE]\n\n
                """
            )
            let client = try Gateway(upstream: upstream).connect()
            try client.request("GET", "/openai/stream")
            let response = try client.response()
            #expect(response.headers.filter { $0.name == "cache-control" }.map(\.value) == ["no-cache, no-transform"])
            #expect(response.headers.filter { $0.name == "x-accel-buffering" }.map(\.value) == ["no"])
            #expect(response.header("content-type") == "text/event-stream; charset=utf-8")
            #expect(response.text == "data: [DONE]\n\n")
        }
    }
}
