import Foundation
import Synchronization

/// A program that a test started, in a folder of its own. It never outlives this object.
///
/// Unchecked: `process` is set up before anybody else sees it, and the calls made of it afterwards are thread safe.
final class Program: @unchecked Sendable {
    private let process = Process()
    let folder: URL

    /// The folder of the test bundle, which SwiftPM puts the executables into as well.
    static let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ executable: String, _ arguments: [String], files: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-load-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        for name in ["out", "err"] { try Data().write(to: folder.appending(path: name)) }
        process.executableURL =
            executable.hasPrefix("/") ? URL(filePath: executable) : Self.products.appending(path: executable)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "err"))
        try process.run()
    }

    deinit {
        if process.isRunning {
            send(SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    var output: String { text("out") }
    var errors: String { text("err") }
    func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Its exit status, once it ended.
    func end(within limit: Duration = .seconds(90)) async throws -> Int32 {
        try await wait("the end of \(process.executableURL?.lastPathComponent ?? "")", within: limit) {
            !self.process.isRunning
        }
        return process.terminationStatus
    }

    /// Looks until the condition holds; ends with an error when the program does so, or when it takes too long.
    func ready<Value>(_ what: String, _ condition: () -> Value?) async throws -> Value {
        var value: Value?
        try await wait(what, within: .seconds(30)) {
            value = condition()
            return value != nil || !process.isRunning
        }
        guard let value else { throw Failure(description: "\(what): it ended: \(output) \(errors)") }
        return value
    }

    private func wait(_ what: String, within limit: Duration, _ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while !condition() {
            guard ContinuousClock.now < end else {
                throw Failure(description: "waited in vain for \(what): \(output) \(errors)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// A running `mock-azure`.
struct Mock {
    let program: Program
    let address: String

    static func start() async throws -> Mock {
        let program = try Program("mock-azure", ["--listen", "127.0.0.1:0"])
        let address = try await program.ready("mock-azure") {
            program.output.firstMatch(of: #/listening on ([0-9.]+:\d+)\n/#).map { "http://\($0.1)" }
        }
        return Mock(program: program, address: address)
    }
}

/// A running nginx of one process, so that one signal stops all of it.
struct Nginx {
    let program: Program
    let address: String

    static func start() async throws -> Nginx {
        // Another program may be faster with the port: nginx cannot take a free one by itself.
        for _ in 0..<20 {
            let port = Int.random(in: 20_000..<32_000)
            let configuration = """
                daemon off; master_process off; pid nginx.pid; error_log stderr;
                events { worker_connections 1024; }
                http {
                    access_log off; keepalive_requests 10000000;
                    client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
                    server { listen 127.0.0.1:\(port); location / { return 200 "hello"; } }
                }
                """
            let program = try Program(
                "/usr/sbin/nginx",
                ["-p", ".", "-c", "nginx.conf", "-e", "stderr"],
                files: ["nginx.conf": configuration]
            )
            // The pid file is written when the port is open.
            let isUp: Bool? = try? await program.ready("nginx") { program.text("nginx.pid").isEmpty ? nil : true }
            if isUp == true { return Nginx(program: program, address: "http://127.0.0.1:\(port)") }
        }
        throw Program.Failure(description: "nginx does not start")
    }
}
