import NIOCore
import TestSupport
import Testing

@testable import Gateway

extension ResponseWriter {
    /// What `take` gives, in one string.
    fileprivate mutating func text(ending: Bool = false) -> String {
        let (first, second) = take(ending: ending)
        return [first, second].compactMap { $0.map { String(buffer: $0) } }.joined()
    }

    fileprivate mutating func begin(_ framing: Framing, status: Int = 200, closes: Bool = false) {
        beginHead(status: status)
        endHead(framing, closes: closes)
    }
}

@Suite("The bytes of an answer", .timeLimit(.minutes(5)))
struct ResponseWriterTests {
    private static let head = "HTTP/1.1 200 OK\r\n"

    private var writer = ResponseWriter(buffers: BufferPool())

    @Test("a head has a status line, its fields and an empty line")
    mutating func head() {
        writer.beginHead(status: 429)
        writer.add(line: "content-type: application/json")
        writer.add("retry-after", "7")
        Array("x-upstream:  as it came\r\n".utf8).withUnsafeBytes { writer.add(lines: $0) }
        writer.endHead(.none, closes: true)
        let expected = """
            HTTP/1.1 429 Too Many Requests\r
            content-type: application/json\r
            retry-after: 7\r
            x-upstream:  as it came\r
            connection: close\r
            \r

            """
        #expect(writer.text() == expected)
        #expect(writer.pendingBytes == 0)
        #expect(writer.text() == "")
    }

    @Test(
        "a status is three digits and a space, with a reason when one is known",
        arguments: [
            (100, "HTTP/1.1 100 \r\n"), (204, "HTTP/1.1 204 No Content\r\n"), (418, "HTTP/1.1 418 \r\n"),
            (431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"), (504, "HTTP/1.1 504 Gateway Timeout\r\n"),
            (999, "HTTP/1.1 999 \r\n"), (7, "HTTP/1.1 007 \r\n"),
        ]
    )
    mutating func statusLine(status: Int, line: String) {
        writer.begin(.none, status: status)
        #expect(writer.text() == line + "\r\n")
    }

    @Test("every integer makes a status line without a trap", arguments: [Int.min, -1, 0, 1_000, Int.max])
    mutating func oddStatus(status: Int) {
        writer.begin(.none, status: status)
        #expect(writer.text().hasPrefix("HTTP/1.1 "))
    }

    @Test("a body with a length follows its head in one write")
    mutating func length() {
        writer.begin(.length(10))
        writer.add(text: "hello")
        #expect(!writer.isComplete)
        writer.add(text: "world")
        #expect(writer.isComplete)
        #expect(!writer.isOpenEnded)
        let (first, second) = writer.take(ending: true)
        #expect(first.map { String(buffer: $0) } == Self.head + "content-length: 10\r\n\r\nhelloworld")
        #expect(second == nil)
    }

    @Test("a body with a length goes on without its head")
    mutating func lengthInPieces() {
        writer.begin(.length(6))
        #expect(writer.text() == Self.head + "content-length: 6\r\n\r\n")
        writer.add(text: "ab")
        writer.add(text: "cd")
        #expect(writer.pendingBytes == 4)
        #expect(writer.text() == "abcd")
        writer.add(text: "ef")
        #expect(writer.text(ending: true) == "ef")
        #expect(writer.isComplete)
    }

    @Test("a length is written in decimal", arguments: [0, 9, 10, 100, 4_096, 1_000_000_007, Int.max])
    mutating func decimal(length: Int) {
        writer.begin(.length(length))
        #expect(writer.text() == Self.head + "content-length: \(length)\r\n\r\n")
        #expect(writer.isComplete == (length == 0))
    }

    @Test("all that is added between two writes is one chunk")
    mutating func chunks() {
        writer.begin(.chunked)
        #expect(writer.isOpenEnded)
        writer.add(text: "data: 1\n\n")
        writer.add(text: "data: 2\n\n")
        let (first, second) = writer.take()
        #expect(first.map { String(buffer: $0) } == Self.head + "transfer-encoding: chunked\r\n\r\n")
        #expect(second.map { String(buffer: $0) } == "12\r\ndata: 1\n\ndata: 2\n\n\r\n")
        writer.add(text: "0123456789")
        #expect(writer.text() == "a\r\n0123456789\r\n")
        #expect(writer.text() == "")
        #expect(writer.text(ending: true) == "0\r\n\r\n")
        #expect(writer.isComplete)
    }

    @Test("the last chunk leaves with the last bytes, or with the head when there are none")
    mutating func lastChunk() {
        writer.begin(.chunked)
        writer.add(text: "x")
        #expect(writer.text(ending: true) == Self.head + "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
        writer.begin(.chunked)
        let (first, second) = writer.take(ending: true)
        #expect(first.map { String(buffer: $0) } == Self.head + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(second == nil)
    }

    @Test("empty bytes make no chunk: that would be the last one")
    mutating func emptyChunk() {
        writer.begin(.chunked)
        writer.add(text: "")
        writer.add(body: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(writer.text() == Self.head + "transfer-encoding: chunked\r\n\r\n")
        writer.add(text: "")
        #expect(writer.text() == "")
    }

    @Test("an HTTP/1.0 client gets the bytes bare, up to the connection's end")
    mutating func untilClose() {
        writer.begin(.untilClose, closes: true)
        #expect(writer.isOpenEnded)
        writer.add(text: "a")
        #expect(writer.text() == Self.head + "connection: close\r\n\r\na")
        writer.add(text: "b")
        #expect(writer.text() == "b")
        #expect(writer.text(ending: true) == "")
    }

    @Test("an answer without a body has none, whatever is added")
    mutating func noBody() {
        writer.begin(.none, status: 204)
        writer.add(text: "not wanted")
        #expect(writer.text(ending: true) == "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(writer.isComplete)
    }

    @Test("an interim answer leaves before the answer itself")
    mutating func interim() {
        writer.beginInterim()
        #expect(writer.text() == "HTTP/1.1 100 Continue\r\n\r\n")
        writer.begin(.length(1))
        writer.add(text: "x")
        #expect(writer.text(ending: true) == Self.head + "content-length: 1\r\n\r\nx")
    }

    @Test("a second answer keeps nothing of the first")
    mutating func reuse() {
        writer.begin(.length(3))
        writer.add(text: "abc")
        _ = writer.take(ending: true)
        writer.begin(.length(2))
        #expect(writer.bodyBytes == 0)
        #expect(!writer.isComplete)
        writer.add(text: "de")
        #expect(writer.text(ending: true) == Self.head + "content-length: 2\r\n\r\nde")
    }

    @Test(
        "a chunk's size is right at every number of digits",
        arguments: [1, 9, 10, 15, 16, 17, 255, 256, 4_095, 4_096, 65_536, 1_048_576]
    )
    mutating func chunkSizes(size: Int) throws {
        writer.begin(.chunked)
        _ = writer.take()
        let bytes = [UInt8](repeating: 0x0A, count: size)
        bytes.withUnsafeBytes { writer.add(body: $0) }
        let (first, second) = writer.take(ending: true)
        #expect(first == nil)
        let chunk = try #require(second)
        let parsed = try #require(ChunkParser.parse(chunk.readableBytesView))
        #expect(parsed.body == bytes)
        #expect(parsed.chunks == 1)
        #expect(chunk.readableBytesView.starts(with: Array("\(String(size, radix: 16))\r\n".utf8)))
    }

    @Test("what is added in any pieces and taken at any time is read back whole", arguments: 1...20)
    mutating func randomOrders(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<50 {
            writer.begin(.chunked)
            var added: [UInt8] = []
            var written: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    Self.take(&writer, into: &written, ending: false)
                } else {
                    let piece = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                        UInt8.random(in: 0...255, using: &random)
                    }
                    piece.withUnsafeBytes { writer.add(body: $0) }
                    added += piece
                }
            }
            Self.take(&writer, into: &written, ending: true)
            let head = Array((Self.head + "transfer-encoding: chunked\r\n\r\n").utf8)
            #expect(written.starts(with: head))
            let parsed = try #require(ChunkParser.parse(written.dropFirst(head.count)))
            #expect(parsed.body == added)
            #expect(writer.bodyBytes == added.count)
        }
    }

    private static func take(_ writer: inout ResponseWriter, into bytes: inout [UInt8], ending: Bool) {
        let (first, second) = writer.take(ending: ending)
        bytes += first.map { Array($0.readableBytesView) } ?? []
        bytes += second.map { Array($0.readableBytesView) } ?? []
    }
}
