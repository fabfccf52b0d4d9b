internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("The OpenAI SDK")
    struct SDKConformanceTests {
        @Test("works unmodified through the gateway, on both of Azure's surfaces, blocking and not")
        func conformance() throws {
            let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("python/sdk_conformance.py").path
            try #require(
                FileManager.default.isExecutableFile(atPath: python),
                "the Python packages of this test are not there; run `make test`, which installs them"
            )
            let mock = try MockAzure(deployments: ["gpt-4o-west", "gpt-4o-mini", "embeddings", "whisper"])
            let gateway = try Gateway(upstream: mock)
            let folder = try TemporaryFolder()
            let process = try ChildProcess(
                python,
                [
                    script, "--base-url", "http://127.0.0.1:\(gateway.port)", "--api-key", GatewayConfigurationText.key,
                    "--model", "gpt-4o", "--embedding-model", "text-embedding-3-small", "--audio-model", "whisper",
                    "--forbidden-model", "gpt-4o-mini",
                ],
                output: folder.url.appendingPathComponent("output")
            )
            let status = try process.awaitExit(until: .in(.seconds(150)))
            let lines = process.printed.split(separator: "\n")
            #expect(lines.last?.hasSuffix(" passed, 0 failed") == true, "\(lines.last ?? "no output")")
            let failures = lines.filter { $0.hasPrefix("FAIL") }
            #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
            #expect(status == .exited(0), "\(process.printed.suffix(2_000))")
            print("the SDK's checks: \(lines.last ?? "")")
            try gateway.awaitIdle()
        }
    }
}
