import Foundation
import Glibc
import TestSupport

@testable import Coordination

/// A real redis-server on a loopback port of its own, empty and without persistence.
final class RedisServer: @unchecked Sendable {  // `process` and `control` are used by one test at a time
    let port = LoopbackPort.free()
    let tlsPort: Int?
    let folder: URL
    private let options: [String]
    private let password: String?
    private var process: ChildProcess?
    private var control: BlockingSocket?

    /// - Parameters:
    ///   - options: as on the command line of redis-server.
    ///   - password: of the user `default`.
    ///   - certificate: the names of the TLS certificate as openssl writes them, such as `DNS:localhost`; `nil` for no TLS.
    static func start(
        _ options: [String] = [],
        password: String? = nil,
        certificate: String? = nil
    ) async throws -> RedisServer {
        let server = try RedisServer(options, password: password, certificate: certificate)
        do {
            if let certificate {
                try await Certificates(in: server.folder).issue("server", hosts: certificate)
            }
            try await server.restart()
        } catch {
            server.remove()
            throw error
        }
        return server
    }

    private init(_ options: [String], password: String?, certificate: String?) throws {
        self.options = options
        self.password = password
        tlsPort = certificate == nil ? nil : LoopbackPort.free()
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    var caFile: String { folder.appending(path: "ca.pem").path }

    var configuration: RedisConfiguration { RedisConfiguration(address: RedisAddress(host: "127.0.0.1", port: port)) }

    func tlsConfiguration(host: String, caFile: String?) throws -> RedisConfiguration {
        let address = RedisAddress(host: host, port: tlsPort ?? 0, usesTLS: true)
        return try RedisConfiguration(address: address, tls: RedisTLS(caFile: caFile))
    }

    /// Sends a command on a connection beside the client under test.
    @discardableResult
    func command(_ arguments: String...) throws -> RESPReply {
        guard let reply = control?.command(arguments) else { throw Unexpected("redis-server is silent") }
        return reply
    }

    /// How many connections Redis counts, this one excepted.
    func clients() throws -> Int {
        try command("CLIENT", "LIST").text.map { $0.split(separator: "\n").count - 1 } ?? 0
    }

    func signal(_ number: Int32) { process?.signal(number) }

    func kill() {
        control = nil
        process?.kill()
        process = nil
    }

    /// Starts it, for the first time or empty once more.
    ///
    /// - Parameter further: options for this time only.
    /// - Parameter loading: it counts as started while it still reads its data.
    func restart(_ further: [String] = [], loading: Bool = false) async throws {
        var arguments = [
            "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--dir", folder.path,
        ]
        if let password { arguments += ["--requirepass", password] }
        if let tlsPort {
            arguments += [
                "--tls-port", String(tlsPort), "--tls-cert-file", "server.pem", "--tls-key-file", "server.key",
            ]
            arguments += ["--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "no"]
        }
        let process = try ChildProcess(
            "/usr/bin/redis-server",
            arguments + options + further,
            in: folder,
            output: folder.appending(path: "output")
        )
        self.process = process
        try await eventually("redis-server starts") {
            guard process.exitStatus == nil else { throw Unexpected("redis-server ended at once") }
            guard let control = BlockingSocket(port: port) else { return false }
            if let password { _ = control.command(["AUTH", password]) }
            self.control = control
            let answer = control.command(["PING"])
            return answer == .status(Array("PONG".utf8)) || loading && answer?.text?.hasPrefix("LOADING") == true
        }
    }

    func remove() {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// Runs a test with a redis-server and ends it, whatever happens.
func withRedis(
    _ options: [String] = [],
    password: String? = nil,
    certificate: String? = nil,
    _ body: (RedisServer) async throws -> Void
) async throws {
    let server = try await RedisServer.start(options, password: password, certificate: certificate)
    defer { server.remove() }
    try await body(server)
}
