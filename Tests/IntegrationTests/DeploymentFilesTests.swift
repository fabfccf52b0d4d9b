internal import Foundation
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("What is written down for those who deploy")
    struct DeploymentFilesTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../..").standardized

        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        private static func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }

        /// The lines from the first one that begins so, without their indentation, to the first that has less.
        private static func block(of text: String, from first: String) throws -> String {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let start = try #require(lines.firstIndex { $0.drop { $0 == " " }.hasPrefix(first) })
            let indentation = lines[start].prefix { $0 == " " }
            return lines[start...].prefix { $0.hasPrefix(indentation) && !$0.isEmpty }
                .map { $0.dropFirst(indentation.count) }.joined(separator: "\n")
        }

        @Test(
            "is a configuration that this version takes",
            arguments: [
                ("deploy/compose/sluice.yaml", "listen:"), ("deploy/helm/sluice/ci/values.yaml", "listen:"),
                ("deploy/README.md", "coordination: {redis:"),
            ]
        )
        func configurations(path: String, first: String) throws {
            let configuration = try Self.block(of: Self.text(path), from: first)
            try #require(configuration.contains("endpoints:"))
            let process = try ChildProcess(
                Build.executable("sluice"),
                ["config", "check", try folder.write(configuration + "\n", to: "sluice.yaml").path],
                environment: [
                    "TEAM_A_KEY": "key-of-team-a", "REDIS_PASSWORD": "password-of-redis",
                    "REDIS_URL": "rediss://contoso.westeurope.redis.azure.net:10000",
                    "IDENTITY_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
                ],
                output: folder.url.appendingPathComponent("log")
            )
            #expect(try process.awaitExit() == .exited(0), "\(process.printed)")
        }

        @Test(
            "names only targets that the Makefile has",
            arguments: ["bench/README.md", "docs/load-testing.md", "README.md"]
        )
        func targets(path: String) throws {
            let makefile = try Self.text("Makefile")
            let commands = try Self.text(path).matches(of: /make ([a-z]+(?:-[a-z]+)*)(?=[ `;\n])/)
            let named = Set(commands.map { String($0.1) })
            try #require(!named.isEmpty)
            for target in named.sorted() {
                #expect(makefile.contains("\n\(target):"), "`make \(target)` is no target")
            }
        }
    }
}
