internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("`sluice health`")
    struct HealthCommandTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func health(_ arguments: [String]) throws -> (status: ChildProcess.ExitStatus, printed: String) {
            let output = folder.url.appendingPathComponent(UUID().uuidString)
            let process = try ChildProcess(Build.executable("sluice"), ["health"] + arguments, output: output)
            return (try process.awaitExit(), process.printed)
        }

        @Test("says yes to a gateway that runs, and prints nothing")
        func well() throws {
            let gateway = try Gateway(upstream: NoUpstream())
            for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
                for option in [[], ["--ready"]] {
                    let result = try health(["--admin", "\(host):\(gateway.adminPort)"] + option)
                    #expect(result.status == .exited(0), "\(host) \(option)")
                    #expect(result.printed.isEmpty)
                }
            }
        }

        @Test("says that a gateway which shuts down is alive and not ready")
        func draining() throws {
            var configuration = GatewayConfigurationText()
            configuration.server = ["drain: {lame_duck: 60s, grace: 1s}"]
            let gateway = try Gateway(configuration, upstream: NoUpstream())
            gateway.process.signal(SIGTERM)
            try wait(for: "not to be ready") { try gateway.admin("/health/ready").status == 503 }
            let admin = "127.0.0.1:\(gateway.adminPort)"
            #expect(try health(["--admin", admin]).status == .exited(0))
            let ready = try health(["--admin", admin, "--ready"])
            #expect(ready.status == .exited(1))
            #expect(ready.printed == "sluice: /health/ready answers 503 (admin listener \(admin))\n")
        }

        @Test("says no, with the reason, where nobody listens")
        func nobody() throws {
            let admin = "127.0.0.1:\(try ListeningSocket().port)"
            let result = try health(["--admin", admin])
            #expect(result.status == .exited(1))
            #expect(result.printed == "sluice: cannot connect: Connection refused (admin listener \(admin))\n")
        }

        @Test("says no to a listener that accepts and never answers, in a bounded time")
        func silence() throws {
            let silent = try ListeningSocket()
            let result = try health(["--admin", "127.0.0.1:\(silent.port)"])
            #expect(result.status == .exited(1))
            #expect(result.printed.hasPrefix("sluice: no answer: timed out"), "\(result.printed)")
        }

        @Test(
            "says no to what is not an admin listener",
            arguments: ["", "HTTP/1.1", "HTTP/1.1 OK  ", "SSH-2.0-OpenSSH_9.2p1", "HTTP/1.1 99999"]
        )
        func stranger(answer: String) throws {
            let stranger = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send(answer)
            }
            let result = try health(["--admin", "127.0.0.1:\(stranger.port)"])
            #expect(result.status == .exited(1))
            #expect(!result.printed.isEmpty)
        }

        @Test("refuses an address that is none, and shows an example in its help")
        func usage() throws {
            for address in ["9090", "127.0.0.1", "127.0.0.1:0", ":9090"] {
                let result = try health(["--admin", address])
                #expect(result.status == .exited(64))
                #expect(result.printed.contains("--admin takes host:port"))
            }
            let help = try health(["--help"])
            #expect(help.status == .exited(0))
            #expect(help.printed.contains("Example: sluice health --admin 127.0.0.1:9090"))
        }
    }
}
