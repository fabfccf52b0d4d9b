internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The OpenAI SDK and the surfaces of mock-azure")
    struct SDKSurfacesTests {
        @Test("use each other as if both were real, and the books are right")
        func surfaces() throws {
            let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("python/sdk_surfaces.py").path
            try #require(
                FileManager.default.isExecutableFile(atPath: python),
                "the Python packages of this test are not there; run `make test`, which installs them"
            )
            let mock = try MockAzure()
            let folder = try TemporaryFolder()
            let process = try ChildProcess(
                python,
                [
                    script, "--base-url", "http://127.0.0.1:\(mock.port)", "--api-key",
                    GatewayConfigurationText.upstreamKey,
                ],
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(150)))
            let lines = process.printed.split(separator: "\n")
            #expect(lines.last?.hasSuffix(" passed, 0 failed") == true, "\(lines.last ?? "no output")")
            let failures = lines.filter { $0.hasPrefix("FAIL") }
            #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
            #expect(status == .exited(0), "\(process.printed.suffix(2_000))")
            print("the SDK's surfaces: \(lines.last ?? "")")
        }
    }
}
