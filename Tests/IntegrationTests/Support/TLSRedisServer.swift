internal import Foundation
internal import TestSupport

/// A real redis-server that speaks TLS and lets one user in, as Azure's does with Entra ID: its password is an access token.
final class TLSRedisServer: Sendable {
    let port = LoopbackPort.free()
    let caFile: String
    let user: String
    private let plainPort = LoopbackPort.free()
    private let process: ChildProcess
    private let folder: TemporaryFolder
    /// What the test itself asks, past TLS and without a password.
    private let control: Control

    private final class Control: @unchecked Sendable {  // used under its lock only
        let lock = NSLock()
        let client: Client
        init(_ client: Client) { self.client = client }
    }

    init(user: String) async throws {
        self.user = user
        let folder = try TemporaryFolder()
        let certificates = try await Certificates(in: folder.url)
        try await certificates.issue("redis", hosts: "IP:127.0.0.1")
        caFile = folder.url.appendingPathComponent("ca.pem").path
        let path = folder.url.path
        process = try ChildProcess(
            "/usr/bin/redis-server",
            [
                "--port", "\(plainPort)", "--tls-port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly",
                "no",
                "--dir", path, "--tls-cert-file", "\(path)/redis.pem", "--tls-key-file", "\(path)/redis.key",
                "--tls-ca-cert-file", "\(path)/ca.pem", "--tls-auth-clients", "no",
            ],
            output: folder.url.appendingPathComponent("output")
        )
        self.folder = folder
        let plainPort = plainPort
        let socket = try wait(for: "redis-server") { try? TCPSocket.connect(port: plainPort) }
        control = Control(Client(socket))
        try ask("ACL", "SETUSER", user, "on", "resetpass", "~*", "&*", "+@all")
    }

    deinit { process.kill() }

    /// The first line of the answer, or the whole of a bulk string; throws for an error.
    @discardableResult
    func ask(_ words: String...) throws -> String {
        control.lock.lock()
        defer { control.lock.unlock() }
        let client = control.client
        try client.send("*\(words.count)\r\n\(words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined())")
        try client.fill { $0.lineLength != nil }
        let line = String(decoding: client.take(client.inbox.lineLength ?? 0).dropLast(2), as: UTF8.self)
        if line.hasPrefix("-") { throw Unexpected(line) }
        guard line.hasPrefix("$"), let count = Int(line.dropFirst()), count >= 0 else { return line }
        try client.fill { $0.count >= count + 2 }
        return String(decoding: client.take(count + 2).dropLast(2), as: UTF8.self)
    }

    func allow(_ token: String) throws { try ask("ACL", "SETUSER", user, ">\(token)") }
    func forbid(_ token: String) throws { try ask("ACL", "SETUSER", user, "<\(token)") }

    /// Calls of a command since the start, by `INFO commandstats`; `failed`: those that were refused or failed.
    func calls(_ command: String, failed: Bool = false) throws -> Int {
        let lines = try ask("INFO", "commandstats").split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.hasPrefix("cmdstat_\(command):") }) else { return 0 }
        let fields = line.split(separator: ":")[1].split(separator: ",").map { $0.split(separator: "=") }
        let wanted = failed ? ["rejected_calls", "failed_calls"] : ["calls"]
        return fields.filter { wanted.contains(String($0[0])) }.reduce(0) { $0 + (Int($1[1]) ?? 0) }
    }
}
