internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    /// Short versions of `make test-fleet` and its neighbours (bench/proof).
    @Suite("A fleet of four")
    struct FleetProofTests {
        @Test("holds limits, slots and books as one, by the log of all its calls to Redis")
        func limits() throws {
            let printed = try Self.prove(["fleet", "--seconds", "4"])
            #expect(printed.contains("I1-I5 and S1-S4 hold."), "\(printed.suffix(3_000))")
            #expect(printed.contains("tokens admitted above a limit: 0 "))
        }

        /// How fast the answers come is for a machine of one's own to show: here others may run beside it.
        @Test("answers while Redis is away, stopped or empty, and has its books in order when it is back")
        func failures() throws {
            let rows = ["blackhole", "SIGSTOP", "killed", "SCRIPT FLUSH", "absent at the start"]
            let printed = try Self.prove(["failures", "--requests", "12", "--grace", "2000"] + rows)
            #expect(printed.contains("All 5 rows hold."), "\(printed.suffix(3_000))")
        }

        /// - Returns: what it printed.
        private static func prove(_ arguments: [String]) throws -> String {
            let folder = try TemporaryFolder()
            let process = try ChildProcess(
                "/usr/bin/python3",
                ["-m", "bench.proof", "--binaries", Build.folder.path] + arguments,
                environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                in: Build.checkout,
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(150)))
            #expect(status == .exited(0), "\(process.printed.suffix(3_000))")
            return process.printed
        }
    }
}
