internal import TestSupport
internal import Testing

extension Integration {
    /// PowerProxy's `uses_entra_id_auth`.
    @Suite("A client of any bearer token")
    struct AnyBearerTests {
        private func gateway(_ upstream: any Upstream) throws -> Gateway {
            try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    clients:
                      - {name: by-key, api_keys: [\(GatewayConfigurationText.key)]}
                      - {name: anyone, any_bearer_token: true}
                    endpoints:
                      - {name: west, url: "http://127.0.0.1:\(upstream.port)", api_key: \(GatewayConfigurationText.upstreamKey)}

                    """,
                upstream: upstream
            )
        }

        @Test("is whoever comes with one that is no key; Azure gets it as it came, and not the gateway's key")
        func passes() throws {
            let upstream = try ScriptedUpstream.answering()
            let gateway = try gateway(upstream)
            let client = try gateway.connect()
            for (path, field) in [
                ("/openai/a", "Authorization: Bearer eyJ.some.token"),
                ("/openai/b", "api-key: \(GatewayConfigurationText.key)"),
                ("/openai/c", "Authorization: Bearer \(GatewayConfigurationText.key)"),
            ] {
                try client.request("GET", path, headers: [field], key: nil)
                #expect(try client.response().status == 200)
            }
            #expect(upstream.requests[0].values("authorization") == ["Bearer eyJ.some.token"])
            #expect(upstream.requests[0].header("api-key") == nil)
            for request in upstream.requests.dropFirst() {
                #expect(request.header("authorization") == nil)
                #expect(request.values("api-key") == [GatewayConfigurationText.upstreamKey])
            }
            #expect(try gateway.accessLogLine(path: "/openai/a")["client"] as? String == "anyone")
            #expect(try gateway.accessLogLine(path: "/openai/c")["client"] as? String == "by-key")
            #expect(!gateway.process.printed.contains("eyJ"))
        }

        @Test("gets Azure's word on its token, which says nothing against the endpoint")
        func refusal() throws {
            let body = "{\"error\":{\"code\":\"401\",\"message\":\"of Azure\"}}"
            let upstream = try ScriptedUpstream.answering(
                "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let gateway = try gateway(upstream)
            let client = try gateway.connect()
            for _ in 0..<5 {
                try client.request("GET", "/openai/a", headers: ["Authorization: Bearer bad"], key: nil)
                let response = try client.response()
                #expect(response.status == 401)
                #expect(response.text.contains("of Azure"))
            }
            #expect(try gateway.metric("sluice_upstream_misconfigured_total") == 0)
            client.socket.close()
            let nobody = try gateway.connect()
            try nobody.request("GET", "/openai/b", headers: ["api-key: nobody"], key: nil)
            #expect(try nobody.response().status == 401)
            #expect(upstream.requests.count == 5)
        }
    }
}
