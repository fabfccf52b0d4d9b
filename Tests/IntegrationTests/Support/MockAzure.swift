internal import Foundation
internal import TestSupport
internal import Testing

/// A running `mock-azure`.
final class MockAzure: Upstream {
    let process: ChildProcess
    let port: Int
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - deployments: those it has; any without.
    ///   - keys: what it takes as a key or as a bearer token.
    init(deployments: [String] = ["*"], keys: [String] = [GatewayConfigurationText.upstreamKey]) throws {
        folder = try TemporaryFolder()
        let process = try ChildProcess(
            Build.executable("mock-azure"),
            ["--listen", "127.0.0.1:0"] + keys.flatMap { ["--api-key", $0] }
                + deployments.flatMap { ["--deployment", $0] },
            output: folder.url.appendingPathComponent("log")
        )
        self.process = process
        port = try wait(for: "the port of mock-azure") { () throws -> Int? in
            if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
            let line = process.printed.split(separator: "\n").first { $0.hasPrefix("mock-azure listening on ") }
            return line.flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
        }
    }

    deinit { process.kill() }
}

extension MockAzure {
    /// Tokens that it has served, over all deployments.
    func stats() throws -> (prompt: Int, completion: Int) {
        let client = Client(try TCPSocket.connect(port: port))
        try client.send("GET /mock/stats HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n")
        let object = try JSONSerialization.jsonObject(with: Data(client.response().text.utf8)) as? [String: Any]
        let tokens = try #require(object?["tokens"] as? [String: Any], "\(object ?? [:])")
        return (try #require(tokens["prompt"] as? Int), try #require(tokens["completion"] as? Int))
    }
}
