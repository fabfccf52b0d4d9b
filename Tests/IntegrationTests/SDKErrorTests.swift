internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The OpenAI SDK and the errors of mock-azure")
    struct SDKErrorTests {
        @Test("raises the exception that belongs to each error, on both of Azure's surfaces")
        func errors() throws {
            let folder = try TemporaryFolder()
            let listed = try Self.run(["--deployments"], output: folder.url.appendingPathComponent("deployments"))
            #expect(try listed.awaitExit(until: .in(.seconds(30))) == .exited(0), "\(listed.printed.suffix(500))")
            let mock = try MockAzure(deployments: listed.printed.split(separator: "\n").map(String.init))
            let process = try Self.run(
                ["--base-url", "http://127.0.0.1:\(mock.port)", "--api-key", GatewayConfigurationText.upstreamKey],
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(150)))
            let lines = process.printed.split(separator: "\n")
            #expect(lines.last?.hasSuffix(" passed, 0 failed") == true, "\(lines.last ?? "no output")")
            let failures = lines.filter { $0.hasPrefix("FAIL") }
            #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
            #expect(status == .exited(0), "\(process.printed.suffix(2_000))")
            print("the SDK's errors: \(lines.last ?? "")")
        }

        private static func run(_ arguments: [String], output: URL) throws -> ChildProcess {
            let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("python/sdk_errors.py").path
            try #require(
                FileManager.default.isExecutableFile(atPath: python),
                "the Python packages of this test are not there; run `make test`, which installs them"
            )
            return try ChildProcess(python, [script] + arguments, output: output)
        }
    }
}
