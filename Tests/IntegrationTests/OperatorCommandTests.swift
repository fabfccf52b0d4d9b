internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The commands of operators")
    struct OperatorCommandTests {
        private let folder: TemporaryFolder
        private let redis: RedisServer

        init() throws {
            folder = try TemporaryFolder()
            redis = try RedisServer()
        }

        private func file(_ upstreamPort: Int) throws -> String {
            let key = GatewayConfigurationText.key
            let text =
                [
                    "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
                    "coordination: {redis: \"redis://127.0.0.1:\(redis.port)\", deadline: 2s}",
                    "clients:",
                    "  - name: team-a",
                    "    api_keys: [\(key)]",
                    "    limits: {requests_per_minute: 6, tokens_per_day: 1M, concurrent_requests: 4}",
                    "    burst: {requests: 2}",
                    "    model_limits: {gpt-4o: {tokens_per_minute: 6000}}",
                    "endpoints:",
                    "  - {name: west, url: \"http://127.0.0.1:\(upstreamPort)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
                    "models:",
                    "  - {name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o, limits: {tokens_per_minute: 9000}}]}",
                ].joined(separator: "\n") + "\n"
            return text
        }

        private func gateway() throws -> Gateway {
            let upstream = try MockAzure()
            let text = try file(upstream.port)
            _ = try folder.write(text, to: "fleet.yaml")
            let gateway = try Gateway(file: text, upstream: upstream)
            try wait(for: "Redis to be in use") { try gateway.metric("sluice_limiter_shared") == 1 }
            return gateway
        }

        private func run(_ arguments: String...) throws -> (status: ChildProcess.ExitStatus, printed: String) {
            let output = folder.url.appendingPathComponent(UUID().uuidString)
            let file = folder.url.appendingPathComponent("fleet.yaml").path
            let process = try ChildProcess(
                Build.executable("sluice"),
                arguments + ["--config", file],
                output: output
            )
            return (try process.awaitExit(), process.printed)
        }

        private func table(_ name: String, _ arguments: String...) throws -> [[String: Any]] {
            let output = folder.url.appendingPathComponent(UUID().uuidString)
            let file = folder.url.appendingPathComponent("fleet.yaml").path
            let process = try ChildProcess(
                Build.executable("sluice"),
                arguments + ["--json", "--config", file],
                output: output
            )
            #expect(try process.awaitExit() == .exited(0), "\(process.printed)")
            let object = try JSONSerialization.jsonObject(with: Data(process.printed.utf8)) as? [String: Any]
            return try #require(object?[name] as? [[String: Any]], "\(process.printed)")
        }

        private func ask(_ gateway: Gateway) throws -> Int {
            let client = try gateway.connect()
            let body = #"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}],"max_tokens":20}"#
            try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8))
            return try client.response().status
        }

        private func left(_ limit: String) throws -> Int? {
            try table("limits", "limits", "team-a").first { $0["limit"] as? String == limit }?["left"] as? Int
        }

        @Test("show limits as they are spent, and make them full again")
        func limits() throws {
            let gateway = try gateway()
            #expect(try left("requests_per_minute") == 2)
            #expect(try ask(gateway) == 200)
            try gateway.awaitIdle()
            try wait(for: "the settlement") { try gateway.metric("sluice_settlements_waiting") == 0 }
            #expect(try left("requests_per_minute") == 1)
            let day = try #require(try left("tokens_per_day"))
            #expect(day < 1_000_000 && day > 999_000)
            #expect(try left("concurrent_requests") == 4)
            #expect(try ask(gateway) == 200)
            #expect(try ask(gateway) == 429)
            let reset = try run("limits", "reset", "team-a")
            #expect(reset.status == .exited(0), "\(reset.printed)")
            #expect(reset.printed.contains("@") && reset.printed.contains(": limits reset team-a"))
            #expect(try ask(gateway) == 200)
            let changes = try table("changes", "status").compactMap { $0["change"] as? String }
            #expect(changes.count == 1 && changes[0].hasSuffix(": limits reset team-a"))
            try wait(for: "the replica's log") {
                gateway.process.printed.split(separator: "\n").contains {
                    $0.contains("changed by an operator") && $0.contains(changes[0])
                }
            }
        }

        @Test("take a deployment out of service for every replica, and put it back")
        func cooldown() throws {
            let gateway = try gateway()
            #expect(try run("cooldown", "set", "west/gpt-4o", "10m").status == .exited(0))
            let cooling = try #require(try table("deployments", "deployments").first)
            #expect(cooling["state"] as? String == "cooling")
            #expect(try #require(cooling["wait_ms"] as? Int) > 590_000)
            #expect(try ask(gateway) == 429)
            #expect(try run("cooldown", "clear", "west/gpt-4o").status == .exited(0))
            #expect(try table("deployments", "deployments").first?["state"] as? String == "in service")
            #expect(try ask(gateway) == 200)
        }

        @Test("explain what is then decided")
        func explain() throws {
            let gateway = try gateway()
            let arguments = ["explain", "--client", "team-a", "--model", "gpt-4o", "--tokens"]
            func decision(_ tokens: String) throws -> [String: Any] {
                try #require(
                    try table(
                        "decision",
                        arguments[0],
                        arguments[1],
                        arguments[2],
                        arguments[3],
                        arguments[4],
                        "--tokens",
                        tokens
                    ).first
                )
            }
            #expect(try decision("1000")["outcome"] as? String == "admitted")
            #expect(try decision("1000")["deployment"] as? String == "west/gpt-4o")
            for _ in 0..<2 { #expect(try ask(gateway) == 200) }
            let refused = try decision("1000")
            #expect(refused["outcome"] as? String == "refused")
            #expect(refused["reason"] as? String == "requests_per_minute of the client")
            #expect((1...10_000).contains(try #require(refused["wait_ms"] as? Int)))
            #expect(try ask(gateway) == 429)
            let unknown = try run("explain", "--client", "nobody", "--model", "gpt-4o", "--tokens", "1")
            #expect(unknown.status == .exited(1))
            #expect(unknown.printed == "sluice: the configuration has no client 'nobody'; it has team-a\n")
        }

        @Test("show which configuration every replica runs, and a fleet that is mixed")
        func mixed() throws {
            let upstream = try MockAzure()
            let text = try file(upstream.port)
            _ = try folder.write(text, to: "fleet.yaml")
            let first = try Gateway(file: text, upstream: upstream)
            let second = try Gateway(
                file: text.replacing("requests_per_minute: 6", with: "requests_per_minute: 7"),
                upstream: upstream
            )
            try wait(for: "both replicas to be known") { try table("replicas", "status").count == 2 }
            try wait(for: "both replicas to say what they run") {
                let standings = Set(try table("replicas", "status").compactMap { $0["standing"] as? String })
                return standings == ["as this file", "differs from this file"]
            }
            try second.rewrite(text)
            second.process.signal(SIGHUP)
            try wait(for: "one configuration") {
                Set(try table("replicas", "status").compactMap { $0["standing"] as? String }) == ["as this file"]
            }
            // Those that have known both learn of it when they speak next.
            try wait(for: "the metric", until: .in(.seconds(60))) {
                try first.metric("sluice_fleet_configurations") == 1
                    && second.metric("sluice_fleet_configurations") == 1
            }
        }

        @Test("do not write when they only look")
        func readOnly() throws {
            do {
                let gateway = try gateway()
                #expect(try ask(gateway) == 200)
                gateway.process.kill()
            }
            func writes() throws -> Substring? {
                try redis.ask("INFO", "persistence").split(whereSeparator: \.isNewline).first {
                    $0.hasPrefix("rdb_changes_since_last_save")
                }
            }
            let before = try writes()
            #expect(before != nil)
            for command in [
                ["status"], ["limits"], ["limits", "team-a"], ["deployments"],
                ["top", "--count", "2", "--interval", "0.1"],
            ] {
                let printed = try ChildProcess(
                    Build.executable("sluice"),
                    command + ["--config", folder.url.appendingPathComponent("fleet.yaml").path],
                    output: folder.url.appendingPathComponent(UUID().uuidString)
                )
                #expect(try printed.awaitExit() == .exited(0), "\(command): \(printed.printed)")
                #expect(!printed.printed.contains("\u{1B}"), "no escape sequence without a terminal")
            }
            _ = try table("decision", "explain", "--client", "team-a", "--model", "gpt-4o", "--tokens", "10")
            #expect(try writes() == before)
        }

        @Test("say in a sentence that Redis cannot be reached")
        func away() throws {
            _ = try folder.write(
                try file(1).replacing("127.0.0.1:\(redis.port)", with: "127.0.0.1:\(LoopbackPort.free())"),
                to: "fleet.yaml"
            )
            let result = try run("status")
            #expect(result.status == .exited(1))
            #expect(result.printed.hasPrefix("sluice: cannot use the Redis of the configuration"), "\(result.printed)")
        }
    }
}
