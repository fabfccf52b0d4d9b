internal import Foundation
internal import TestSupport
internal import Testing
internal import TokenMill

@testable internal import Gateway

extension Integration {
    @Suite("Access tokens at a running gateway")
    struct EntraGatewayTests {
        typealias Known = TokenDraft.Known

        private let entra: EntraStandIn
        private let upstream: ScriptedUpstream

        init() throws {
            entra = try EntraStandIn([Known.keyID: .first])
            upstream = try ScriptedUpstream.answering()
        }

        private func gateway(_ further: [String] = []) throws -> Gateway {
            try Gateway(file: Self.file(entra, upstream, further), upstream: upstream)
        }

        /// Clients by role, user, application and group; and one by key alone.
        static func file(_ entra: EntraStandIn, _ upstream: any Upstream, _ further: [String] = []) -> String {
            let lines =
                ["listen: 127.0.0.1:0", "admin: 127.0.0.1:0"] + further + [
                    "entra: [{tenant: \(Known.tenant), audiences: [\(Known.api), \"\(Known.apiURI)\"], authority: \"\(entra.base)\"}]",
                    "clients:",
                    "  - {name: by-user, entra: {users: [\(Known.user)]}}",
                    "  - {name: by-application, entra: {applications: [\(Known.application)]}}",
                    "  - {name: by-role, entra: {roles: [\(Known.role)]}}",
                    "  - {name: by-group, entra: {groups: [\(Known.group)]}}",
                    "  - {name: by-key, api_keys: [\(GatewayConfigurationText.key)]}",
                    "endpoints:",
                    "  - {name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
                ]
            return lines.joined(separator: "\n") + "\n"
        }

        private func good(_ draft: TokenDraft = .application) -> TokenDraft { entra.good(draft, now: UnixTime.now()) }

        /// Of an application that the file names.
        static func token(_ entra: EntraStandIn) -> String {
            entra.good(.application, now: UnixTime.now()).signed()
        }

        private func ask(_ gateway: Gateway, _ path: String, _ headers: [String]) throws -> Response {
            let client = try gateway.connect()
            try client.request("GET", path, headers: headers, key: nil)
            return try client.response()
        }

        private func ask(_ gateway: Gateway, _ path: String, token: String) throws -> Response {
            try ask(gateway, path, ["Authorization: Bearer \(token)"])
        }

        @Test("say who calls: the access log names client, application, principal and token, and Azure never sees one")
        func taken() throws {
            let gateway = try gateway()
            let other = "\"bbbbbbbb-0000-0000-0000-00000000000f\""
            let version1 = good(TokenDraft.application.version1).with("iss", "\"\(entra.base)/\(Known.tenant)/\"")
            let cases: [(String, TokenDraft, client: String)] = [
                ("role", good().with("azp", other), "by-role"),
                ("application", good().without("roles"), "by-application"),
                ("version1", version1.without("roles"), "by-application"),
                ("user", good(.user).with("azp", other), "by-user"),
                ("userOfApplication", good(.user).with("roles", "[\"\(Known.role)\"]"), "by-user"),
                (
                    "group",
                    good(.user).with("oid", "\"aaaaaaaa-0000-0000-0000-00000000000e\"")
                        .with("groups", "[\"\(Known.group)\"]"), "by-group"
                ),
            ]
            for (name, draft, client) in cases {
                // Twice: judged, and remembered.
                for round in ["judged", "remembered"] {
                    let path = "/openai/\(name)-\(round)"
                    #expect(try ask(gateway, path, token: draft.signed()).status == 200, "\(name)")
                    let line = try gateway.accessLogLine(path: path)
                    #expect(line["client"] as? String == client, "\(name)")
                    #expect(line["uti"] as? String == "AbCdEfGhIjKlMnOpQrStUv")
                    #expect((line["oid"] as? String)?.hasPrefix("aaaaaaaa-") == true)
                    #expect((line["azp"] as? String)?.hasPrefix("bbbbbbbb-") == true)
                }
            }
            #expect(try ask(gateway, "/openai/key", ["api-key: \(GatewayConfigurationText.key)"]).status == 200)
            #expect(upstream.requests.count == 13)
            #expect(upstream.requests.allSatisfy { $0.header("authorization") == nil })
            #expect(upstream.requests.allSatisfy { $0.values("api-key") == [GatewayConfigurationText.upstreamKey] })
            #expect(!gateway.process.printed.contains("eyJ"), "no token is logged")
            let tenant = "tenant=\"\(Known.tenant)\""
            #expect(try gateway.metric("sluice_signing_keys", tenant) == 2)
            #expect(try gateway.metric("sluice_signing_keys_failing", tenant) == 0)
        }

        @Test("that prove nothing are answered 401, that permit nothing 403, and only the log knows why")
        func refused() throws {
            let gateway = try gateway()
            let now = UnixTime.now()
            let good = good()
            let unsigned = good.header("alg", "\"none\"").signed(with: { _ in [] })
            let cases: [(String, status: Int, reason: String)] = [
                (good.with("exp", "\(now - 61)").signed(), 401, "expired"),
                (good.with("nbf", "\(now + 90)").signed(), 401, "not_yet_valid"),
                (good.with("aud", "\"https://cognitiveservices.azure.com\"").signed(), 401, "audience_mismatch"),
                (good.with("iss", "\"https://sts.windows.net/\(Known.tenant)/\"").signed(), 401, "issuer_mismatch"),
                (good.with("tid", "\"\(Known.otherTenant)\"").signed(), 401, "tenant_unknown"),
                (good.signed(by: .second), 401, "signature_invalid"),
                (good.header("kid", "\"nobody\"").signed(), 401, "key_unknown"),
                (good.header("alg", "\"HS256\"").signed(), 401, "algorithm_refused"),
                (unsigned + "AA", 401, "algorithm_refused"),
                ("a.b", 401, "not_three_parts"),
                (good.signed() + "=", 401, "not_base64url"),
                (
                    good.without("roles").with("azp", "\"bbbbbbbb-0000-0000-0000-00000000000f\"").signed(), 403,
                    "no_permission"
                ),
                (
                    good.with("roles", "[\"other\"]").with("azp", "\"bbbbbbbb-0000-0000-0000-00000000000f\"").signed(),
                    403, "no_client"
                ),
            ]
            var bodies: [Int: Set<String>] = [:]
            for (number, (token, status, reason)) in cases.enumerated() {
                let path = "/openai/case-\(number)"
                let response = try ask(gateway, path, token: token)
                #expect(response.status == status, "\(reason)")
                #expect(response.errorCode == (status == 401 ? "401" : "PermissionDenied"))
                let challenge = status == 401 ? "Bearer error=\"invalid_token\"" : nil
                #expect(response.header("www-authenticate") == challenge)
                #expect(try gateway.accessLogLine(path: path)["error_reason"] as? String == reason)
                #expect(try gateway.metric("sluice_refused_callers_total", "reason=\"\(reason)\"") >= 1)
                bodies[status, default: []].insert(response.text)
            }
            #expect(bodies.values.allSatisfy { $0.count == 1 }, "every refusal of a kind reads the same")
            #expect(upstream.requests.isEmpty)
        }

        @Test("come in one field: two, or one beside a key, are refused, and none is read from the query")
        func places() throws {
            let gateway = try gateway()
            let token = good().signed()
            let field = "Authorization: Bearer \(token)"
            #expect(try ask(gateway, "/openai/a", [field, field]).status == 401)
            #expect(try ask(gateway, "/openai/b", [field, "api-key: \(GatewayConfigurationText.key)"]).status == 401)
            #expect(try ask(gateway, "/openai/c?access_token=\(token)&api-key=\(token)", []).status == 401)
            #expect(try ask(gateway, "/openai/d", ["api-key: \(token)"]).status == 401)
            #expect(try ask(gateway, "/openai/e", ["authorization: bEARER \(token)"]).status == 200)
            #expect(try ask(gateway, "/openai/f", ["Authorization: Bearer  \(token)"]).status == 401, "two spaces")
            let long = String(repeating: "a", count: 40_000)
            #expect(try ask(gateway, "/openai/g", ["Authorization: Bearer \(long).\(long.prefix(9)).x"]).status == 401)
            #expect(upstream.requests.count == 1)
        }

        @Test("wait for their keys with what has come of their request, which then goes its way")
        func waiting() throws {
            entra.hold()
            let gateway = try gateway()
            let token = good().signed()
            let body = Array("{\"model\":\"gpt-4o\",\"messages\":[]}".utf8)
            let clients = try (0..<3).map { _ in try gateway.connect() }
            for client in clients {
                try client.request(
                    "POST",
                    "/openai/v1/chat/completions",
                    headers: ["Authorization: Bearer \(token)", "transfer-encoding: chunked"],
                    key: nil
                )
                try client.send("5\r\n{\"mod\r\n")
            }
            try wait(for: "the requests") { try gateway.metric("sluice_requests_in_flight") == 3 }
            for client in clients {
                try client.send("\(String(body.count - 5, radix: 16))\r\n")
                try client.send(Array(body.dropFirst(5)) + Array("\r\n0\r\n\r\n".utf8))
            }
            #expect(upstream.requests.isEmpty)
            // One leaves meanwhile.
            clients[2].socket.close()
            try wait(for: "its end") { try gateway.metric("sluice_requests_total", "status=\"499\"") == 1 }
            try release()
            for client in clients.dropLast() { #expect(try client.response(to: "POST").status == 200) }
            #expect(upstream.requests.map(\.body) == [body, body])
            try gateway.awaitIdle()
        }

        /// Answers what is held until nothing is: the second document is asked for when the first is there.
        private func release() throws {
            entra.recover()
            entra.server.release()
        }

        @Test(
            "are answered 503 while the authority gives no keys, whatever it does instead; keys of clients go on to work",
            arguments: [
                DocumentServer.Answer.close, .document(500, "{}"), .document(200, "<html>Sign in</html>"),
                .document(302, "", headers: [("location", "http://127.0.0.1:1/")]),
                .document(
                    200,
                    "{\"issuer\":\"https://elsewhere/\(Known.otherTenant)/v2.0\",\"jwks_uri\":\"https://elsewhere/k\"}"
                ),
                .document(200, "{\"keys\":[]}"), .document(200, String(repeating: " ", count: 70_000)),
            ]
        )
        func noKeys(answer: DocumentServer.Answer) throws {
            entra.server.setScript { _ in answer }
            let gateway = try gateway()
            let token = good().signed()
            let response = try ask(gateway, "/openai/a", token: token)
            #expect(response.status == 503)
            #expect(response.errorCode == "AuthenticationUnavailable")
            #expect(response.header("retry-after") == "5")
            #expect(try gateway.accessLogLine(path: "/openai/a")["error_reason"] as? String == "keys_unavailable")
            #expect(try ask(gateway, "/openai/b", ["api-key: \(GatewayConfigurationText.key)"]).status == 200)
            #expect(try gateway.admin("/health/ready").status == 200)
            #expect(try gateway.metric("sluice_signing_keys_failing") == 2)
            // A token that says the wrong things is refused for them, and causes no fetch.
            let fetches = entra.server.requests.count
            let wrong = try ask(gateway, "/openai/c", token: good().with("aud", "\"else\"").signed())
            #expect(wrong.status == 401)
            #expect(entra.server.requests.count == fetches)
            entra.recover()
            try wait(for: "the keys, which are tried for again") {
                try ask(gateway, "/openai/d", token: token).status == 200
            }
        }

        @Test("an authority that is slow is waited for, and no longer than ten seconds")
        func slow() throws {
            entra.hold()
            let gateway = try gateway()
            let start = ContinuousClock.now
            let response = try ask(gateway, "/openai/a", token: good().signed())
            #expect(response.status == 503)
            #expect((.seconds(9)...(.seconds(15))).contains(start.duration(to: .now)))
            try release()
            try wait(for: "the keys") { try ask(gateway, "/openai/b", token: good().signed()).status == 200 }
        }

        @Test("an address that fails too often is answered 429, good key or not; others are not")
        func tooManyFailures() throws {
            let id = "dddddddd-0000-0000-0000-000000000001"
            let gateway = try gateway(["front_door: {ids: [\(id)]}", "server: {threads: 1}"])
            func ask(_ address: String, _ credential: String) throws -> Response {
                try self.ask(gateway, "/openai/a", ["X-Azure-FDID: \(id)", "X-Azure-SocketIP: \(address)", credential])
            }
            let key = "api-key: \(GatewayConfigurationText.key)"
            for _ in 0..<100 { #expect(try ask("192.0.2.1", "api-key: guess").status == 401) }
            let refused = try ask("192.0.2.1", key)
            #expect(refused.status == 429)
            #expect(refused.errorCode == "TooManyFailedAuthentications")
            #expect(refused.header("retry-after") != nil)
            #expect(try ask("192.0.2.2", key).status == 200)
            #expect(try gateway.metric("sluice_refused_callers_total", "reason=\"too_many_failures\"") == 1)
        }
    }
}
