/// What a load tool needs to know of an answer's head.
struct ResponseHead: Equatable, Sendable {
    /// How the end of the body is told (RFC 9112, section 6.3).
    enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
        case untilClose
    }

    var status: Int
    var framing = Framing.untilClose
    var keepsAlive = true
    var isEventStream = false
    /// From `retry-after-ms`, else from `retry-after` in seconds.
    var retryAfterMilliseconds: Int?
}

/// Reads a whole head, from the status line to the empty line.
enum ResponseHeadReader {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ResponseFailure) -> ResponseHead {
        guard bytes.count >= 12, hasPrefix(bytes, "http/1.", 0), let status = integer(bytes[9..<12]),
            (100...999).contains(status)
        else { throw .malformedHead }
        var head = ResponseHead(status: status)
        var length: Int?
        var isChunked = false
        head.keepsAlive = bytes[7] == UInt8(ascii: "1")
        var start = (bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count) + 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            defer { start = end + 1 }
            guard end > start + 1, let colon = bytes[start..<end].firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = trimmed(bytes, colon + 1, end)
            // One look at the length of the name rules out nearly all.
            switch colon - start {
            case 10 where hasPrefix(bytes, "connection", start):
                if equals(bytes, value, "close") { head.keepsAlive = false }
                if equals(bytes, value, "keep-alive") { head.keepsAlive = true }
            case 11 where hasPrefix(bytes, "retry-after", start):
                if head.retryAfterMilliseconds == nil {
                    head.retryAfterMilliseconds = integer(bytes[value]).map { $0 * 1_000 }
                }
            case 12 where hasPrefix(bytes, "content-type", start):
                head.isEventStream = hasPrefix(bytes, "text/event-stream", value.lowerBound)
            case 14 where hasPrefix(bytes, "content-length", start):
                guard let number = integer(bytes[value]), length == nil || length == number else {
                    throw .malformedHead
                }
                length = number
            case 14 where hasPrefix(bytes, "retry-after-ms", start):
                let whole = bytes[value].prefix { $0 != UInt8(ascii: ".") }
                if let milliseconds = integer(whole) { head.retryAfterMilliseconds = milliseconds }
            case 17 where hasPrefix(bytes, "transfer-encoding", start):
                guard equals(bytes, value, "chunked") else { throw .malformedHead }
                isChunked = true
            default: break
            }
        }
        if status < 200 || status == 204 || status == 304 {
            head.framing = .length(0)
        } else if isChunked {
            head.framing = .chunked
        } else if let length {
            head.framing = .length(length)
        } else {
            head.keepsAlive = false
        }
        return head
    }

    /// Digits only, at most 15 of them.
    private static func integer(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...15).contains(bytes.count) else { return nil }
        var value = 0
        for byte in bytes {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Range<Int> {
        var low = start
        var high = end
        while low < high, bytes[low] <= 0x20 { low += 1 }
        while low < high, bytes[high - 1] <= 0x20 { high -= 1 }
        return low..<high
    }

    private static func equals(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
        range.count == text.utf8CodeUnitCount && hasPrefix(bytes, text, range.lowerBound)
    }

    /// Compares without regard to the case of letters; `text` is in lower case.
    private static func hasPrefix(_ bytes: UnsafeRawBufferPointer, _ text: StaticString, _ start: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - start >= count else { return false }
        for index in 0..<count {
            let byte = bytes[start + index]
            let lower = (65...90).contains(byte) ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }
}
