internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The start of a gateway")
    struct StartTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        /// Runs `sluice` to its end.
        private func run(_ arguments: String...) throws -> (status: ChildProcess.ExitStatus, printed: String) {
            let process = try ChildProcess(
                Build.executable("sluice"),
                arguments,
                output: folder.url.appendingPathComponent(UUID().uuidString)
            )
            return (try process.awaitExit(), process.printed)
        }

        private static let broken = """
            listen: 127.0.0.1:PORT
            admin: 127.0.0.1:0
            sever: {}
            clients:
              - {name: team-a, api_keys: [key-of-team-a], models: [gpt-5o]}
            endpoints:
              - {name: west, url: "ftp://nowhere"}
            models:
              - {name: gpt-4o, deployments: [{endpoint: wets, deployment: gpt-4o}]}
            """

        @Test("fails on a broken file with all its errors, each with its place, before anything listens")
        func brokenFile() throws {
            // If it listened, it would have to fail with another sentence: the port is taken.
            let taken = try ListeningSocket()
            let text = Self.broken.replacingOccurrences(of: "PORT", with: "\(taken.port)")
            let file = try folder.write(text, to: "broken.yaml").path
            let ports = folder.url.appendingPathComponent("ports")
            for result in [
                try run("serve", "--config", file, "--port-file", ports.path), try run("config", "check", file),
            ] {
                #expect(result.status == .exited(1))
                let lines = result.printed.split(separator: "\n")
                for place in ["3:1", "5:", "7:", "9:"] {
                    #expect(
                        lines.contains { $0.hasPrefix("\(file):\(place)") },
                        "nothing about \(place): \(result.printed)"
                    )
                }
                for line in lines {
                    #expect(line.wholeMatch(of: /.+\/broken\.yaml:\d+:\d+: .+/) != nil, "\(line)")
                }
                #expect(!result.printed.contains("key-of-team-a"))
            }
            #expect(!FileManager.default.fileExists(atPath: ports.path))
        }

        @Test("fails with one sentence on a file that is not there")
        func missingFile() throws {
            let result = try run("serve", "--config", "/nonexistent/sluice.yaml")
            #expect(result.status == .exited(1))
            #expect(result.printed.split(separator: "\n").count == 1)
            #expect(result.printed.contains("/nonexistent/sluice.yaml"))
        }

        @Test("fails with one sentence on a port that is taken", arguments: ["listen", "admin"])
        func portTaken(key: String) throws {
            let taken = try ListeningSocket()
            let file = try folder.write(GatewayConfigurationText().text(upstreamPort: 1), to: "sluice.yaml").path
            let result = try run("serve", "--config", file, "--\(key)", "127.0.0.1:\(taken.port)")
            #expect(result.status == .exited(1))
            let sentences = result.printed.split(separator: "\n").filter { !$0.hasPrefix("{") }
            #expect(sentences.count == 1, "\(result.printed)")
            #expect(sentences.first?.hasPrefix("sluice: cannot listen on 127.0.0.1:\(taken.port)") == true)
            #expect(sentences.first?.contains("'\(key)'") == true)
        }

        @Test("can be tried with `config check`, which says what a good file means and shows no key")
        func goodFile() throws {
            let file = try folder.write(GatewayConfigurationText().text(upstreamPort: 1), to: "sluice.yaml").path
            let result = try run("config", "check", file)
            #expect(result.status == .exited(0))
            #expect(result.printed.contains("team-a"))
            #expect(result.printed.contains("gpt-4o-west"))
            #expect(!result.printed.contains("key-of-"))
        }

        /// As in a container: what only root may do fails there.
        @Test("needs no capability to serve a request")
        func withoutCapabilities() throws {
            let launcher = getuid() == 0 ? ["/usr/bin/setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"] : []
            let upstream = try MockAzure()
            let file = GatewayConfigurationText().text(upstreamPort: upstream.port)
            let gateway = try Gateway(file: file, upstream: upstream, launcher: launcher)
            let status = try String(contentsOfFile: "/proc/\(gateway.process.id)/status", encoding: .utf8)
            try #require(status.contains("CapEff:\t0000000000000000\n"))
            let client = try gateway.connect()
            let body = Array(#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}"#.utf8)
            try client.request("POST", "/openai/v1/chat/completions", body: body)
            #expect(try client.response().status == 200)
        }
    }
}
