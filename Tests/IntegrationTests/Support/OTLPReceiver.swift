internal import Foundation
internal import TestSupport
internal import Testing

/// A real receiver of spans, oteltap's, on a loopback port.
final class OTLPReceiver: Sendable {
    struct Span: Decodable {
        enum Value: Decodable, Equatable {
            case text(String)
            case number(Int)
            case flag(Bool)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let flag = try? container.decode(Bool.self) {
                    self = .flag(flag)
                } else if let number = try? container.decode(Int.self) {
                    self = .number(number)
                } else {
                    self = .text(try container.decode(String.self))
                }
            }
        }

        var trace: String
        var span: String
        var parent: String
        var state: String
        var flags: Int
        var name: String
        var kind: String
        var start: Int
        var end: Int
        var status: String
        var message: String
        var events: [String]
        var attributes: [String: Value]
    }

    private let process: ChildProcess
    private let folder: TemporaryFolder

    init(port: Int) throws {
        folder = try TemporaryFolder()
        let python = Build.checkout.appendingPathComponent(".venv/bin/python").path
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("python/otlp_receiver.py").path
        try #require(
            FileManager.default.isExecutableFile(atPath: python),
            "the Python packages of this test are not there; run `make test`, which installs them"
        )
        let process = try ChildProcess(python, [script, "\(port)"], output: folder.url.appendingPathComponent("spans"))
        self.process = process
        try wait(for: "the receiver of spans", until: .in(.seconds(60))) {
            if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
            return process.printed.hasPrefix("listening\n")
        }
    }

    deinit { process.kill() }

    /// Those that have come, in the order in which they did.
    func spans() throws -> [Span] {
        if let status = process.exitStatus { throw EndedEarly(status: status, printed: process.printed) }
        let lines = process.printed.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast()
        return try lines.map { try JSONDecoder().decode(Span.self, from: Data($0.utf8)) }
    }

    /// All of them, once there are so many.
    func spans(atLeast count: Int) throws -> [Span] {
        try wait(for: "\(count) spans", until: .in(.seconds(60))) {
            let found = try spans()
            return found.count >= count ? found : nil
        }
    }
}
