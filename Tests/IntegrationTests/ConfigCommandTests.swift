internal import Foundation
internal import Testing

extension Integration {
    @Suite("The commands for configurations")
    struct ConfigCommandTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private static let variable = "POWERPROXY_CONFIG_STRING"

        private static func powerProxy(port: Int) -> String {
            """
            clients: [{name: Team 1, key: \(GatewayConfigurationText.key)}]
            aoai:
              endpoints: [{name: west, url: "http://127.0.0.1:\(port)/", key: \(GatewayConfigurationText.upstreamKey)}]
            """
        }

        private func start(_ arguments: [String], powerProxy: String? = nil) throws -> ChildProcess {
            try ChildProcess(
                Build.executable("sluice"),
                arguments,
                environment: powerProxy.map { [Self.variable: $0] } ?? [:],
                output: folder.url.appendingPathComponent(UUID().uuidString)
            )
        }

        /// Runs `sluice` to its end.
        private func run(
            _ arguments: String...,
            powerProxy: String? = nil
        ) throws -> (status: ChildProcess.ExitStatus, printed: String) {
            let process = try start(arguments, powerProxy: powerProxy)
            return (try process.awaitExit(), process.printed)
        }

        @Test("serve as PowerProxy's variable says, and say where they differ")
        func serve() throws {
            let mock = try MockAzure()
            let ports = folder.url.appendingPathComponent("ports")
            let process = try start(
                ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--port-file", ports.path],
                powerProxy: Self.powerProxy(port: mock.port)
            )
            let line = try wait(for: "the gateway's ports") { () throws -> Substring? in
                if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
                let lines = (try? String(contentsOf: ports, encoding: .utf8))?.split(separator: "\n") ?? []
                return lines.count == 2 ? lines[0] : nil
            }
            let port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
            let client = Client(try TCPSocket.connect(port: port))
            let body = Array(#"{"messages":[{"role":"user","content":"hello"}]}"#.utf8)
            try client.request(
                "POST",
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
                headers: ["content-type: application/json"],
                body: body
            )
            #expect(try client.response().status == 200)
            #expect(process.printed.hasPrefix("\(Self.variable):1:1: note: PowerProxy listens on port 80"))
        }

        @Test("check and import without a file what the variable holds")
        func variable() throws {
            let check = try run("config", "check", powerProxy: Self.powerProxy(port: 1))
            #expect(check.status == .exited(0))
            #expect(check.printed.contains("  Team 1 (1 API key) may use every model"))

            let imported = try run("config", "import", powerProxy: Self.powerProxy(port: 1))
            #expect(imported.status == .exited(0))
            let native = try folder.write(imported.printed, to: "native.yaml").path
            #expect(try run("config", "check", native).printed == check.printed.split(separator: "\n", maxSplits: 1)[1])
            #expect(try run("config", "diff", native, native) == (.exited(0), "No change.\n"))

            let again = try run("config", "import", native)
            #expect(again.status == .exited(1))
            #expect(again.printed == "sluice: \(native) is no PowerProxy file: it has no 'aoai' at its top level\n")
        }

        @Test("end with one sentence when there is neither a file nor the variable")
        func nothing() throws {
            for arguments in [["serve"], ["config", "check"], ["config", "import"]] {
                let process = try start(arguments)
                #expect(try process.awaitExit() == .exited(1))
                #expect(
                    process.printed
                        == "sluice: no configuration: name a file, or set \(Self.variable) to PowerProxy's configuration\n"
                )
            }
        }

        @Test("say what a change means")
        func diff() throws {
            let old = try folder.write(GatewayConfigurationText().text(upstreamPort: 1), to: "old.yaml").path
            let new = try folder.write(GatewayConfigurationText().text(upstreamPort: 2), to: "new.yaml").path
            let result = try run("config", "diff", old, new)
            #expect(result.status == .exited(0))
            #expect(result.printed == "endpoints:\n  west: url http://127.0.0.1:1 -> http://127.0.0.1:2\n")
            #expect(try run("config", "diff", old, "/nonexistent").status == .exited(1))
        }
    }
}
