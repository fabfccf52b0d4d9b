import Foundation
import Testing

@testable import LoadTool

extension ProgramTests {
    @Suite("The command")
    struct CommandTests {
        private static let smoke = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../bench/scenarios/smoke.yaml").standardized.path

        private func command(_ arguments: [String], load: String = "{closed: {workers: 2, for: 1s}}") throws -> Program
        {
            let scenario = """
                load: \(load)
                clients: [{name: a, key: mock-key}]
                requests: [{model: gpt-4o}]
                """
            return try Program("sluice-load", arguments, files: ["s.yaml": scenario])
        }

        @Test("ends with 0, writes what it was asked for, and its results can be compared")
        func success() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let files = ["--json", "r.json", "--html", "r.html"]
            let program = try command(["s.yaml", "--target", mock.address, "--mock", mock.address] + files)
            #expect(try await program.end() == 0)
            #expect(program.output.contains("closed loop") && program.output.contains("mock-azure"))
            // Plain lines, as this is no terminal.
            #expect(program.errors.contains("in flight") && !program.errors.contains("\u{1B}"))
            let result = try ResultFile.read(program.folder.appending(path: "r.json").path)
            #expect(result.total.succeeded > 0)
            #expect(program.text("r.html").hasPrefix("<!doctype html>"))
            let json = program.folder.appending(path: "r.json").path
            let comparison = try Program("sluice-load", ["compare", json, json, "--fail-if-worse"])
            #expect(try await comparison.end() == 0)
            #expect(comparison.output.contains("throughput (2xx/s)"))
        }

        @Test("ends with 1 when a condition to fail holds, or has no figure")
        func conditions() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            for (condition, status) in [("requests>0", 1), ("first_token.p99>1ms", 1), ("errors>0", 0)]
                as [(String, Int32)]
            {
                let program = try command(["s.yaml", "--target", mock.address, "--fail-if", condition, "--quiet"])
                #expect(try await program.end() == status)
                #expect(program.output.contains(status == 1 ? "FAILED: \(condition)" : "held: not \(condition)"))
                #expect(program.errors.isEmpty)
            }
        }

        @Test(
            "ends with 2 and one sentence when the load cannot be started",
            arguments: [
                (["gone.yaml"], "cannot read gone.yaml"),
                (["s.yaml"], "no targets"),
                (["s.yaml", "--target", "http://127.0.0.1:1"], "cannot be used: cannot connect"),
                (["s.yaml", "--target", "x"], "--target takes an address"),
                (["s.yaml", "--target", "http://127.0.0.1:1", "--fail-if", "p98>1ms"], "--fail-if takes a condition"),
                (["s.yaml", "--target", "http://127.0.0.1:1", "--json", "/nowhere/x"], "cannot write /nowhere/x"),
                (["compare", "s.yaml", "s.yaml"], "is no result of sluice-load"),
            ]
        )
        func refusals(arguments: [String], reason: String) async throws {
            let program = try command(arguments)
            #expect(try await program.end() == 2)
            #expect(program.errors.contains(reason))
            #expect(program.errors.count { $0 == "\n" } == 1)
            #expect(program.output.isEmpty)
        }

        @Test("prints the results so far when it is interrupted, and ends with 130")
        func interrupt() async throws {
            let mock = try await Mock.start()
            defer { withExtendedLifetime(mock) {} }
            let program = try command(["s.yaml", "--target", mock.address], load: "{closed: {workers: 2, for: 10m}}")
            _ = try await program.ready("the first line of progress") { program.errors.contains("\n") ? true : nil }
            program.send(SIGINT)
            #expect(try await program.end() == 130)
            #expect(program.output.contains("interrupted"))
            #expect(program.output.contains("latency"))
        }
    }
}
