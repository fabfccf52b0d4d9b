internal import Foundation
internal import Testing

extension Integration {
    @Suite("The JSON Schema of the configuration")
    struct ConfigSchemaTests {
        @Test("accepts the examples and refuses what is wrong, by a validator of its own")
        func validator() throws {
            let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("python/config_schema.py").path
            try #require(
                FileManager.default.isExecutableFile(atPath: python),
                "the Python packages of this test are not there; run `make test`, which installs them"
            )
            let folder = try TemporaryFolder()
            let process = try ChildProcess(
                python,
                [script, "--sluice", Build.executable("sluice"), "--config", Build.checkout.path + "/config"],
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(60)))
            let failures = process.printed.split(separator: "\n").filter { $0.hasPrefix("FAIL") }
            #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
            #expect(process.printed.hasSuffix(" passed, 0 failed\n"), "\(process.printed.suffix(2_000))")
            #expect(status == .exited(0))
        }
    }
}
