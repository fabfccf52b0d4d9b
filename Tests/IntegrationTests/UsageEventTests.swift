internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Usage events")
    struct UsageEventTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private var events: String { folder.url.appendingPathComponent("events").path }
        private var rows: String { folder.url.appendingPathComponent("rows").path }

        private func file(_ upstream: any Upstream, sinks: [String], drain: String = "0s") -> String {
            ([
                "listen: 127.0.0.1:0", "admin: 127.0.0.1:0",
                "server: {drain: {lame_duck: \(drain), grace: 5s}}",
                "clients:",
                "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], limits: {requests_per_minute: 60000}}",
                "  - {name: team-b, api_keys: [\(GatewayConfigurationText.otherKey)], limits: {requests_per_minute: 0}}",
                "endpoints:",
                "  - {name: dead, url: \"http://127.0.0.1:\(LoopbackPort.free())\", api_key: nobody-listens}",
                "  - {name: west, url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey)}",
                "models:",
                "  - name: gpt-4o",
                "    deployments: [{endpoint: west, deployment: gpt-4o-west}]",
                "  - name: moved",
                "    deployments: [{endpoint: dead, deployment: a, tier: 1}, {endpoint: west, deployment: b, tier: 2}]",
                "usage:",
                "  spool: \(folder.url.appendingPathComponent("spool").path)",
                "  sinks:",
            ] + sinks.map { "    - \($0)" }).joined(separator: "\n") + "\n"
        }

        private static func chat(_ model: String = "gpt-4o", stream: Bool = false, user: String? = nil) -> [UInt8] {
            let more = (stream ? ",\"stream\":true" : "") + (user.map { ",\"user\":\"\($0)\"" } ?? "")
            return Array(
                "{\"model\":\"\(model)\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":9\(more)}"
                    .utf8
            )
        }

        private static func ask(_ client: Client, _ body: [UInt8]) throws -> Response {
            try client.request("POST", "/openai/v1/chat/completions?api-version=preview", body: body)
            return try client.response()
        }

        /// The lines of all files of a folder, without heads of columns.
        private static func lines(_ folder: String, head: String? = nil) -> [Substring] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.sorted().flatMap { name -> [Substring] in
                guard name.hasSuffix(".csv") || name.hasSuffix(".jsonl") else { return [] }
                let text = (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
                return text.split(separator: "\n").filter { head == nil || !$0.hasPrefix(head!) }
            }
        }

        private func objects() throws -> [[String: Any]] {
            try Self.lines(events).map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
            }
        }

        @Test("tell of every exchange of a known client, in every sink's form")
        func forms() throws {
            let upstream = try MockAzure()
            let sinks = [
                "{type: console}", "{type: csv, directory: \(rows)}", "{type: jsonl, directory: \(events)}",
                "{type: csv, directory: \(rows)-all, columns: extended}",
            ]
            let gateway = try Gateway(file: file(upstream, sinks: sinks), upstream: upstream)
            let client = try gateway.connect()
            #expect(try Self.ask(client, Self.chat()).status == 200)
            #expect(try Self.ask(client, Self.chat(stream: true)).status == 200)
            #expect(try Self.ask(client, Self.chat("moved")).status == 200)
            let blocked = try gateway.connect()
            try blocked.request(
                "POST",
                "/openai/v1/chat/completions",
                body: Self.chat(),
                key: GatewayConfigurationText.otherKey
            )
            #expect(try blocked.response().status == 403)
            let unknown = try gateway.connect()
            try unknown.request("POST", "/openai/v1/chat/completions", body: Self.chat(), key: "nobody")
            #expect(try unknown.response().status == 401)
            let leaver = try gateway.connect()
            try leaver.request(
                "POST",
                "/openai/v1/chat/completions",
                body: Self.chat(stream: true, user: "mock:interval=50,tokens=400")
            )
            try leaver.fill { $0.text.contains("\"content\":\"The\"") }
            leaver.socket.close()
            try wait(for: "five events") { Self.lines(events).count == 5 }
            try wait(for: "PowerProxy's rows") { Self.lines(rows, head: "request_received_utc").count == 4 }
            try wait(for: "all rows") { Self.lines(rows + "-all", head: "id,").count == 5 }

            let found = try objects()
            #expect(Set(found.compactMap { $0["id"] as? String }).count == 5)
            #expect(found.allSatisfy { $0["schema"] as? Int == 1 })
            let plain = try #require(
                found.first {
                    $0["stream"] as? Bool == false && $0["model"] as? String == "gpt-4o" && $0["status"] as? Int == 200
                }
            )
            #expect(plain["client"] as? String == "team-a")
            #expect(plain["endpoint"] as? String == "west")
            #expect(plain["deployment"] as? String == "gpt-4o-west")
            #expect(plain["api_version"] as? String == "preview")
            #expect(plain["region"] as? String == "East US 2")
            #expect(plain["estimated"] as? Bool == false)
            #expect(plain["upstream_request_id"] != nil)
            let moved = try #require(found.first { $0["model"] as? String == "moved" })
            let attempts = try #require(moved["attempts"] as? [[String: Any]])
            #expect(attempts.map { $0["endpoint"] as? String } == ["dead", "west"])
            #expect(attempts.map { $0["status"] as? Int } == [0, 200])
            #expect(moved["tier"] as? Int == 2)
            let refused = try #require(found.first { $0["client"] as? String == "team-b" })
            #expect((refused["attempts"] as? [Any])?.isEmpty == true)
            #expect(refused["status"] as? Int == 403)
            let left = try #require(found.first { $0["status"] as? Int == 499 })
            #expect(left["error"] as? String == "client_left")
            #expect(left["estimated"] as? Bool == true)
            #expect((left["tokens"] as? [String: Any])?["output"] as? Int ?? 0 > 0)

            let row = try #require(Self.lines(rows, head: "request_received_utc").first).split(
                separator: ",",
                omittingEmptySubsequences: false
            )
            #expect(row.count == 12)
            #expect(row[1] == "team-a")
            #expect(row[8...] == ["west", "gpt-4o", "gpt-4o-west", "preview"])
            try wait(for: "PowerProxy's lines") {
                gateway.process.printed.contains("Azure OpenAI Standin Deployment : gpt-4o-west\n")
            }
            #expect(try gateway.metric("sluice_usage_events_total") == 5)
            #expect(try gateway.metric("sluice_usage_events_lost_total") == 0)
        }

        @Test("outlive a kill -9: none twice, and of those that ended a second before none missing")
        func killed() throws {
            let upstream = try MockAzure()
            let sinks = ["{type: jsonl, directory: \(events)}", "{type: csv, directory: \(rows)}"]
            let text = file(upstream, sinks: sinks)
            for round in 1...3 {
                let gateway = try Gateway(file: text, upstream: upstream)
                let client = try gateway.connect()
                for _ in 0..<40 { #expect(try Self.ask(client, Self.chat()).status == 200) }
                // From then on a kill cannot take them.
                try wait(for: "the spool") { try gateway.metric("sluice_usage_events_total") == 40 }
                for _ in 0..<5 { #expect(try Self.ask(client, Self.chat()).status == 200) }
                gateway.process.kill()
                let next = try Gateway(file: text, upstream: upstream)
                try wait(for: "all that was in the spool") {
                    let count = Self.lines(events).count
                    return count >= round * 40 && Self.lines(rows, head: "request_received_utc").count == count
                }
                next.process.signal(SIGTERM)
                #expect(try next.process.awaitExit() == .exited(0))
            }
            let ids = try objects().compactMap { $0["id"] as? String }
            #expect(Set(ids).count == ids.count)
            #expect(ids.count >= 120)
            #expect(Self.lines(rows, head: "request_received_utc").count == ids.count)
        }

        @Test("wait on the disk while a sink's own is full, and are all there when it has room again")
        func diskFull() throws {
            let upstream = try MockAzure()
            let full = folder.url.appendingPathComponent("full").path
            try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: true)
            let script =
                "mount -t tmpfs -o size=64k tmpfs \"$0\" && head -c 61440 /dev/zero >\"$0/ballast\" && exec \"$@\""
            let gateway = try Gateway(
                file: file(
                    upstream,
                    sinks: ["{type: csv, directory: \(full)}", "{type: jsonl, directory: \(events)}"]
                ),
                upstream: upstream,
                launcher: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, full]
            )
            let client = try gateway.connect()
            for _ in 0..<200 { #expect(try Self.ask(client, Self.chat()).status == 200) }
            try wait(for: "the other sink has all") { Self.lines(events).count == 200 }
            try wait(for: "the full disk is noticed") {
                try gateway.metric("sluice_usage_sink_failures_total", "csv") > 0
            }
            let seen = "/proc/\(gateway.process.id)/root\(full)"
            try FileManager.default.removeItem(atPath: seen + "/ballast")
            try wait(for: "all rows", until: .in(.seconds(60))) {
                Self.lines(seen, head: "request_received_utc").count == 200
            }
        }

        @Test("reach Log Analytics whatever it answers, each once; and a table that hangs holds up no request")
        func logAnalytics() throws {
            let upstream = try MockAzure()
            let azure = try LogsIngestion(in: folder)
            let table =
                "{type: log_analytics, endpoint: \"http://127.0.0.1:\(azure.port)\", rule: dcr-\(String(repeating: "0", count: 32)), stream: Custom-AzureOpenAIUsage_PP_CL, managed_identity: {}}"
            let gateway = try Gateway(
                file: file(upstream, sinks: [table, "{type: jsonl, directory: \(events)}"]),
                upstream: upstream,
                launcher: [
                    "/usr/bin/env", "IDENTITY_ENDPOINT=http://127.0.0.1:\(azure.port)/msi/token",
                    "IDENTITY_HEADER=secret",
                ]
            )
            let client = try gateway.connect()
            var sent = 0
            func send(_ count: Int) throws {
                for _ in 0..<count { #expect(try Self.ask(client, Self.chat()).status == 200) }
                sent += count
            }
            try send(3)
            try wait(for: "the first rows") { try azure.ids().count == sent }
            for mode in ["throttle", "small"] {
                try azure.post("/mode", mode)
                try send(20)
                try wait(for: "the rows after \(mode)", until: .in(.seconds(40))) { try azure.ids().count == sent }
            }
            try azure.post("/mode", "fail")
            try send(5)
            try wait(for: "a failure") { try azure.answers().contains(503) }
            try azure.post("/expire", "")
            try azure.post("/mode", "ok")
            try wait(for: "the rows with another token", until: .in(.seconds(90))) { try azure.ids().count == sent }
            #expect(try azure.answers().contains(429))
            #expect(try azure.answers().contains(413))
            #expect(try azure.answers().contains(401))
            try wait(for: "the events") { Self.lines(events).count == sent }
            let ids = try objects().compactMap { $0["id"] as? String }
            #expect(try azure.ids().sorted() == ids.sorted())

            func slowest() throws -> Duration {
                var times: [Duration] = []
                for _ in 0..<200 {
                    times.append(try ContinuousClock().measure { _ = try Self.ask(client, Self.chat()) })
                }
                return times.sorted()[197]
            }
            let before = try slowest()
            try azure.post("/mode", "hang")
            let during = try slowest()
            print("p99 with a table that takes everything: \(before); with one that hangs: \(during)")
            #expect(during < .seconds(1))
        }
    }
}

/// The stand-in for the Logs Ingestion API and for the identity service of the platform.
private final class LogsIngestion {
    let port: Int
    private let process: ChildProcess

    init(in folder: TemporaryFolder) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("python/logs_ingestion.py").path
        let process = try ChildProcess(
            "/usr/bin/python3",
            [script],
            output: folder.url.appendingPathComponent("ingestion")
        )
        self.process = process
        port = try wait(for: "the stand-in's port") { () throws -> Int? in
            if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
            let line = process.printed.split(separator: "\n").first { $0.hasPrefix("listening on ") }
            return line.flatMap { Int($0.dropFirst(13)) }
        }
    }

    private func state() throws -> [String: Any] {
        let client = Client(try TCPSocket.connect(port: port))
        try client.send("GET /rows HTTP/1.1\r\nhost: azure\r\nconnection: close\r\n\r\n")
        let object = try JSONSerialization.jsonObject(with: Data(client.response().body))
        return try #require(object as? [String: Any])
    }

    func ids() throws -> [String] {
        let rows = try #require(try state()["rows"] as? [[String: Any]])
        return rows.compactMap { $0["EventId"] as? String }
    }

    func answers() throws -> [Int] { try #require(try state()["answers"] as? [Int]) }

    func post(_ path: String, _ text: String) throws {
        let client = Client(try TCPSocket.connect(port: port))
        try client.send(
            "POST \(path) HTTP/1.1\r\nhost: azure\r\nconnection: close\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
        )
        let status = try client.response(to: "POST").status
        guard status == 200 else { throw Unexpected("\(path): \(status)") }
    }
}
