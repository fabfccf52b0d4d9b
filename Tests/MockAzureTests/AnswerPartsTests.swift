import NIOCore
import NIOHTTP1
import Testing

@testable import MockAzure

@Suite("The parts of an answer, for HTTP/2")
struct AnswerPartsTests {
    /// The answer's parts in one text, whatever pieces its bytes come in.
    private func parts(_ bytes: String, isBodiless: Bool = false, pieces: Int = .max) throws -> String {
        var parts = AnswerParts(isBodiless: isBodiless)
        var text = ""
        var rest = ByteBuffer(string: bytes)
        while let piece = rest.readSlice(length: min(pieces, rest.readableBytes)), piece.readableBytes > 0 {
            for part in try parts.receive(piece) {
                switch part {
                case .head(let head): text += "\(head.status.code) \(head.headers.map { "\($0.name)=\($0.value)" })"
                case .body(.byteBuffer(let body)): text += String(buffer: body)
                case .body(.fileRegion): text += "?"
                case .end: text += "."
                }
            }
        }
        #expect(parts.isComplete == text.hasSuffix("."))
        return text
    }

    @Test("are the same however the bytes are cut", arguments: [1, 2, 3, 7, 1_000])
    func pieces(size: Int) throws {
        let length = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\na: b: c\r\n\r\nhello"
        #expect(try self.parts(length, pieces: size) == #"200 ["content-length=5", "a=b: c"]hello."#)
        let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
        #expect(try self.parts(chunks, pieces: size) == "200 []hello!.")
    }

    @Test("end with the head where there is no body")
    func bodiless() throws {
        #expect(try self.parts("HTTP/1.1 204 No Content\r\n\r\n") == "204 [].")
        #expect(try self.parts("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n") == #"200 ["content-length=0"]."#)
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n"
        #expect(try self.parts(head, isBodiless: true) == #"200 ["content-length=9"]."#)
    }

    @Test("leave out the interim head and what follows the end")
    func surroundings() throws {
        let bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 and more"
        #expect(try self.parts(bytes) == #"200 ["content-length=1"]x."#)
    }

    @Test("do not end before the answer does")
    func truncated() throws {
        #expect(try self.parts("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell").hasSuffix("hell"))
        #expect(try self.parts("HTTP/1.1 200 OK\r\n\r\n5\r\nhello\r\n").hasSuffix("hello"))
    }

    @Test(
        "are not made of garbage",
        arguments: [
            "BANANA/9 two hundred\r\n\r\n", "HTTP/1.1 two\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: banana\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 8\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\n\r\n-1\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        ]
    )
    func garbage(bytes: String) {
        #expect(throws: AnswerParts.Malformed.self) { try self.parts(bytes) }
    }
}
