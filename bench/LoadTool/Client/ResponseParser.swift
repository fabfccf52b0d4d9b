internal import NIOCore

/// Why bytes are no answer.
enum ResponseFailure: String, Error, CaseIterable {
    case malformedHead = "malformed head"
    case headTooLong = "head too long"
    case malformedChunk = "malformed chunk"
    /// Bytes where no answer was asked for.
    case unexpectedBytes = "unexpected bytes"
    /// The connection ended inside an answer.
    case endedEarly = "ended early"
}

/// HTTP/1.1 answers out of bytes, however these are cut. Pure; copies nothing but a head that came in pieces.
///
/// NIO's own decoder makes an object of every header; what is needed here is six headers of each, at 30,000 answers a
/// second beside everything else that a core has to do.
struct ResponseParser {
    enum Event: Equatable {
        case head(ResponseHead)
        case body(ByteBuffer)
        /// The answer is whole. The next one may follow on this connection if the flag says so.
        case end(keepsAlive: Bool)
    }

    private enum State: Equatable {
        /// Nobody asked. Can go to: `.head`.
        case idle
        /// Can go to: itself (1xx), `.body`, `.chunkSize`, `.untilClose`, `.end`.
        case head
        /// Can go to: `.end`.
        case body(remaining: Int)
        /// Can go to: `.chunkData`, `.trailers`.
        case chunkSize
        /// Can go to: `.chunkEnd`.
        case chunkData(remaining: Int)
        /// The line end behind the data of a chunk. Can go to: `.chunkSize`.
        case chunkEnd
        /// Can go to: `.end`.
        case trailers
        /// Final but for `closed`.
        case untilClose
        /// Complete, not yet told. Can go to: `.idle`.
        case end
    }

    static let maximumHeadBytes = 64 * 1_024
    static let maximumChunkLineBytes = 4 * 1_024
    private static let maximumSizeDigits = 15

    private var state = State.idle
    private var keepsAlive = true

    /// A request went out; its answer is next.
    mutating func expectAnswer() {
        precondition(state == .idle, "an answer is expected before the last one ended")
        state = .head
    }

    var isIdle: Bool { state == .idle }

    /// What the bytes say next; nil when more of them are needed. What is not consumed must be there at the next call.
    mutating func next(_ buffer: inout ByteBuffer) throws(ResponseFailure) -> Event? {
        while true {
            switch state {
            case .idle:
                if buffer.readableBytes > 0 { throw .unexpectedBytes }
                return nil
            case .head:
                guard let head = try readHead(&buffer) else { return nil }
                if (100...199).contains(head.status) { continue }
                keepsAlive = head.keepsAlive
                switch head.framing {
                case .length(let length): state = length > 0 ? .body(remaining: length) : .end
                case .chunked: state = .chunkSize
                case .untilClose: state = .untilClose
                }
                return .head(head)
            case .body(let remaining):
                guard let slice = buffer.readSlice(length: min(remaining, buffer.readableBytes)),
                    slice.readableBytes > 0
                else { return nil }
                state = slice.readableBytes == remaining ? .end : .body(remaining: remaining - slice.readableBytes)
                return .body(slice)
            case .untilClose:
                guard buffer.readableBytes > 0 else { return nil }
                return .body(buffer.readSlice(length: buffer.readableBytes)!)
            case .chunkSize:
                guard let size = try readChunkSize(&buffer) else { return nil }
                state = size == 0 ? .trailers : .chunkData(remaining: size)
            case .chunkData(let remaining):
                guard let slice = buffer.readSlice(length: min(remaining, buffer.readableBytes)),
                    slice.readableBytes > 0
                else { return nil }
                state =
                    slice.readableBytes == remaining
                    ? .chunkEnd : .chunkData(remaining: remaining - slice.readableBytes)
                return .body(slice)
            case .chunkEnd:
                guard let line = try readLine(&buffer) else { return nil }
                guard line == 0 else { throw .malformedChunk }
                state = .chunkSize
            case .trailers:
                guard let line = try readLine(&buffer) else { return nil }
                if line == 0 { state = .end }
            case .end:
                state = .idle
                return .end(keepsAlive: keepsAlive)
            }
        }
    }

    /// The connection ended. `.end` when that is how this answer ends, nil when nothing was open.
    mutating func closed() throws(ResponseFailure) -> Event? {
        defer { state = .idle }
        switch state {
        case .idle: return nil
        case .untilClose, .end: return .end(keepsAlive: false)
        case .head, .body, .chunkSize, .chunkData, .chunkEnd, .trailers: throw .endedEarly
        }
    }

    private func readHead(_ buffer: inout ByteBuffer) throws(ResponseFailure) -> ResponseHead? {
        let end = buffer.withUnsafeReadableBytes { Self.endOfHead($0) }
        guard let end, end <= Self.maximumHeadBytes else {
            if buffer.readableBytes > Self.maximumHeadBytes { throw .headTooLong }
            return nil
        }
        let head: Result<ResponseHead, ResponseFailure> = buffer.withUnsafeReadableBytes { bytes in
            do throws(ResponseFailure) {
                return .success(try ResponseHeadReader.read(UnsafeRawBufferPointer(rebasing: bytes[..<end])))
            } catch {
                return .failure(error)
            }
        }
        buffer.moveReaderIndex(forwardBy: end)
        return try head.get()
    }

    /// Just behind the first empty line.
    private static func endOfHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var start = 0
        while let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let next = newline + 1
            if next < bytes.count, bytes[next] == UInt8(ascii: "\n") { return next + 1 }
            if next + 1 < bytes.count, bytes[next] == UInt8(ascii: "\r"), bytes[next + 1] == UInt8(ascii: "\n") {
                return next + 2
            }
            start = next
        }
        return nil
    }

    /// The length of a line without its end; the line is consumed.
    private func readLine(_ buffer: inout ByteBuffer) throws(ResponseFailure) -> Int? {
        let length = buffer.withUnsafeReadableBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
        guard let length else {
            if buffer.readableBytes > Self.maximumChunkLineBytes { throw .malformedChunk }
            return nil
        }
        let hasReturn = length > 0 && buffer.getInteger(at: buffer.readerIndex + length - 1) == UInt8(ascii: "\r")
        buffer.moveReaderIndex(forwardBy: length + 1)
        return hasReturn ? length - 1 : length
    }

    private func readChunkSize(_ buffer: inout ByteBuffer) throws(ResponseFailure) -> Int? {
        var size = 0
        var digits = 0
        let isWhole = buffer.withUnsafeReadableBytes { bytes in
            for byte in bytes {
                let digit: UInt8
                switch byte {
                case 48...57: digit = byte - 48
                case 97...102: digit = byte - 87
                case 65...70: digit = byte - 55
                // The end of the line, an extension or white space.
                default: return true
                }
                digits += 1
                if digits > Self.maximumSizeDigits { return true }
                size = size << 4 | Int(digit)
            }
            return false
        }
        guard isWhole else { return nil }
        guard (1...Self.maximumSizeDigits).contains(digits) else { throw .malformedChunk }
        return try readLine(&buffer) == nil ? nil : size
    }
}
