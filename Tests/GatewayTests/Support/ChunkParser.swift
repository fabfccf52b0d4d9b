/// A slow and strict reader of the chunked coding (RFC 9112 section 7.1), to check what was written with it.
enum ChunkParser {
    /// The body and the number of its chunks, or `nil` when the bytes are not exactly one chunked body.
    static func parse(_ bytes: some Collection<UInt8>) -> (body: [UInt8], chunks: Int)? {
        var rest = Array(bytes)[...]
        var body: [UInt8] = []
        var chunks = 0
        while true {
            guard let lineEnd = rest.firstIndex(of: 0x0D), let size = size(rest[..<lineEnd]),
                rest[lineEnd...].starts(with: [0x0D, 0x0A])
            else { return nil }
            rest = rest[(lineEnd + 2)...]
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard rest.starts(with: [0x0D, 0x0A]) else { return nil }
            rest = rest.dropFirst(2)
            if size == 0 { return rest.isEmpty ? (body, chunks) : nil }
            chunks += 1
        }
    }

    /// 1*HEXDIG, without leading zeros unless it is zero.
    private static func size(_ line: ArraySlice<UInt8>) -> Int? {
        guard let first = line.first, first != 0x30 || line.count == 1 else { return nil }
        guard line.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        return Int(String(decoding: line, as: UTF8.self), radix: 16)
    }
}
