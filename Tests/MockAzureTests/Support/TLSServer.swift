import Foundation
import NIOCore

@testable import MockAzure

/// A mock behind TLS, on a port of its own, and what trusts it.
final class TLSServer {
    let folder: URL
    let port: Int
    private let server: MockServer

    var certificate: String { self.folder.appendingPathComponent("tls.crt").path }
    var url: String { "https://localhost:\(self.port)" }

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent("mock-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let path = self.folder.path
        let made = try Command.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=mock", "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(path)/tls.key",
                "-out", "\(path)/tls.crt",
            ]
        )
        guard made.status == 0 else { throw Unexpected("openssl: \(made.errors)") }
        self.server = try MockServer.start(
            host: "127.0.0.1",
            port: 0,
            threads: 1,
            resource: MockResource(keys: ["key"], deployments: DeploymentTable([.init("*")])),
            tls: TLSFiles(certificate: "\(path)/tls.crt", key: "\(path)/tls.key").context()
        )
        self.port = self.server.port
    }

    deinit {
        try? self.server.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// `curl`, which trusts the server and shows the key.
    func curl(_ arguments: String...) throws -> Command.Outcome {
        let common = ["-sS", "--max-time", "30", "--cacert", self.certificate, "-H", "api-key: key"]
        return try Command.run("/usr/bin/curl", common + arguments)
    }

    /// One count of `/mock/stats`, such as `"connections":{"open":`.
    func count(after mark: String) throws -> Int {
        let stats = try self.curl("\(self.url)/mock/stats").output
        guard let range = stats.range(of: mark) else { throw Unexpected("no \(mark) in \(stats)") }
        return Int(stats[range.upperBound...].prefix { $0.isNumber }) ?? -1
    }
}

struct Unexpected: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

/// A program that runs to its end.
enum Command {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    static func run(_ program: String, _ arguments: [String]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        // Into a file: two pipes that are read one after the other could wait for one another.
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: errors)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: data, as: UTF8.self),
            errors: try String(contentsOf: errors, encoding: .utf8)
        )
    }
}
