internal import Foundation
internal import NIOHTTP1
internal import TestSupport
internal import Testing
internal import TokenMill

extension Integration {
    /// One test for each row of the table "From PowerProxy" in docs/configuration.md, named like the row: a file of PowerProxy's
    /// shape is served as it is, and does what the row says.
    @Suite("A PowerProxy file, row by row")
    struct PowerProxyTableTests {
        private static let key = "key-of-team-1-0123"

        /// Serves a file from the folder `config`, as PowerProxy has it.
        private func serve(
            _ text: String,
            _ upstream: any Upstream,
            environment: [String: String] = [:],
            launcher: [String] = []
        ) throws -> Gateway {
            try Gateway(
                file: text,
                upstream: upstream,
                environment: environment,
                launcher: launcher,
                name: "config/powerproxy.yaml",
                arguments: ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
            )
        }

        /// A file with one client and the endpoints.
        private func file(
            client: String = "{name: Team 1, key: \(PowerProxyTableTests.key)}",
            plugins: [String] = [],
            aoai: [String] = [],
            endpoints: [String]
        ) -> String {
            ([
                "clients: [\(client)]", "plugins: [\(plugins.map { "{name: \($0)}" }.joined(separator: ", "))]",
                "aoai:",
            ] + aoai.map { "  \($0)" } + ["  endpoints:"] + endpoints.map { "    - \($0)" }).joined(separator: "\n")
                + "\n"
        }

        private func endpoint(_ upstream: any Upstream, _ name: String = "west", _ more: String = "") -> String {
            "{name: \(name), url: \"http://127.0.0.1:\(upstream.port)/\", key: \(GatewayConfigurationText.upstreamKey)\(more)}"
        }

        private func ask(
            _ gateway: Gateway,
            _ deployment: String = "gpt-4o",
            stream: Bool = false,
            tokens: Int = 10,
            headers: [String] = [],
            key: String? = PowerProxyTableTests.key
        ) throws -> Response {
            let client = try gateway.connect()
            // A stand-in for Azure answers with as many tokens as it may.
            let body =
                #"{"messages":[{"role":"user","content":"Hello"}],"max_tokens":\#(tokens),"stream":\#(stream),"user":"mock:tokens=\#(tokens)"}"#
            try client.request(
                "POST",
                "/openai/deployments/\(deployment)/chat/completions?api-version=2024-10-21",
                headers: ["content-type: application/json"] + headers,
                body: Array(body.utf8),
                key: key
            )
            return try client.response()
        }

        @Test("`clients[].key`")
        func key() throws {
            let upstream = try MockAzure()
            let gateway = try serve(file(endpoints: [endpoint(upstream)]), upstream)
            let bearer = "Authorization: Bearer \(Self.key)"
            #expect(try ask(gateway).status == 200)
            #expect(try ask(gateway, headers: [bearer], key: nil).status == 200)
            #expect(try ask(gateway, headers: [bearer]).status == 200)
            #expect(try ask(gateway, headers: ["Authorization: Bearer other"]).status == 401)
            #expect(try ask(gateway, key: "another-key-0123").status == 401)
            #expect(try ask(gateway, key: nil).status == 401)
        }

        @Test("`clients[].name`")
        func name() throws {
            let upstream = try MockAzure()
            let client = "{name: 'R&D / EU', key: \(Self.key)}"
            let gateway = try serve(file(client: client, endpoints: [endpoint(upstream)]), upstream)
            #expect(try ask(gateway).status == 200)
            #expect(try gateway.metric("sluice_requests_total", #"client="R-D - EU""#) == 1)
            #expect(gateway.process.printed.contains("note: the client is 'R-D - EU'"))
        }

        @Test("`clients[].uses_entra_id_auth`")
        func bearer() throws {
            let upstream = try ScriptedUpstream.answering()
            let client = "{name: by key, key: \(Self.key)}, {name: anyone, uses_entra_id_auth: true}"
            let gateway = try serve(file(client: client, endpoints: [endpoint(upstream)]), upstream)
            #expect(try ask(gateway, headers: ["Authorization: Bearer eyJ.a.token"], key: nil).status == 200)
            #expect(try ask(gateway).status == 200)
            #expect(upstream.requests.map { $0.header("authorization") } == ["Bearer eyJ.a.token", nil])
            #expect(upstream.requests.map { $0.header("api-key") } == [nil, GatewayConfigurationText.upstreamKey])
            #expect(try gateway.metric("sluice_requests_total", #"client="anyone""#) == 1)
        }

        @Test("`clients[].deployments_allowed`")
        func allowed() throws {
            let upstream = try MockAzure()
            for allowed in ["'gpt-4o, mini'", "[gpt-4o, mini]"] {
                let client = "{name: Team 1, key: \(Self.key), deployments_allowed: \(allowed)}"
                let endpoints = [endpoint(upstream)]
                let listed = try serve(
                    file(client: client, plugins: ["AllowDeployments"], endpoints: endpoints),
                    upstream
                )
                #expect(try ask(listed, "gpt-4o").status == 200)
                #expect(try ask(listed, "mini").status == 200)
                #expect(try ask(listed, "other").status == 401)
                let unlisted = try serve(file(client: client, endpoints: endpoints), upstream)
                #expect(try ask(unlisted, "other").status == 200)
            }
        }

        @Test("`clients[].max_tokens_per_minute_in_k`")
        func limit() throws {
            let upstream = try MockAzure()
            let client = "{name: Team 1, key: \(Self.key), max_tokens_per_minute_in_k: 0.5}"
            let endpoints = [endpoint(upstream)]
            let listed = try serve(file(client: client, plugins: ["LimitUsage"], endpoints: endpoints), upstream)
            #expect(try ask(listed, "gpt-4o", tokens: 450).status == 200)
            let refused = try ask(listed, "gpt-4o", tokens: 450)
            #expect(refused.status == 429 && refused.header("retry-after-ms") != nil)
            #expect(try ask(listed, "mini", tokens: 450).status == 200, "each deployment by itself")
            let unlisted = try serve(file(client: client, endpoints: endpoints), upstream)
            for _ in 0..<3 { #expect(try ask(unlisted, "gpt-4o", tokens: 450).status == 200) }
        }

        @Test("the same as a map")
        func limits() throws {
            let upstream = try MockAzure()
            let client = "{name: Team 1, key: \(Self.key), max_tokens_per_minute_in_k: {gpt-4o: 0.5, mini: 2}}"
            let gateway = try serve(
                file(client: client, plugins: ["LimitUsage"], endpoints: [endpoint(upstream)]),
                upstream
            )
            #expect(try ask(gateway, "gpt-4o", tokens: 450).status == 200)
            #expect(try ask(gateway, "gpt-4o", tokens: 450).status == 429)
            #expect(try ask(gateway, "mini", tokens: 450).status == 200)
            #expect(try ask(gateway, "mini", tokens: 450).status == 200)
            #expect(try ask(gateway, "other").status == 403)
        }

        @Test("LimitUsage's `redis`")
        func redis() async throws {
            let redis = try await TLSRedisServer(user: "unused")
            try redis.ask("CONFIG", "SET", "requirepass", "the-password")
            let upstream = try MockAzure()
            let client = "{name: Team 1, key: \(Self.key), max_tokens_per_minute_in_k: 0.5}"
            let plugin = "LimitUsage, redis: {redis_host: \"127.0.0.1:\(redis.port)\", redis_password: the-password}"
            let text = file(client: client, plugins: [plugin], endpoints: [endpoint(upstream)])
            // The system's certificates are those that it is checked against.
            let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\""
            let launcher = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, redis.caFile]
            let replicas = try (0..<2).map { _ in try serve(text, upstream, launcher: launcher) }
            for replica in replicas {
                try wait(for: "Redis") { try replica.metric("sluice_limiter_shared") == 1 }
            }
            #expect(try ask(replicas[0], tokens: 450).status == 200)
            #expect(try ask(replicas[1], tokens: 450).status == 429, "what one replica admits counts for all")
        }

        @Test("LogUsageToConsole, LogUsageToCsvFile, LogUsageToLogAnalytics")
        func sinks() throws {
            let upstream = try MockAzure()
            let azure = try DocumentServer { request in
                request.method == .POST ? .document(204, "") : CredentialGatewayTests.token("own")
            }
            let rule = "dcr-" + String(repeating: "0", count: 32)
            let plugins = [
                "LogUsageToConsole", "LogUsageToCsvFile",
                "LogUsageToLogAnalytics, log_ingestion_endpoint: \"\(azure.base)\", data_collection_rule_id: \(rule)",
            ]
            let gateway = try serve(
                file(plugins: plugins, endpoints: [endpoint(upstream)]),
                upstream,
                environment: ["IDENTITY_ENDPOINT": azure.base + "/msi/token", "IDENTITY_HEADER": "word"]
            )
            #expect(try ask(gateway).status == 200)
            try wait(for: "the console") {
                gateway.process.printed.contains("Azure OpenAI Standin Deployment : gpt-4o\n")
            }
            try wait(for: "a row in ../logs") {
                let logs = gateway.path("logs")
                let files = (try? FileManager.default.contentsOfDirectory(atPath: logs)) ?? []
                return try files.filter { $0.hasSuffix(".csv") }.contains { name in
                    let rows = try String(contentsOfFile: "\(logs)/\(name)", encoding: .utf8).split(separator: "\n")
                    return rows.count == 2 && rows[0].hasPrefix("request_received_utc,") && rows[1].contains(",Team 1,")
                }
            }
            try wait(for: "the table") {
                azure.requests.contains {
                    $0.method == .POST
                        && $0.path.contains("/dataCollectionRules/\(rule)/streams/Custom-AzureOpenAIUsage_PP_CL")
                }
            }
        }

        @Test("`aoai.endpoints[]`")
        func endpoints() throws {
            let busy = try ScriptedUpstream.answering(
                "HTTP/1.1 429 X\r\nretry-after-ms: 60000\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
            )
            let second = try ScriptedUpstream.answering()
            let identity = try DocumentServer { _ in CredentialGatewayTests.token("own") }
            let gateway = try serve(
                file(endpoints: [endpoint(busy, "A 1"), "{name: b, url: \"http://127.0.0.1:\(second.port)\"}"]),
                busy,
                environment: ["IDENTITY_ENDPOINT": identity.base + "/msi/token", "IDENTITY_HEADER": "word"]
            )
            for _ in 0..<3 { #expect(try ask(gateway).status == 200) }
            #expect(busy.requests.count == 1, "in order, and a busy one is left alone")
            #expect(busy.requests.first?.header("api-key") == GatewayConfigurationText.upstreamKey)
            #expect(second.requests.map { $0.header("authorization") } == ["Bearer own", "Bearer own", "Bearer own"])
        }

        @Test("`virtual_deployments[].standins[]`")
        func standIns() throws {
            let upstream = try MockAzure(deployments: ["ptu,rpm=1,rpm-window=1", "payg"])
            let virtual = ", virtual_deployments: [{name: gpt-4o, standins: [{name: gone}, {name: payg}]}]"
            let gateway = try serve(file(endpoints: [endpoint(upstream, "west", virtual)]), upstream)
            let response = try ask(gateway)
            #expect(response.status == 200)
            #expect(response.header("x-sluice-deployment") == "west/payg")
            #expect(try ask(gateway, "payg").status == 404, "only virtual deployments are known")
        }

        @Test("endpoints without `virtual_deployments`")
        func anyModel() throws {
            let upstream = try ScriptedUpstream.answeringWithTarget()
            let gateway = try serve(file(endpoints: [endpoint(upstream)]), upstream)
            for name in ["gpt-4o", "whatever-1"] {
                #expect(try ask(gateway, name).text.hasPrefix("/openai/deployments/\(name)/chat/completions"))
            }
            let virtual = ", virtual_deployments: [{name: gpt-4o, standins: [{name: payg}]}]"
            let both = try serve(
                file(endpoints: [endpoint(upstream, "west", virtual), endpoint(upstream, "east")]),
                upstream
            )
            #expect(try ask(both, "gpt-4o").text.contains("/deployments/payg/"))
            #expect(try ask(both, "whatever-1").header("x-sluice-deployment") == "east/whatever-1")
        }

        @Test("`non_streaming_fraction`")
        func fraction() throws {
            let upstream = try ScriptedUpstream.answeringWithTarget()
            // Of the stand-in: nothing but streams. Of the endpoint, where a stand-in has none.
            for (own, ofEndpoint) in [(", non_streaming_fraction: 0", 1), ("", 0)] {
                let first =
                    ", non_streaming_fraction: \(ofEndpoint), virtual_deployments: [{name: m, standins: [{name: ptu\(own)}]}]"
                let second = ", virtual_deployments: [{name: m, standins: [{name: payg}]}]"
                let gateway = try serve(
                    file(endpoints: [endpoint(upstream, "west", first), endpoint(upstream, "east", second)]),
                    upstream
                )
                for _ in 0..<20 {
                    #expect(try ask(gateway, "m").header("x-sluice-deployment") == "east/payg")
                    #expect(try ask(gateway, "m", stream: true).header("x-sluice-deployment") == "west/ptu")
                }
            }
            let half = ", non_streaming_fraction: 0.5"
            let gateway = try serve(
                file(endpoints: [endpoint(upstream, "west", half), endpoint(upstream, "east")]),
                upstream
            )
            let first = try (0..<200).map { _ in try ask(gateway).header("x-sluice-deployment") }
                .filter { $0 == "west/gpt-4o" }
            #expect(60...140 ~= first.count, "about half; further off once in ten million runs")
        }

        @Test("`connections` of `aoai` or of an endpoint: `limits.max_connections`")
        func connections() throws {
            let upstream = try MockAzure()
            let shared = "connections: {limits: {max_connections: 2, keepalive_expiry: 5}}"
            let gateway = try serve(file(aoai: [shared], endpoints: [endpoint(upstream)]), upstream)
            for _ in 0..<3 { #expect(try ask(gateway).status == 200) }
            #expect(gateway.process.printed.contains("note: PowerProxy's 'keepalive_expiry' has no counterpart"))
        }

        @Test("the same: `timeouts`")
        func timeouts() throws {
            let silent = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.awaitClose()
            }
            let own = ", connections: {timeouts: {connect: 1, read: 0.2}}"
            let gateway = try serve(
                file(aoai: ["connections: {timeouts: {read: 60}}"], endpoints: [endpoint(silent, "west", own)]),
                silent
            )
            let start = ContinuousClock.now
            #expect(try ask(gateway).status == 504)
            #expect(ContinuousClock.now - start < .seconds(15))
        }

        @Test("`aoai.mock_response`")
        func mock() throws {
            let text = """
                clients: [{name: Team 1, key: \(Self.key)}]
                aoai:
                  mock_response: {ms_to_wait_before_return: 50, json: {"id": "chatcmpl-1", "n": 1}}
                """
            let gateway = try serve(text, NoUpstream())
            let start = ContinuousClock.now
            let response = try ask(gateway)
            #expect(response.status == 200)
            #expect(response.text == #"{"id":"chatcmpl-1","n":1}"#)
            #expect(ContinuousClock.now - start >= .milliseconds(50))
            #expect(try ask(gateway, key: "another-key-0123").status == 401)
        }

        @Test("`aoai.forward_http_header_only_if_name_matches`")
        func headers() throws {
            let upstream = try ScriptedUpstream.answering()
            let expression = "forward_http_header_only_if_name_matches: ^(?!x-internal-).*"
            let gateway = try serve(file(aoai: [expression], endpoints: [endpoint(upstream)]), upstream)
            #expect(try ask(gateway, headers: ["x-team: a", "x-internal-id: b"]).status == 200)
            let request = try #require(upstream.requests.first)
            #expect(request.header("x-team") == "a")
            #expect(request.header("x-internal-id") == nil)
            #expect(request.values("api-key") == [GatewayConfigurationText.upstreamKey])
        }

        @Test("`GET /powerproxy/health/liveness`")
        func health() throws {
            let upstream = try NoUpstream()
            let gateway = try serve(file(endpoints: [endpoint(upstream)]), upstream)
            let client = try gateway.connect()
            try client.request("GET", "/powerproxy/health/liveness", key: nil)
            #expect(try client.response().status == 204)
        }

        @Test("`azure_subscription_id`, `region`, `resource_group`, `unique_prefix`")
        func ignored() throws {
            let upstream = try MockAzure()
            let more =
                "azure_subscription_id: 00000000-0000-0000-0000-000000000000\nregion: westeurope\nresource_group: a\nunique_prefix: b\n"
            let gateway = try serve(file(endpoints: [endpoint(upstream)]) + more, upstream)
            #expect(try ask(gateway).status == 200)
            #expect(!gateway.process.printed.contains("is not known and ignored"))
        }

        @Test("other plugins, `fixed_client`, part of a service principal")
        func refused() throws {
            let upstream = try NoUpstream()
            let plugin =
                "LogUsageToLogAnalytics, log_ingestion_endpoint: \"https://a\", data_collection_rule_id: dcr-1, credential_client_secret: s"
            for (text, message) in [
                (file(plugins: ["MyPlugin"], endpoints: [endpoint(upstream)]), "'MyPlugin'"),
                (file(endpoints: [endpoint(upstream)]) + "fixed_client: Team 1\n", "'fixed_client' is not supported"),
                (
                    file(plugins: [plugin], endpoints: [endpoint(upstream)]),
                    "needs 'credential_tenant_id' and 'credential_client_id' beside it"
                ),
            ] {
                let error = #expect(throws: EndedEarly.self) { _ = try serve(text, upstream) }
                #expect(error?.status == .exited(1))
                #expect(error?.printed.contains(message) == true, "\(error?.printed ?? "")")
            }
        }

        @Test("port 80")
        func port() throws {
            let upstream = try NoUpstream()
            let gateway = try serve(file(endpoints: [endpoint(upstream)]), upstream)
            #expect(gateway.process.printed.contains("note: PowerProxy listens on port 80 unless told otherwise"))
        }

        @Test("The table has these rows, and no others")
        func rows() throws {
            func text(_ path: String) throws -> String {
                try String(contentsOf: Build.checkout.appendingPathComponent(path), encoding: .utf8)
            }
            let section = try #require(
                try text("docs/configuration.md").split(separator: "\n## From PowerProxy\n").last?
                    .split(separator: "\n## ").first
            )
            let rows = section.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
                .compactMap { $0.dropFirst(2).split(separator: " | ").first.map(String.init) }
            let tests = try text("Tests/IntegrationTests/PowerProxyTableTests.swift")
                .matches(of: /\n        @Test\("([^"]+)"\)/).map { String($0.1) }
            #expect(rows.count > 15)
            #expect(tests.filter { $0 != "The table has these rows, and no others" } == rows)
        }
    }
}
