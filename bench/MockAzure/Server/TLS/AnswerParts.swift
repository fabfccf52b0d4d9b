import NIOCore
import NIOHTTP1

/// Reads an answer's bytes of HTTP/1.1 back into parts, for HTTP/2, which frames them in its own way.
///
/// It reads what `Playback` writes, faults and all, so that there is one way to write an answer. Pure.
struct AnswerParts {
    /// A fault made the bytes no HTTP: HTTP/2 has nothing that compares but the end of the stream.
    struct Malformed: Error {}

    private enum State {
        /// Can go to: `.length`, `.chunks`, `.complete`.
        case head
        /// So many bytes of the body are to come. Can go to: `.complete`.
        case length(Int)
        /// Between chunks. Can go to: `.complete`.
        case chunks
        /// Whatever follows belongs to nothing. Final.
        case complete
    }

    /// Set where the answer has no body whatever its head says: to `HEAD`.
    private let isBodiless: Bool
    private var state = State.head
    private var pending = ByteBuffer()

    init(isBodiless: Bool) {
        self.isBodiless = isBodiless
    }

    var isComplete: Bool {
        switch self.state {
        case .complete: true
        case .head, .length, .chunks: false
        }
    }

    /// The parts that are complete with these bytes.
    mutating func receive(_ bytes: ByteBuffer) throws(Malformed) -> [HTTPServerResponsePart] {
        self.pending.writeImmutableBuffer(bytes)
        var parts: [HTTPServerResponsePart] = []
        while let part = try self.next() {
            parts.append(part)
            if case .length(0) = self.state { self.state = .complete }
            if self.isComplete {
                parts.append(.end(nil))
                break
            }
        }
        return parts
    }

    /// The next head or piece of a body; `nil` when more bytes are needed.
    private mutating func next() throws(Malformed) -> HTTPServerResponsePart? {
        switch self.state {
        case .head:
            return try self.readHead().map { .head($0) }
        case .length(let count):
            guard let piece = self.pending.readSlice(length: min(count, self.pending.readableBytes)),
                piece.readableBytes > 0
            else { return nil }
            self.state = .length(count - piece.readableBytes)
            return .body(.byteBuffer(piece))
        case .chunks:
            guard let piece = try self.readChunk() else { return nil }
            if piece.readableBytes == 0 { self.state = .complete }
            return .body(.byteBuffer(piece))
        case .complete:
            return nil
        }
    }

    // MARK: Head

    private mutating func readHead() throws(Malformed) -> HTTPResponseHead? {
        guard let text = self.readText(until: "\r\n\r\n") else { return nil }
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { throw Malformed() }
        var headers = HTTPHeaders()
        for line in lines {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), !line.utf8.contains(0) else {
                throw Malformed()
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.add(name: String(line[..<colon]), value: String(value))
        }
        if status == 100 { return try self.readHead() }
        self.state = try self.framing(headers, status: status)
        // HTTP/2 frames the body and keeps the connection (RFC 9113 section 8.2.2).
        headers.remove(name: "transfer-encoding")
        headers.remove(name: "connection")
        return HTTPResponseHead(version: .http2, status: HTTPResponseStatus(statusCode: status), headers: headers)
    }

    private func framing(_ headers: HTTPHeaders, status: Int) throws(Malformed) -> State {
        let lengths = headers["content-length"]
        let length = lengths.first.flatMap { UInt32($0) }.map { Int($0) }
        if !lengths.isEmpty, length == nil || lengths.count > 1 { throw Malformed() }
        if self.isBodiless || status == 204 || status == 304 { return .complete }
        return length.map { .length($0) } ?? .chunks
    }

    // MARK: Chunks

    /// A chunk, empty for the last one.
    private mutating func readChunk() throws(Malformed) -> ByteBuffer? {
        let start = self.pending.readerIndex
        guard let line = self.readText(until: "\r\n") else { return nil }
        guard let size = UInt32(line, radix: 16).map({ Int($0) }) else { throw Malformed() }
        guard let piece = self.pending.readSlice(length: size), self.pending.readSlice(length: 2) != nil else {
            self.pending.moveReaderIndex(to: start)
            return nil
        }
        return piece
    }

    /// What stands before `mark`, which is read as well.
    private mutating func readText(until mark: String) -> String? {
        let view = self.pending.readableBytesView
        guard let range = view.firstRange(of: mark.utf8) else { return nil }
        let count = range.lowerBound - view.startIndex
        let text = self.pending.readString(length: count)
        self.pending.moveReaderIndex(forwardBy: mark.utf8.count)
        return text
    }
}
