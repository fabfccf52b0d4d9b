internal import NIOCore

/// A reply of Redis (RESP2). Pure; bounded in size and depth.
enum RESPValue: Equatable, Sendable {
    case simple(String)
    case error(String)
    case integer(Int)
    case bulk(String)
    case null
    case array([RESPValue])

    struct Malformed: Error {}

    private static let maximumBulkBytes = 16 * 1_024 * 1_024
    private static let maximumElements = 1_000_000
    private static let maximumDepth = 8
    private static let maximumLineBytes = 64 * 1_024

    /// The next reply; nil, with nothing consumed, while it is not whole.
    static func read(_ buffer: inout ByteBuffer) throws(Malformed) -> RESPValue? {
        let start = buffer.readerIndex
        let value = try read(&buffer, depth: 0)
        if value == nil { buffer.moveReaderIndex(to: start) }
        return value
    }

    private static func read(_ buffer: inout ByteBuffer, depth: Int) throws(Malformed) -> RESPValue? {
        guard depth < maximumDepth else { throw Malformed() }
        guard let line = try readLine(&buffer) else { return nil }
        let text = String(line.dropFirst())
        switch line.first {
        case "+": return .simple(text)
        case "-": return .error(text)
        case ":":
            guard let value = Int(text) else { throw Malformed() }
            return .integer(value)
        case "$":
            guard let count = Int(text), (-1...maximumBulkBytes).contains(count) else { throw Malformed() }
            if count < 0 { return .null }
            guard buffer.readableBytes >= count + 2 else { return nil }
            let value = buffer.readString(length: count) ?? ""
            buffer.moveReaderIndex(forwardBy: 2)
            return .bulk(value)
        case "*":
            guard let count = Int(text), (-1...maximumElements).contains(count) else { throw Malformed() }
            if count < 0 { return .null }
            var values: [RESPValue] = []
            for _ in 0..<count {
                guard let value = try read(&buffer, depth: depth + 1) else { return nil }
                values.append(value)
            }
            return .array(values)
        default: throw Malformed()
        }
    }

    private static func readLine(_ buffer: inout ByteBuffer) throws(Malformed) -> String? {
        let length = buffer.withUnsafeReadableBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
        guard let length else {
            if buffer.readableBytes > maximumLineBytes { throw Malformed() }
            return nil
        }
        guard length > 0, let line = buffer.readString(length: length - 1) else { throw Malformed() }
        buffer.moveReaderIndex(forwardBy: 2)
        return line
    }

    /// A command as Redis reads it.
    static func command(_ words: [String]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("*\(words.count)\r\n")
        for word in words { buffer.writeString("$\(word.utf8.count)\r\n\(word)\r\n") }
        return buffer
    }

    var strings: [String]? {
        guard case .array(let values) = self else { return nil }
        return values.compactMap { if case .bulk(let text) = $0 { text } else { nil } }
    }
}
