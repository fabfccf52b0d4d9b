internal import Foundation
internal import TestSupport

/// A real redis-server on a loopback port of its own, empty and without persistence.
final class RedisServer: Sendable {
    let port = LoopbackPort.free()
    private let process: ChildProcess
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        process = try ChildProcess(
            "/usr/bin/redis-server",
            ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.url.path],
            output: folder.url.appendingPathComponent("output")
        )
        try wait(for: "redis-server") { (try? ask("PING")) == "PONG" }
    }

    deinit { process.kill() }

    /// What redis-cli prints.
    func ask(_ command: String...) throws -> String {
        let output = folder.url.appendingPathComponent("answer-\(UUID().uuidString)")
        let client = try ChildProcess("/usr/bin/redis-cli", ["-p", "\(port)"] + command, output: output)
        try wait(for: "redis-cli") { client.exitStatus != nil }
        return client.printed.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The sum of a field of all usage hashes, such as `in`.
    func usage(_ field: String) throws -> Int {
        var sum = 0
        for key in try ask("KEYS", "*:u:*").split(separator: "\n") {
            let lines = try ask("HGETALL", String(key)).split(separator: "\n")
            for pair in stride(from: 0, to: lines.count - 1, by: 2)
            where lines[pair].hasSuffix("/" + field) || lines[pair].hasSuffix(":" + field) {
                sum += Int(lines[pair + 1]) ?? 0
            }
        }
        return sum
    }
}
