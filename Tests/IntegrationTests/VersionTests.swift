internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("`sluice --version`")
    struct VersionTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private func run(_ executable: String, _ arguments: String...) throws -> (ChildProcess.ExitStatus, String) {
            let output = folder.url.appendingPathComponent(UUID().uuidString)
            let process = try ChildProcess(executable, arguments, output: output)
            return (try process.awaitExit(), process.printed)
        }

        @Test("names the commit that the executable was stamped with, and none before that")
        func commit() throws {
            let built = Build.executable("sluice")
            let (status, printed) = try run(built, "--version")
            #expect(status == .exited(0))
            #expect(printed.wholeMatch(of: /\d+\.\d+\.\d+ \(commit unknown\)\n/) != nil, "\(printed)")

            let copy = folder.url.appendingPathComponent("sluice").path
            try FileManager.default.copyItem(atPath: built, toPath: copy)
            let stamp = Build.checkout.appendingPathComponent("deploy/stamp").path
            for commit in ["0123456789abcdef0123456789abcdef01234567-dirty", "cafe012"] {
                #expect(try run(stamp, copy, commit).0 == .exited(0))
                #expect(try run(copy, "--version").1.hasSuffix("(commit \(commit))\n"))
            }
            for text in ["", "main", "cafe012; true", String(repeating: "a", count: 64)] {
                #expect(try run(stamp, copy, text).0 == .exited(1))
                #expect(try run(copy, "--version").1.hasSuffix("(commit cafe012)\n"))
            }
        }
    }
}
