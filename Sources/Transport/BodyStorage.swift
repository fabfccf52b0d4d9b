package import NIOCore

/// A request body in one piece of memory: JSON can be read in it, a value in it replaced, and libcurl sends from it.
///
/// Behind the bytes there is always room that may be read but means nothing (`padding`), as simdjson needs it.
package final class BodyStorage {
    /// Bytes behind `count` that can be read.
    package static let padding = 64

    package private(set) var count = 0
    private var memory: UnsafeMutableRawPointer
    /// Bytes allocated, padding included.
    package private(set) var capacity: Int

    /// - Parameter expected: bytes to make room for at once; more is made when it is needed.
    package init(expected: Int = 0) {
        capacity = max(expected, 1024 - Self.padding) + Self.padding
        memory = .allocate(byteCount: capacity, alignment: 16)
        clearPadding()
    }

    deinit { memory.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    /// Empties it, and keeps its memory.
    package func clear() {
        count = 0
        clearPadding()
    }

    package func append(_ buffer: ByteBuffer) { buffer.withUnsafeReadableBytes { append($0) } }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(count + bytes.count)
        (memory + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
        clearPadding()
    }

    /// Puts other bytes in the place of some. `range` lies within `0..<count`.
    package func replace(_ range: Range<Int>, with replacement: UnsafeRawBufferPointer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a replacement outside the body")
        let growth = replacement.count - range.count
        reserve(count + max(0, growth))
        (memory + range.lowerBound + replacement.count).copyMemory(
            from: memory + range.upperBound,
            byteCount: count - range.upperBound
        )
        if let source = replacement.baseAddress {
            (memory + range.lowerBound).copyMemory(from: source, byteCount: replacement.count)
        }
        count += growth
        clearPadding()
    }

    private func clearPadding() {
        (memory + count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }

    private func reserve(_ needed: Int) {
        guard needed + Self.padding > capacity else { return }
        capacity = max(capacity * 2, needed + Self.padding)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = larger
    }
}
