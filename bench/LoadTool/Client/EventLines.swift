internal import Glibc
internal import NIOCore

/// The `data:` lines of an event stream, however its bytes are cut (WHATWG HTML, section 9.2). Pure.
///
/// Azure puts one line into an event; where there are several, each counts.
struct EventLines {
    /// A line longer than this is given up: nothing that a peer sends may grow the process.
    static let maximumLineBytes = 16 * 1_024 * 1_024

    private var partial = ByteBuffer()
    /// Lines that only keep the connection busy.
    private(set) var comments = 0

    /// Calls `onData` for every line that is complete; false when one grew too long.
    mutating func read(_ bytes: ByteBuffer, _ onData: (UnsafeRawBufferPointer) -> Void) -> Bool {
        if partial.readableBytes == 0 {
            let used = bytes.withUnsafeReadableBytes { readLines($0, onData) }
            if used < bytes.readableBytes {
                partial.clear()
                partial.writeImmutableBuffer(
                    bytes.getSlice(
                        at: bytes.readerIndex + used,
                        length: bytes.readableBytes - used
                    )!
                )
            }
        } else {
            // Only up to the end of the broken line is it copied; the rest is read where it is.
            let newline = bytes.withUnsafeReadableBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
            var rest = bytes
            var head = rest.readSlice(length: newline.map { $0 + 1 } ?? rest.readableBytes)!
            partial.writeBuffer(&head)
            if newline == nil { return partial.readableBytes <= Self.maximumLineBytes }
            let whole = partial
            partial = ByteBuffer()
            _ = whole.withUnsafeReadableBytes { readLines($0, onData) }
            return read(rest, onData)
        }
        return partial.readableBytes <= Self.maximumLineBytes
    }

    mutating func reset() {
        partial.clear()
        comments = 0
    }

    /// How many bytes belong to whole lines.
    private mutating func readLines(_ bytes: UnsafeRawBufferPointer, _ onData: (UnsafeRawBufferPointer) -> Void) -> Int
    {
        var start = 0
        while start < bytes.count, let newline = memchr(bytes.baseAddress! + start, 10, bytes.count - start) {
            let end = newline - UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
            var line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            start = end + 1
            if line.last == UInt8(ascii: "\r") { line = .init(rebasing: line.dropLast()) }
            if line.first == UInt8(ascii: ":") { comments += 1 }
            guard line.count >= 5, memcmp(line.baseAddress!, "data:", 5) == 0 else { continue }
            let value = line.dropFirst(line.count > 5 && line[5] == UInt8(ascii: " ") ? 6 : 5)
            onData(UnsafeRawBufferPointer(rebasing: value))
        }
        return start
    }
}
