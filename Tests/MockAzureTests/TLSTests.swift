import Foundation
import Testing

@testable import MockAzure

/// The same mock behind TLS, over real sockets, asked by curl.
@Suite("TLS and HTTP/2", .serialized, .timeLimit(.minutes(2)))
struct TLSTests {
    private static let http1 = "--http1.1"
    private static let http2 = "--http2"
    /// curl's exit codes.
    private static let streamReset: Int32 = 92
    private static let connectionReset: Int32 = 56
    private static let partial: Int32 = 18

    private let server: TLSServer

    init() throws { self.server = try TLSServer() }

    private func chat(_ version: String, _ members: String = "", _ more: String...) throws -> Command.Outcome {
        let path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
        let arguments = ["-sS", "--max-time", "30", "--cacert", self.server.certificate, "-H", "api-key: key", "-i"]
        return try Command.run(
            "/usr/bin/curl",
            arguments + [version, "--json", Mock.chatBody(members), "\(self.server.url)\(path)"] + more
        )
    }

    @Test(
        "are there for who asks for them, with the same answers",
        arguments: [(Self.http1, "HTTP/1.1 200"), (Self.http2, "HTTP/2 200")]
    )
    func versions(version: String, line: String) throws {
        let reply = try self.chat(version)
        #expect(reply.status == 0, "\(reply.errors)")
        #expect(reply.output.hasPrefix(line))
        #expect(reply.output.contains("x-ms-deployment-name: gpt-4o"))
        #expect(reply.output.contains(#""object":"chat.completion""#))
        let stream = try self.chat(version, #""stream":true"#)
        #expect(stream.output.hasSuffix("data: [DONE]\n\n"))
        let refused = try self.chat(version, #""mock":{"error":"quota-calls","retry-after-ms":1500}"#)
        #expect(refused.status == 0)
        #expect(refused.output.contains("retry-after-ms: 1500") && refused.output.contains("call rate limit"))
    }

    @Test("carry large bodies both ways", arguments: [Self.http1, Self.http2])
    func largeBodies(version: String) throws {
        let file = self.server.folder.appendingPathComponent("body")
        let text = String(repeating: "a", count: 3_000_000)
        try #"{"messages":[{"role":"user","content":"\#(text)"}],"mock":{"bytes":2000000}}"#
            .write(to: file, atomically: true, encoding: .utf8)
        let reply = try self.server.curl(
            version,
            "--json",
            "@\(file.path)",
            "-w",
            "\n%{size_upload} %{size_download}",
            "\(self.server.url)/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
        )
        #expect(reply.status == 0, "\(reply.errors)")
        let size = try Data(contentsOf: file).count
        #expect(reply.output.hasSuffix("\n\(size) 2000000"))
    }

    @Test("answer HEAD without a body", arguments: [Self.http1, Self.http2])
    func head(version: String) throws {
        let reply = try self.server.curl(version, "-I", "\(self.server.url)/openai/models?api-version=2024-10-21")
        #expect(reply.status == 0, "\(reply.errors)")
        #expect(reply.output.contains("200") && reply.output.contains("content-length: "))
    }

    @Test("serve many streams on one connection, and count one connection")
    func multiplexing() throws {
        let before = try self.server.count(after: #""accepted":"#)
        let reply = try self.server.curl(
            Self.http2,
            "--parallel",
            "--parallel-max",
            "40",
            "--json",
            Mock.chatBody(#""stream":true"#),
            "\(self.server.url)/openai/deployments/d[1-40]/chat/completions?api-version=2024-10-21&mock-interval=2"
        )
        #expect(reply.status == 0, "\(reply.errors)")
        #expect(reply.output.components(separatedBy: "data: [DONE]").count == 41)
        // The connection of this count is one as well.
        #expect(try self.server.count(after: #""accepted":"#) == before + 2)
        #expect(try self.server.count(after: #""streams":{"total":40,"open":"#) == 0)
        #expect(try self.server.count(after: #""open":"#) == 0)
    }

    @Test(
        "reset the stream where a connection would be cut or reset, and keep the connection",
        arguments: ["mock-reset=head", "mock-reset=100", "mock-truncate=head", "mock-truncate=100"]
    )
    func streamReset(fault: String) throws {
        let path = "\(self.server.url)/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
        let reply = try self.server.curl(
            Self.http2,
            "--json",
            Mock.chatBody(),
            "-w",
            "[%{exitcode} %{num_connects}]",
            "\(path)&\(fault)",
            path
        )
        #expect(reply.output.contains("[\(Self.streamReset) 1]"), "\(reply.output) \(reply.errors)")
        #expect(reply.output.hasSuffix("[0 0]"))
    }

    @Test("cut and reset the connection on HTTP/1.1")
    func connectionFaults() throws {
        #expect(try self.chat(Self.http1, #""mock":{"reset":100}"#).status == Self.connectionReset)
        #expect(try self.chat(Self.http1, #""mock":{"truncate":100}"#).status == Self.partial)
    }

    @Test("end a stream that is to be garbage", arguments: ["status-line", "header", "length", "two-lengths", "chunk"])
    func garbage(kind: String) throws {
        #expect(try self.chat(Self.http2, #""mock":{"garbage":"\#(kind)"}"#).status == Self.streamReset)
        #expect(try self.chat(Self.http1, #""mock":{"garbage":"\#(kind)"}"#).status != 0)
    }

    @Test("are nothing for who does not trust the certificate, or speaks plain HTTP")
    func strangers() throws {
        let untrusting = try Command.run("/usr/bin/curl", ["-sS", "--max-time", "10", "\(self.server.url)/mock/stats"])
        #expect(untrusting.status == 60)
        let plain = try self.server.curl("http://localhost:\(self.server.port)/mock/stats")
        #expect(plain.status != 0)
    }

    @Test("need files that hold a certificate and its key")
    func files() throws {
        let certificate = self.server.certificate
        #expect(throws: (any Error).self) { try TLSFiles(certificate: "/nowhere", key: "/nowhere").context() }
        #expect(throws: (any Error).self) { try TLSFiles(certificate: certificate, key: certificate).context() }
        #expect(throws: (any Error).self) { try TLSFiles(certificate: "/dev/null", key: certificate).context() }
    }
}
