import NIOCore
import Testing

@testable import LoadTool

@Suite("The parser of answers")
struct ResponseParserTests {
    private struct Read: Equatable {
        var head: ResponseHead?
        var body = ""
        var keepsAlive: Bool?
    }

    /// What comes of the pieces, if the peer closes behind them or not.
    private func read(_ pieces: [ByteBuffer], closes: Bool = false) throws -> Read {
        var parser = ResponseParser()
        parser.expectAnswer()
        var buffer = ByteBuffer()
        var read = Read()
        func take(_ event: ResponseParser.Event) {
            switch event {
            case .head(let head): read.head = head
            case .body(let slice): read.body += slice.text
            case .end(let keepsAlive): read.keepsAlive = keepsAlive
            }
        }
        for piece in pieces {
            buffer.writeImmutableBuffer(piece)
            while let event = try parser.next(&buffer) { take(event) }
        }
        if closes, let event = try parser.closed() { take(event) }
        #expect(read.keepsAlive == nil || parser.isIdle)
        return read
    }

    private static let whole: [(String, ResponseHead, String, Bool)] = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            ResponseHead(status: 200, framing: .length(5)), "hello", true
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nx: y\r\n\r\n",
            ResponseHead(status: 200, framing: .chunked, isEventStream: true), "hello world", true
        ),
        (
            "HTTP/1.1 429 Too Many\r\nretry-after: 2\r\nretry-after-ms: 1234.5\r\nconnection: close\r\n"
                + "content-length: 0\r\n\r\n",
            ResponseHead(status: 429, framing: .length(0), keepsAlive: false, retryAfterMilliseconds: 1_234), "", false
        ),
        (
            "HTTP/1.1 503 Busy\nRetry-After: 2\nContent-Length: 0\n\n",
            ResponseHead(status: 503, framing: .length(0), retryAfterMilliseconds: 2_000), "", true
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
            ResponseHead(status: 204, framing: .length(0)), "", true
        ),
        (
            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx",
            ResponseHead(status: 200, framing: .length(1)), "x", true
        ),
    ]

    @Test("reads answers however they are cut", arguments: whole)
    func cuts(text: String, head: ResponseHead, body: String, keepsAlive: Bool) throws {
        try forEachCut(text) { pieces in
            let read = try self.read(pieces)
            #expect(read == Read(head: head, body: body, keepsAlive: keepsAlive))
        }
    }

    @Test("takes the end of the connection for the end of an answer without a length")
    func untilClose() throws {
        let text = "HTTP/1.1 200 OK\r\n\r\nall of it"
        try forEachCut(text) { pieces in
            let read = try self.read(pieces, closes: true)
            #expect(read.body == "all of it")
            #expect(read.keepsAlive == false)
        }
    }

    @Test(
        "refuses what is no answer",
        arguments: [
            ("SSH-2.0-OpenSSH\r\n\r\n", ResponseFailure.malformedHead),
            ("HTTP/1.1 abc OK\r\n\r\n", .malformedHead),
            ("HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n", .malformedHead),
            ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", .malformedHead),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", .malformedHead),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1", .unexpectedBytes),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", .malformedChunk),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n", .malformedChunk),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", .malformedChunk),
            ("HTTP/1.1 200 OK\r\nx: \(String(repeating: "y", count: 70_000))", .headTooLong),
        ]
    )
    func refusals(text: String, failure: ResponseFailure) {
        #expect(throws: failure) { try read([ByteBuffer(string: text)]) }
    }

    @Test(
        "says that an answer ended early, wherever the connection ends inside it",
        arguments: [
            "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\na",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n",
        ]
    )
    func early(text: String) {
        #expect(throws: ResponseFailure.endedEarly) { try read([ByteBuffer(string: text)], closes: true) }
    }

    @Test("has nothing to say when an idle connection ends")
    func idle() throws {
        var parser = ResponseParser()
        #expect(try parser.closed() == nil)
        #expect(parser.isIdle)
    }

    @Test("reads one answer after the other on a connection")
    func reuse() throws {
        var parser = ResponseParser()
        for _ in 0..<3 {
            parser.expectAnswer()
            var buffer = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")
            var events = 0
            while try parser.next(&buffer) != nil { events += 1 }
            #expect(events == 3)
            #expect(parser.isIdle)
        }
    }
}
