import NIOCore
import TestSupport
import Testing

@testable import Transport

/// What a broken server sends, and what must come of it.
struct BrokenResponse: Sendable, CustomTestStringConvertible {
    enum Ending: Sendable {
        case close
        case reset
        case keep
    }

    let name: String
    let bytes: String
    var ending = Ending.keep
    let code: TransferError.Code
    /// The head was good, and so was heard.
    var hasHead = false
    var body = ""

    var testDescription: String { name }

    static let all: [BrokenResponse] = [
        Self(name: "closed without a byte", bytes: "", ending: .close, code: .closedEarly),
        Self(name: "reset without a byte", bytes: "", ending: .reset, code: .receive),
        Self(name: "closed within the status line", bytes: "HTTP/1.1 2", ending: .close, code: .closedEarly),
        Self(
            name: "closed within the head",
            bytes: "HTTP/1.1 200 OK\r\na: b\r\n",
            ending: .close,
            code: .protocolViolation
        ),
        Self(
            name: "a body shorter than its length",
            bytes: "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345",
            ending: .close,
            code: .closedEarly,
            hasHead: true,
            body: "12345"
        ),
        Self(
            name: "a chunked body without its end",
            bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ending: .close,
            code: .closedEarly,
            hasHead: true,
            body: "hello"
        ),
        Self(
            name: "a bad chunk size",
            bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n",
            code: .receive,
            hasHead: true
        ),
        Self(
            name: "a chunk longer than its size",
            bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhello\r\n",
            code: .receive,
            hasHead: true,
            body: "hel"
        ),
        Self(
            name: "a chunk size beyond every number",
            bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\nx",
            code: .receive,
            hasHead: true
        ),
        Self(name: "no HTTP at all", bytes: "SSH-2.0-OpenSSH\r\n", ending: .close, code: .protocolViolation),
        Self(name: "HTTP/0.9", bytes: "<html>hello</html>", ending: .close, code: .protocolViolation),
        Self(name: "binary", bytes: "\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}", ending: .close, code: .protocolViolation),
        Self(name: "a status that is no number", bytes: "HTTP/1.1 abc OK\r\n\r\n", code: .protocolViolation),
        Self(name: "a status of four digits", bytes: "HTTP/1.1 2000 OK\r\n\r\n", code: .protocolViolation),
        Self(name: "a status below 100", bytes: "HTTP/1.1 099 Low\r\n\r\n", code: .protocolViolation),
        Self(name: "an unknown version", bytes: "HTTP/7.3 200 OK\r\n\r\n", code: .protocolViolation),
        Self(name: "a folded field", bytes: "HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n", code: .protocolViolation),
        Self(name: "a blank before the colon", bytes: "HTTP/1.1 200 OK\r\na : b\r\n\r\n", code: .protocolViolation),
        Self(name: "a line without a colon", bytes: "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", code: .protocolViolation),
        Self(name: "NUL in a value", bytes: "HTTP/1.1 200 OK\r\na: b\u{0}c\r\n\r\n", code: .protocolViolation),
        Self(name: "CR in a value", bytes: "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n", code: .protocolViolation),
        Self(
            name: "too many fields",
            bytes: "HTTP/1.1 200 OK\r\n" + (0..<300).map { "a\($0): b\r\n" }.joined() + "\r\n",
            code: .headTooLarge
        ),
        Self(
            name: "too many bytes of fields",
            bytes: "HTTP/1.1 200 OK\r\n"
                + (0..<70).map { "a\($0): \(String(repeating: "x", count: 1000))\r\n" }.joined()
                + "\r\n",
            code: .headTooLarge
        ),
        Self(
            name: "a content length that is no number",
            bytes: "HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
            code: .protocolViolation
        ),
        Self(
            name: "a negative content length",
            bytes: "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
            code: .protocolViolation
        ),
    ]
}

extension EngineTests {
    @Suite("A broken server")
    struct BrokenServerTests {
        @Test("What it sends ends the transfer once, with a code that says so", arguments: BrokenResponse.all)
        func broken(_ response: BrokenResponse) async throws {
            let answer: ScriptedServer.Answer = { connection, _ in
                if !response.bytes.isEmpty { connection.send(response.bytes) }
                switch response.ending {
                case .keep: break
                case .close: connection.close()
                case .reset: connection.reset()
                }
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(firstByte: .seconds(4), idle: .seconds(4))
                    let client = engine.client(server.base, timeouts: timeouts)
                    let record = try await client.send("POST", body: .text("b"))
                    #expect(record.error?.code == response.code, "\(record.error?.description ?? "complete")")
                    #expect(record.error?.blame == .upstream)
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect(record.ends == 1)
                    #expect(!record.heardAfterEnd)
                    #expect(record.heads == (response.hasHead ? 1 : 0))
                    #expect(record.text == response.body)
                    #expect(try await client.running() == 0)
                    // The connection cannot be trusted any more.
                    try await server.connection().ended()
                }
            }
        }

        @Test("Bytes behind a complete response are not taken for the next one's")
        func surplus() async throws {
            let answer: ScriptedServer.Answer = { connection, request in
                connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\(request.target)HTTP/1.1 200 OK\r\n\r\nEVIL"
                )
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    for target in ["/a", "/b", "/c"] {
                        let record = try await client.send("GET", target)
                        #expect(record.error == nil)
                        #expect(record.text == target)
                    }
                    #expect(server.connectionCount == 3)
                }
            }
        }

        @Test("A reset in the middle of a body is receive_failed, and what came before was heard")
        func resetInBody() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let probe = try await engine.client(server.base).start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                    try await probe.until("half is heard") { $0.text == "half" }
                    connection.reset()
                    let record = try await probe.end()
                    #expect(record.error?.code == .receive)
                    #expect(record.text == "half")
                }
            }
        }

        @Test("One field above libcurl's own limit ends the transfer, and the server is blamed")
        func longField() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in
                connection.send("HTTP/1.1 200 OK\r\na: \(String(repeating: "x", count: 200_000))\r\n\r\n")
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send()
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect(record.ends == 1)
                    #expect(record.heads == 0)
                    #expect(record.error?.code == .headTooLarge)
                    #expect(record.error?.blame == .upstream)
                }
            }
        }

        @Test("Provisional responses without end do not get past the first-byte time")
        func endlessProvisional() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(firstByte: .milliseconds(150))
                    let probe = try await engine.client(server.base, timeouts: timeouts).start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    try await eventually("the transfer ends") {
                        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
                        return probe.now.ends > 0
                    }
                    let record = try await probe.end()
                    #expect(record.heads == 0)
                    #expect(record.error?.mayHaveReachedServer == true)
                }
            }
        }
    }
}
