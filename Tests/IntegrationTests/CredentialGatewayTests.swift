internal import Foundation
internal import NIOHTTP1
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("The gateway's own tokens at a running gateway")
    struct CredentialGatewayTests {
        typealias Answer = DocumentServer.Answer

        static func token(_ name: String, lifetime: Int = 3600) -> Answer {
            .document(200, "{\"access_token\":\"\(name)\",\"expires_in\":\"\(lifetime)\",\"token_type\":\"Bearer\"}")
        }

        /// A configuration whose first endpoint has an identity; a second one, if any, has a key.
        static func file(_ identity: String, _ upstreams: [any Upstream]) -> String {
            let endpoints = upstreams.enumerated().map { index, upstream in
                let credential = index == 0 ? identity : "api_key: \(GatewayConfigurationText.upstreamKey)"
                return "  - {name: e\(index), url: \"http://127.0.0.1:\(upstream.port)\", \(credential)}"
            }
            let deployments = upstreams.indices.map { "{endpoint: e\($0), deployment: gpt-4o, tier: \($0 + 1)}" }
            let lines =
                ["listen: 127.0.0.1:0", "admin: 127.0.0.1:0", "clients:"]
                + ["  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)]}", "endpoints:"] + endpoints
                + ["models:", "  - {name: gpt-4o, deployments: [\(deployments.joined(separator: ", "))]}"]
            return lines.joined(separator: "\n") + "\n"
        }

        private static func instanceMetadata(
            _ server: DocumentServer,
            _ upstreams: any Upstream...
        ) throws -> Gateway {
            try Gateway(
                file: file("managed_identity: {}", upstreams),
                upstream: upstreams[0],
                environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": server.base]
            )
        }

        private static let chat = Array(#"{"model":"gpt-4o","messages":[]}"#.utf8)

        private static func ask(_ gateway: Gateway) throws -> Response {
            let client = try gateway.connect()
            try client.request("POST", "/openai/v1/chat/completions", body: chat)
            return try client.response(to: "POST")
        }

        /// An upstream that takes one token and answers 401 to any other.
        private static func upstream(taking token: @escaping @Sendable () -> String) throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while true {
                    let isGood = try connection.readRequest().header("authorization") == "Bearer \(token())"
                    let text = isGood ? "{}" : "{\"error\":{\"code\":\"401\",\"message\":\"of Azure\"}}"
                    try connection.send(
                        "HTTP/1.1 \(isGood ? 200 : 401) X\r\ncontent-type: application/json\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
                    )
                }
            }
        }

        @Test("come from instance metadata, from the platform's endpoint, and from a federated token")
        func sources() throws {
            let folder = try TemporaryFolder()
            let file = try folder.write("federated", to: "token")
            let server = try DocumentServer { _ in Self.token("own") }
            let sources: [(String, [String: String], path: String)] = [
                (
                    "managed_identity: {client_id: aaaaaaaa-0000-0000-0000-000000000001}",
                    ["AZURE_POD_IDENTITY_AUTHORITY_HOST": server.base + "/"], "/metadata/identity/oauth2/token"
                ),
                (
                    "managed_identity: {}",
                    ["IDENTITY_ENDPOINT": "\(server.base)/msi/token", "IDENTITY_HEADER": "word"],
                    "/msi/token"
                ),
                (
                    "workload_identity: {}",
                    [
                        "AZURE_AUTHORITY_HOST": server.base + "/", "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "id",
                        "AZURE_FEDERATED_TOKEN_FILE": file.path,
                    ], "/tenant/oauth2/v2.0/token"
                ),
            ]
            for (number, (identity, environment, path)) in sources.enumerated() {
                let upstream = try ScriptedUpstream.answering()
                let gateway = try Gateway(
                    file: Self.file(identity, [upstream]),
                    upstream: upstream,
                    environment: environment
                )
                #expect(try Self.ask(gateway).status == 200)
                let request = try #require(upstream.requests.first)
                #expect(request.values("authorization") == ["Bearer own"])
                #expect(request.header("api-key") == nil)
                #expect(server.requests.count == number + 1, "one for all event loops")
                #expect(server.requests.last.map { String($0.path) } == path)
                #expect(try gateway.metric("sluice_upstream_token", "endpoint=\"e0\"") == 1)
                #expect(!gateway.process.printed.contains("own"))
            }
            #expect(server.requests[0].target.contains("client_id=aaaaaaaa-0000-0000-0000-000000000001"))
            #expect(server.requests[1].headers["X-IDENTITY-HEADER"] == ["word"])
            #expect(server.requests[2].body.contains("client_assertion=federated"))
        }

        @Test("a workload identity that the environment does not know stops the start, with the reason")
        func noWorkload() throws {
            let upstream = try NoUpstream()
            #expect {
                _ = try Gateway(
                    file: Self.file("workload_identity: {}", [upstream]),
                    upstream: upstream,
                    environment: ["AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"]
                )
            } throws: { error in
                let text = "\(error)"
                return text.contains("AZURE_FEDERATED_TOKEN_FILE") && text.contains("'e0'")
            }
        }

        @Test("are waited for by the first requests; a client that leaves meanwhile is let go")
        func firstToken() throws {
            let server = try DocumentServer { _ in .held(200, "{\"access_token\":\"t\",\"expires_in\":3600}") }
            let upstream = try ScriptedUpstream.answering()
            let gateway = try Self.instanceMetadata(server, upstream)
            let clients = try (0..<5).map { _ in try gateway.connect() }
            for client in clients { try client.request("POST", "/openai/v1/chat/completions", body: Self.chat) }
            try wait(for: "the requests") { try gateway.metric("sluice_requests_in_flight") == 5 }
            clients[4].socket.close()
            try wait(for: "its end") { try gateway.metric("sluice_requests_total", "status=\"499\"") == 1 }
            #expect(upstream.requests.isEmpty)
            server.release()
            for client in clients.dropLast() { #expect(try client.response(to: "POST").status == 200) }
            #expect(upstream.requests.count == 4)
            #expect(server.requests.count == 1)
            try gateway.awaitIdle()
        }

        @Test("without one the client is told, or another deployment serves", arguments: [400, 403, 500])
        func noToken(status: Int) throws {
            let server = try DocumentServer { _ in .document(status, "{\"error\":\"none\"}") }
            let upstream = try ScriptedUpstream.answering()
            let alone = try Self.instanceMetadata(server, upstream)
            let response = try Self.ask(alone)
            #expect(response.status == 503)
            #expect(response.errorCode == "UpstreamTokenUnavailable")
            #expect(response.header("retry-after") == "5")
            #expect(upstream.requests.isEmpty)
            #expect(try alone.metric("sluice_upstream_token", "endpoint=\"e0\"") == 0)

            let other = try ScriptedUpstream.answering()
            let both = try Self.instanceMetadata(server, upstream, other)
            for _ in 0..<3 { #expect(try Self.ask(both).status == 200) }
            #expect(upstream.requests.isEmpty)
            #expect(other.requests.allSatisfy { $0.values("api-key") == [GatewayConfigurationText.upstreamKey] })
            #expect(other.requests.count == 3)
        }

        @Test("a service that is slow is waited for, and no longer than ten seconds")
        func slow() throws {
            let server = try DocumentServer { _ in .held(200, "{}") }
            let gateway = try Self.instanceMetadata(server, ScriptedUpstream.answering())
            let start = ContinuousClock.now
            #expect(try Self.ask(gateway).status == 503)
            #expect((.seconds(9)...(.seconds(15))).contains(start.duration(to: .now)))
        }

        @Test("refused by Azure they are renewed, and the request is sent once more")
        func refused() throws {
            let current = Shared("new")
            let server = try DocumentServer { _ in Self.token("old") }
            let upstream = try Self.upstream { current.current }
            let gateway = try Self.instanceMetadata(server, upstream)
            try wait(for: "the first token") { try gateway.metric("sluice_upstream_token") == 1 }
            server.setScript { _ in Self.token("new") }
            #expect(try Self.ask(gateway).status == 200)
            #expect(upstream.requests.map { $0.header("authorization") } == ["Bearer old", "Bearer new"])
            #expect(upstream.requests.map(\.body) == [Self.chat, Self.chat])
            #expect(server.requests.count == 2)
            // Within a minute nobody asks again, and Azure's word goes to the client: once sent, not twice.
            current.change { $0 = "newest" }
            let response = try Self.ask(gateway)
            #expect(response.status == 401)
            #expect(response.text.contains("of Azure"))
            #expect(upstream.requests.count == 3)
            #expect(server.requests.count == 2)
            #expect(try gateway.metric("sluice_upstream_misconfigured_total") == 1)
        }

        @Test("the same one again is not sent again; another deployment serves if there is one")
        func same() throws {
            let server = try DocumentServer { _ in Self.token("old") }
            let upstream = try Self.upstream { "new" }
            let other = try ScriptedUpstream.answering()
            let gateway = try Self.instanceMetadata(server, upstream, other)
            #expect(try Self.ask(gateway).status == 200)
            #expect(upstream.requests.count == 1)
            #expect(other.requests.count == 1)
            #expect(server.requests.count == 2)
        }

        @Test("an upload that Azure refuses unread is sent again whole, and one that it has read is not")
        func uploads() throws {
            let server = try DocumentServer { _ in Self.token("old") }
            let upstream = try Self.upstream { "new" }
            let gateway = try Self.instanceMetadata(server, upstream)
            try wait(for: "the first token") { try gateway.metric("sluice_upstream_token") == 1 }
            server.setScript { _ in Self.token("new") }
            let client = try gateway.connect()
            try client.request(
                "POST",
                "/openai/deployments/gpt-4o/audio/transcriptions",
                headers: ["content-type: application/octet-stream"],
                body: [UInt8](repeating: 7, count: 100_000)
            )
            let response = try client.response(to: "POST")
            #expect(response.status == 401, "it was read")
            #expect(upstream.requests.count == 1)
        }

        @Test("passed through, each client shows Azure its own key or token")
        func passThrough() throws {
            let entra = try EntraStandIn([TokenDraft.Known.keyID: .first])
            let upstream = try ScriptedUpstream.answering()
            let known = TokenDraft.Known.self
            let gateway = try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    entra: [{tenant: \(known.tenant), audiences: [\(known.api)], authority: "\(entra.base)"}]
                    clients:
                      - {name: a, api_keys: [\(GatewayConfigurationText.key)], entra: {roles: [\(known.role)]}}
                    endpoints:
                      - {name: west, url: "http://127.0.0.1:\(upstream.port)", pass_through: true}

                    """,
                upstream: upstream
            )
            let token = entra.good(now: Int64(Date().timeIntervalSince1970)).signed()
            let client = try gateway.connect()
            for field in ["api-key: \(GatewayConfigurationText.key)", "Authorization: Bearer \(token)"] {
                try client.request("GET", "/openai/models", headers: [field], key: nil)
                #expect(try client.response().status == 200)
            }
            #expect(upstream.requests[0].values("api-key") == [GatewayConfigurationText.key])
            #expect(upstream.requests[0].header("authorization") == nil)
            #expect(upstream.requests[1].values("authorization") == ["Bearer \(token)"])
            #expect(upstream.requests[1].header("api-key") == nil)
        }

        @Test("headers are chosen by PowerProxy's expression where there is one")
        func matching() throws {
            var configuration = GatewayConfigurationText()
            configuration.endpoint = ["forward_headers_matching: \"^x-(?!secret)|^content-type$\""]
            let upstream = try ScriptedUpstream.answering()
            let gateway = try Gateway(configuration, upstream: upstream)
            let client = try gateway.connect()
            try client.request(
                "GET",
                "/openai/models",
                headers: [
                    "x-team: a", "x-secret: b", "user-agent: c",
                    "Authorization: Bearer \(GatewayConfigurationText.key)",
                ]
            )
            #expect(try client.response().status == 200)
            let request = try #require(upstream.requests.first)
            #expect(request.header("x-team") == "a")
            #expect(request.header("x-secret") == nil)
            #expect(request.header("user-agent") == nil)
            #expect(request.header("authorization") == nil)
            #expect(request.values("api-key") == [GatewayConfigurationText.upstreamKey])
        }
    }
}
