internal import NIOCore
internal import Transport

/// Puts an HTTP/1.1 response into as few buffers as there are writes.
///
/// What was added since the last `take` leaves as one write: all chunks of a turn become one chunk (chunk boundaries are for
/// one hop only, RFC 9112 section 7.1), and a short body travels with its head.
struct ResponseWriter {
    /// How the client knows where the body ends (RFC 9112 section 6.3).
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
        /// HTTP/1.0 without a length.
        case untilClose
    }

    private let buffers: BufferPool
    private var head: ByteBuffer?
    /// Body bytes; when chunked, behind `chunkRoom` bytes for the chunk's size.
    private var body: ByteBuffer?
    private var framing: Framing = .none
    private(set) var bodyBytes = 0

    /// "ffffffff\r\n"
    private static let chunkRoom = 10

    init(buffers: BufferPool) { self.buffers = buffers }

    /// Bytes that wait for `take`.
    var pendingBytes: Int { (head?.readableBytes ?? 0) + (body?.readableBytes ?? 0) }

    /// Whether more may be added to the body than upstream sent.
    var isOpenEnded: Bool { framing == .chunked || framing == .untilClose }

    /// Whether as many bytes were added as the head promised.
    var isComplete: Bool {
        if case .length(let length) = framing { bodyBytes == length } else { true }
    }

    /// Whether the body has the length that its head promised; never for a body without one.
    var hasPromisedLength: Bool {
        if case .length(let length) = framing { bodyBytes == length } else { false }
    }

    mutating func beginHead(status: Int, expectedBytes: Int = 0) {
        framing = .none
        bodyBytes = 0
        body = nil
        var buffer = buffers.take(capacity: 512 + expectedBytes)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeInteger(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status / 100 % 10))
        buffer.writeInteger(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status / 10 % 10))
        buffer.writeInteger(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status % 10))
        buffer.writeStaticString(ReasonPhrase.of(status))
        head = buffer
    }

    /// "100 Continue" (RFC 9110 section 10.1.1), to be taken before the answer itself begins.
    mutating func beginInterim() {
        framing = .none
        var buffer = buffers.take(capacity: 32)
        buffer.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        head = buffer
    }

    /// Field lines as they came from upstream, each with its line end.
    mutating func add(lines: UnsafeRawBufferPointer) { head?.writeBytes(lines) }

    mutating func add(_ name: StaticString, _ value: String) {
        head?.writeStaticString(name)
        head?.writeStaticString(": ")
        head?.writeString(value)
        head?.writeStaticString("\r\n")
    }

    mutating func add(_ field: HookField) {
        head?.writeString(field.name)
        head?.writeStaticString(": ")
        head?.writeString(field.value)
        head?.writeStaticString("\r\n")
    }

    mutating func add(_ name: StaticString, _ value: Int64) {
        head?.writeStaticString(name)
        head?.writeStaticString(": ")
        if value < 0 { head?.writeStaticString("-") }
        writeDecimal(value.magnitude)
        head?.writeStaticString("\r\n")
    }

    mutating func add(line: StaticString) {
        head?.writeStaticString(line)
        head?.writeStaticString("\r\n")
    }

    mutating func endHead(_ framing: Framing, closes: Bool) {
        self.framing = framing
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            head?.writeStaticString("content-length: ")
            writeDecimal(length.magnitude)
            head?.writeStaticString("\r\n")
        case .chunked: head?.writeStaticString("transfer-encoding: chunked\r\n")
        }
        if closes { head?.writeStaticString("connection: close\r\n") }
        head?.writeStaticString("\r\n")
    }

    mutating func add(body bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        bodyBytes += bytes.count
        switch framing {
        case .none:
            break
        case .length, .untilClose:
            if head != nil, body == nil {
                head?.writeBytes(bytes)
            } else {
                if body == nil { body = buffers.take(capacity: bytes.count) }
                body?.writeBytes(bytes)
            }
        case .chunked:
            if body == nil {
                var buffer = buffers.take(capacity: Self.chunkRoom + bytes.count + 2 + 5)
                buffer.moveWriterIndex(to: Self.chunkRoom)
                buffer.moveReaderIndex(to: Self.chunkRoom)
                body = buffer
            }
            body?.writeBytes(bytes)
        }
    }

    /// What is to be written now: the head with what follows it, the body's bytes, or both. `ending` adds the last chunk.
    mutating func take(ending: Bool = false) -> (first: ByteBuffer?, second: ByteBuffer?) {
        if framing == .chunked {
            if var buffer = body, buffer.readableBytes > 0 {
                body = nil  // a second reference would make the next line copy all bytes
                Self.writeChunkSize(of: &buffer)
                buffer.writeStaticString("\r\n")
                if ending { buffer.writeStaticString("0\r\n\r\n") }
                body = buffer
            } else if ending {
                if head != nil {
                    head?.writeStaticString("0\r\n\r\n")
                } else {
                    var buffer = buffers.take(capacity: 8)
                    buffer.writeStaticString("0\r\n\r\n")
                    body = buffer
                }
            }
        }
        defer {
            head = nil
            body = nil
        }
        return (head, body)
    }

    /// Writes "size CRLF" right before the readable bytes.
    private static func writeChunkSize(of buffer: inout ByteBuffer) {
        var size = buffer.readableBytes
        var index = buffer.readerIndex
        buffer.withVeryUnsafeMutableBytes { bytes in
            bytes[index - 1] = UInt8(ascii: "\n")
            bytes[index - 2] = UInt8(ascii: "\r")
            index -= 2
            repeat {
                index -= 1
                let digit = UInt8(size & 0xF)
                bytes[index] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
                size >>= 4
            } while size > 0
        }
        buffer.moveReaderIndex(to: index)
    }

    private mutating func writeDecimal(_ number: some UnsignedInteger) {
        if number >= 10 { writeDecimal(number / 10) }
        head?.writeInteger(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

/// Reason phrases (RFC 9110 section 15) with the space before and the line end behind them.
private enum ReasonPhrase {
    static func of(_ status: Int) -> StaticString {
        switch status {
        case 200: " OK\r\n"
        case 201: " Created\r\n"
        case 202: " Accepted\r\n"
        case 204: " No Content\r\n"
        case 206: " Partial Content\r\n"
        case 304: " Not Modified\r\n"
        case 400: " Bad Request\r\n"
        case 401: " Unauthorized\r\n"
        case 403: " Forbidden\r\n"
        case 404: " Not Found\r\n"
        case 405: " Method Not Allowed\r\n"
        case 408: " Request Timeout\r\n"
        case 409: " Conflict\r\n"
        case 413: " Content Too Large\r\n"
        case 414: " URI Too Long\r\n"
        case 415: " Unsupported Media Type\r\n"
        case 417: " Expectation Failed\r\n"
        case 422: " Unprocessable Content\r\n"
        case 424: " Failed Dependency\r\n"
        case 429: " Too Many Requests\r\n"
        case 431: " Request Header Fields Too Large\r\n"
        case 499: " Client Closed Request\r\n"
        case 500: " Internal Server Error\r\n"
        case 502: " Bad Gateway\r\n"
        case 503: " Service Unavailable\r\n"
        case 504: " Gateway Timeout\r\n"
        default: " \r\n"
        }
    }
}
