internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("A changed configuration")
    struct ReloadTests {
        private static func file(
            _ upstream: any Upstream,
            limits: String = "{requests_per_minute: 600}",
            name: String = "team-a",
            key: String = GatewayConfigurationText.key,
            endpoint: String = "west",
            upstreamKey: String = GatewayConfigurationText.upstreamKey,
            top: [String] = []
        ) -> String {
            (["listen: 127.0.0.1:0", "admin: 127.0.0.1:0"] + top + [
                "clients:",
                "  - {name: \(name), api_keys: [\(key)], limits: \(limits)}",
                "endpoints:",
                "  - {name: \(endpoint), url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(upstreamKey)}",
                "models:",
                "  - {name: gpt-4o, deployments: [{endpoint: \(endpoint), deployment: gpt-4o}]}",
            ]).joined(separator: "\n") + "\n"
        }

        private static func ask(_ gateway: Gateway, key: String = GatewayConfigurationText.key) throws -> Response {
            let client = try gateway.connect()
            let body = #"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":20}"#
            try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8), key: key)
            return try client.response()
        }

        private static func reloads(_ gateway: Gateway) throws -> Int {
            try gateway.metric("sluice_configuration_reloads_total", "taken_up")
        }

        private static func awaitReloads(_ count: Int, _ gateway: Gateway) throws {
            try wait(for: "reload \(count)") { try reloads(gateway) == count }
        }

        @Test("counts from the next request on, without a signal")
        func limit() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(file: Self.file(upstream), upstream: upstream)
            #expect(try Self.ask(gateway).header("x-ratelimit-limit-requests") == "600")
            let hash = try gateway.status("configuration")["hash"] as? String
            try gateway.rewrite(Self.file(upstream, limits: "{requests_per_minute: 60}"))
            try Self.awaitReloads(1, gateway)
            #expect(try Self.ask(gateway).header("x-ratelimit-limit-requests") == "60")
            #expect(try gateway.status("configuration")["hash"] as? String != hash)
            #expect(gateway.process.printed.contains("requests per minute"), "the log says what has changed")
        }

        @Test("with errors changes nothing, and says so everywhere until it is mended")
        func broken() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(file: Self.file(upstream), upstream: upstream)
            try gateway.rewrite("clients: [{nam: team-a}]\n")
            gateway.process.signal(SIGHUP)
            try wait(for: "word of the error") { try gateway.metric("sluice_configuration_broken") == 1 }
            #expect(try Self.ask(gateway).status == 200)
            let error = try #require(try gateway.status("configuration")["error"] as? String)
            #expect(error.contains("sluice.yaml:1:12: "), "\(error)")
            #expect(gateway.process.printed.contains("the configuration has errors; the old one stays in force"))
            #expect(try gateway.metric("sluice_configuration_reloads_total", "failed") >= 1)
            try gateway.rewrite(Self.file(upstream))
            try wait(for: "word that it is mended") { try gateway.metric("sluice_configuration_broken") == 0 }
            #expect(try gateway.status("configuration")["error"] is NSNull)
        }

        @Test("takes new names, and keeps the counts of the old ones")
        func names() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(file: Self.file(upstream), upstream: upstream)
            #expect(try Self.ask(gateway).status == 200)
            try gateway.rewrite(Self.file(upstream, name: "team-z", key: "another-key", endpoint: "north"))
            gateway.process.signal(SIGHUP)
            try Self.awaitReloads(1, gateway)
            #expect(try Self.ask(gateway).status == 401)
            #expect(try Self.ask(gateway, key: "another-key").status == 200)
            try gateway.awaitIdle()
            for (client, endpoint) in [("team-a", "west"), ("team-z", "north")] {
                #expect(try gateway.metric("sluice_requests_total", "client=\"\(client)\"", "status=\"2xx\"") == 1)
                #expect(
                    try gateway.metric("sluice_upstream_attempts_total", "endpoint=\"\(endpoint)\"", "2xx") == 1
                )
            }
        }

        @Test("of a secret in a file that a link leads to is taken up when the link is swapped")
        func secret() throws {
            let upstream = try MockAzure()
            let folder = try TemporaryFolder()
            let link = folder.url.appendingPathComponent("data")
            for (version, key) in [("1", "wrong-key-of-west"), ("2", GatewayConfigurationText.upstreamKey)] {
                let directory = folder.url.appendingPathComponent(version)
                try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
                try key.write(to: directory.appendingPathComponent("key"), atomically: true, encoding: .utf8)
            }
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "1")
            let file = Self.file(upstream, upstreamKey: "\"${file:\(link.path)/key}\"")
            let gateway = try Gateway(file: file, upstream: upstream)
            #expect(try Self.ask(gateway).status == 401)
            // As the kubelet does it: a new link beside the old one, renamed over it.
            let next = folder.url.appendingPathComponent("next")
            try FileManager.default.createSymbolicLink(atPath: next.path, withDestinationPath: "2")
            #expect(rename(next.path, link.path) == 0)
            try Self.awaitReloads(1, gateway)
            #expect(try Self.ask(gateway).status == 200)
        }

        @Test("of an address is put off until the next start, and the rest is not")
        func restart() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(file: Self.file(upstream), upstream: upstream)
            let top = ["coordination: {redis: \"redis://127.0.0.1:1\"}"]
            try gateway.rewrite(Self.file(upstream, limits: "{requests_per_minute: 30}", top: top))
            try Self.awaitReloads(1, gateway)
            #expect(try gateway.status("configuration")["needs_restart"] as? [String] == ["coordination"])
            #expect(try gateway.metric("sluice_configuration_needs_restart") == 1)
            #expect(try Self.ask(gateway).header("x-ratelimit-limit-requests") == "30")
        }

        @Test("does not touch what is spent of a limit")
        func spent() throws {
            let upstream = try MockAzure()
            let gateway = try Gateway(
                file: Self.file(upstream, limits: "{requests_per_minute: 3}"),
                upstream: upstream
            )
            for _ in 0..<3 { #expect(try Self.ask(gateway).status == 200) }
            try gateway.rewrite(Self.file(upstream, limits: "{requests_per_minute: 3, tokens_per_minute: 1M}"))
            gateway.process.signal(SIGHUP)
            try Self.awaitReloads(1, gateway)
            #expect(try Self.ask(gateway).status == 429)
        }
    }
}
