internal import Foundation
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    @Suite("A Redis that takes access tokens of Entra ID")
    struct RedisTokenTests {
        private static let user = TokenDraft.Known.principal

        /// A token service that makes Redis take each token that it gives, and forgets the one before the last.
        private final class Service: Sendable {
            let server: DocumentServer
            private let tokens = Shared<[String]>([])

            init(_ redis: TLSRedisServer, lifetime: Int) throws {
                let tokens = tokens
                // Not held by a server whose thread may outlive the test.
                server = try DocumentServer { [weak redis] _ in
                    guard let redis else { return .document(500, "{\"error\":\"Redis is gone\"}") }
                    let number = tokens.current.count
                    // The gateway reads the user's name out of it, and nobody its signature.
                    let token = TokenDraft.application.with("uti", "\"t\(number)\"").signed()
                    tokens.change { $0.append(token) }
                    do {
                        try redis.allow(token)
                        if number >= 2 { try redis.forbid(tokens.current[number - 2]) }
                    } catch {
                        return .document(500, "{\"error\":\"\(error)\"}")
                    }
                    return CredentialGatewayTests.token(token, lifetime: lifetime)
                }
            }

            var issued: [String] { tokens.current }
        }

        private static func gateway(
            _ redis: TLSRedisServer,
            _ service: Service,
            _ upstream: any Upstream
        ) throws -> Gateway {
            try Gateway(
                file: """
                    listen: 127.0.0.1:0
                    admin: 127.0.0.1:0
                    server: {threads: 2}
                    coordination:
                      redis: "rediss://127.0.0.1:\(redis.port)"
                      entra: {managed_identity: {}}
                      ca_file: \(redis.caFile)
                      when_unavailable: closed
                      deadline: 5s
                    clients:
                      - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], limits: {requests_per_minute: 1M}}
                    endpoints:
                      - {name: west, url: "http://127.0.0.1:\(upstream.port)", api_key: \(GatewayConfigurationText.upstreamKey)}
                    models:
                      - {name: gpt-4o, deployments: [{endpoint: west}]}

                    """,
                upstream: upstream,
                environment: ["AZURE_POD_IDENTITY_AUTHORITY_HOST": service.server.base]
            )
        }

        private static func ask(_ client: Client) throws -> Int {
            try client.request(
                "POST",
                "/openai/v1/chat/completions",
                body: Array(#"{"model":"gpt-4o","messages":[]}"#.utf8)
            )
            return try client.response(to: "POST").status
        }

        @Test("admits without a gap while the token is renewed, and shows each new one on every connection")
        func rotation() async throws {
            let redis = try await TLSRedisServer(user: Self.user)
            let service = try Service(redis, lifetime: 8)
            let gateway = try Self.gateway(redis, service, ScriptedUpstream.answering())
            try wait(for: "Redis") { try gateway.metric("sluice_limiter_shared") == 1 }
            let client = try gateway.connect()
            var refused = 0
            var asked = 0
            let end = ContinuousClock.now + .seconds(6)
            while ContinuousClock.now < end {
                if try Self.ask(client) != 200 { refused += 1 }
                asked += 1
                usleep(1_000)
            }
            #expect(refused == 0, "of \(asked)")
            #expect(asked > 100)
            let issued = service.issued.count
            #expect(issued >= 4)
            #expect(try redis.calls("auth") >= (issued - 1) * 2 - 1, "on every connection")
            #expect(try redis.calls("auth", failed: true) == 0)
            #expect(try gateway.metric("sluice_fallback_admissions_total") == 0)

            // A connection that is made now shows the newest: the first ones are not taken any more.
            try redis.ask("CLIENT", "KILL", "USER", Self.user)
            try wait(for: "the connections, which are made anew") {
                try gateway.metric("sluice_limiter_shared") == 1 && Self.ask(client) == 200
            }
            #expect(!gateway.process.printed.contains("eyJ"))
        }

        @Test("that refuses the token gets another one at once")
        func wrongPassword() async throws {
            let redis = try await TLSRedisServer(user: Self.user)
            let service = try Service(redis, lifetime: 3_600)
            let gateway = try Self.gateway(redis, service, ScriptedUpstream.answering())
            try wait(for: "Redis") { try gateway.metric("sluice_limiter_shared") == 1 }
            #expect(service.issued.count == 1)
            try redis.forbid(service.issued[0])
            try redis.ask("CLIENT", "KILL", "USER", Self.user)
            try wait(for: "another token") { service.issued.count == 2 }
            let client = try gateway.connect()
            try wait(for: "Redis again") { try Self.ask(client) == 200 }
            #expect(try redis.calls("auth", failed: true) >= 1)
            #expect(gateway.process.printed.contains("Redis refuses the gateway's credentials"))
        }

        @Test("is not connected to before there is a token; decisions are made alone until then")
        func noToken() async throws {
            let redis = try await TLSRedisServer(user: Self.user)
            let service = try Service(redis, lifetime: 3_600)
            let script: DocumentServer.Script = { _ in .document(500, "{}") }
            service.server.setScript(script)
            let gateway = try Self.gateway(redis, service, ScriptedUpstream.answering())
            let client = try gateway.connect()
            #expect(try Self.ask(client) == 503, "`closed`")
            #expect(try redis.calls("auth") == 0)
        }
    }

    @Suite("Signing keys in Redis")
    struct SharedKeysTests {
        @Test("a fleet that starts asks Entra ID once for each document")
        func once() throws {
            let redis = try RedisServer()
            let entra = try EntraStandIn([TokenDraft.Known.keyID: .first])
            let upstream = try ScriptedUpstream.answering()
            let coordination = "coordination: {redis: \"redis://127.0.0.1:\(redis.port)\"}"
            let gateways = try (0..<3).map { _ in
                try Gateway(file: EntraGatewayTests.file(entra, upstream, [coordination]), upstream: upstream)
            }
            let token = entra.good(now: Int64(Date().timeIntervalSince1970)).signed()
            for gateway in gateways {
                let client = try gateway.connect()
                try client.request("GET", "/openai/models", headers: ["Authorization: Bearer \(token)"], key: nil)
                #expect(try client.response().status == 200)
                #expect(try gateway.metric("sluice_signing_keys") == 2)
            }
            #expect(entra.server.requests.count == 4, "metadata and keys of both versions")
            #expect(Set(entra.server.requests.map(\.target)).count == 4)
        }
    }
}
