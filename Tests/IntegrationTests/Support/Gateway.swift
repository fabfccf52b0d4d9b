internal import Foundation
internal import Glibc
internal import TestSupport

/// What stands behind a gateway.
protocol Upstream: AnyObject, Sendable {
    var port: Int { get }
}

/// A port on which nobody listens.
final class NoUpstream: Upstream {
    let port: Int
    init() throws { port = try ListeningSocket().port }
}

/// A running `sluice serve`.
final class Gateway: Sendable {
    let process: ChildProcess
    let port: Int
    let adminPort: Int
    /// Lives as long as the gateway does.
    private let upstream: any Upstream
    private let folder: TemporaryFolder

    convenience init(_ configuration: GatewayConfigurationText = .init(), upstream: any Upstream) throws {
        try self.init(file: configuration.text(upstreamPort: upstream.port), upstream: upstream)
    }

    /// Starts it, and returns when it listens.
    ///
    /// - Parameters:
    ///   - file: the configuration file's text.
    ///   - environment: variables beside this process's own.
    ///   - launcher: a program with its arguments that starts it, as it starts anything.
    ///   - name: of the file, in its folder.
    ///   - arguments: of `serve`, behind its own.
    init(
        file text: String,
        upstream: any Upstream,
        environment: [String: String] = [:],
        launcher: [String] = [],
        name: String = "sluice.yaml",
        arguments: [String] = []
    ) throws {
        self.upstream = upstream
        folder = try TemporaryFolder()
        let file = try folder.write(text, to: name)
        let ports = folder.url.appendingPathComponent("ports")
        let serve = ["serve", "--config", file.path, "--port-file", ports.path] + arguments
        let command = launcher + [Build.executable("sluice")] + serve
        let process = try ChildProcess(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            output: folder.url.appendingPathComponent("log")
        )
        self.process = process
        let lines = try wait(for: "the gateway's ports") { () throws -> [Substring]? in
            if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
            let lines = (try? String(contentsOf: ports, encoding: .utf8))?.split(separator: "\n") ?? []
            return lines.count == 2 ? lines : nil
        }
        port = try Self.port(lines[0], "data")
        adminPort = try Self.port(lines[1], "admin")
    }

    deinit { process.kill() }

    /// Replaces the configuration file, in one step.
    func rewrite(_ text: String) throws { _ = try folder.write(text, to: "sluice.yaml") }

    /// A file or folder in the folder of the test.
    func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

    /// Puts a file beside the configuration.
    func write(_ text: String, to name: String) throws { _ = try folder.write(text, to: name) }

    private static func port(_ line: Substring, _ name: String) throws -> Int {
        guard line.hasPrefix("\(name) 127.0.0.1:"), let port = line.split(separator: ":").last.flatMap({ Int($0) })
        else {
            throw Unexpected("a line of the port file: \(line)")
        }
        return port
    }

    func connect(receiveBuffer: Int32? = nil) throws -> Client {
        Client(try TCPSocket.connect(port: port, receiveBuffer: receiveBuffer), of: self)
    }

    // MARK: what its operators see

    func admin(_ path: String) throws -> Response {
        let client = Client(try TCPSocket.connect(port: adminPort))
        try client.send("GET \(path) HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        return try client.response()
    }

    /// A part of `/status`.
    func status(_ part: String) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(try admin("/status").text.utf8)) as? [String: Any]
        guard let part = object?[part] as? [String: Any] else { throw Unexpected("/status: \(object ?? [:])") }
        return part
    }

    /// The sum of a metric's samples that have all these labels, as in `status="499"`.
    func metric(_ name: String, _ labels: String...) throws -> Int {
        let lines = try admin("/metrics").text.split(separator: "\n")
        return lines.filter { line in
            (line.hasPrefix(name + " ") || line.hasPrefix(name + "{")) && labels.allSatisfy { line.contains($0) }
        }.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    }

    func awaitIdle() throws {
        try wait(for: "no request in flight") { try metric("sluice_requests_in_flight") == 0 }
    }

    /// The access log line of the only exchange with this path.
    func accessLogLine(path: String) throws -> [String: any Sendable] {
        try wait(for: "the access log line of \(path)") {
            for line in process.printed.split(separator: "\n") where line.contains("\"message\":\"exchange\"") {
                let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
                if let object, object["path"] as? String == path { return object }
            }
            return nil
        }
    }
}

struct EndedEarly: Error, CustomStringConvertible {
    let status: ChildProcess.ExitStatus
    let printed: String
    var description: String { "the process ended early (\(status)):\n\(printed)" }
}
