import Foundation
import Testing

@testable import LoadTool

extension ProgramTests {
    @Suite("`make fleet`")
    struct FleetTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../..").standardized.path

        /// Two seconds: whether programs, configuration and scenario still fit together, not how fast they are.
        @Test("starts Redis, a stand-in and two gateways, runs a scenario, and stops what it started")
        func smoke() async throws {
            let program = try Program(
                "/bin/sh",
                [
                    "-c",
                    """
                    report="$PWD/report"; cd \(Self.root)
                    PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m bench.fleet --binaries \(Program.products.path) \
                    --replicas 2 --scenario smoke --out "$report" -- --for 2s
                    """,
                ]
            )
            let status = try await program.end(within: .seconds(120))
            // On a busy machine the p99 of a debug build may be above the scenario's.
            #expect(status == 0 || program.output.contains("FAILED: p99"), "\(program.output)\n\(program.errors)")
            #expect(program.output.contains("held: not errors>0"))
            let result = try ResultFile.read(program.folder.appending(path: "report/result.json").path)
            #expect(result.byTarget.count == 2)
            #expect(result.byTarget.allSatisfy { $0.succeeded > 0 })
            #expect(Set(result.books.map(\.book)) == ["mock-azure", "redis"])
            #expect(result.books.allSatisfy { $0.difference == 0 }, "\(result.books)")
            #expect(program.errors.contains("admissions were decided without Redis"))
        }
    }
}
