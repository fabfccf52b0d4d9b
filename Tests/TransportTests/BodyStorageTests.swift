import NIOCore
import TestSupport
import Testing

@testable import Transport

@Suite("A request body in memory")
struct BodyStorageTests {
    private func storage(_ bytes: [UInt8], expected: Int = 0) -> BodyStorage {
        let storage = BodyStorage(expected: expected)
        bytes.withUnsafeBytes { storage.append($0) }
        return storage
    }

    /// The bytes, and that the room behind them is zero.
    private func check(_ storage: BodyStorage, _ expected: [UInt8], _ comment: Comment? = nil) {
        #expect(storage.count == expected.count, comment)
        #expect(Array(storage.bytes) == expected, comment)
        let padding = UnsafeRawBufferPointer(
            start: storage.bytes.baseAddress! + storage.count,
            count: BodyStorage.padding
        )
        #expect(padding.allSatisfy { $0 == 0 }, comment)
    }

    @Test("A new body is empty and has its padding", arguments: [0, 1, 959, 960, 961, 100_000])
    func empty(_ expected: Int) { check(BodyStorage(expected: expected), []) }

    @Test("What is appended stands there in order, across every growth")
    func append() {
        let storage = BodyStorage()
        var expected: [UInt8] = []
        for size in [0, 1, 63, 64, 500, 331, 1, 1, 2000, 0, 70_000] {
            let piece = patternBytes(count: size, seed: UInt64(size))
            storage.append(ByteBuffer(bytes: piece))
            expected += piece
            check(storage, expected)
        }
    }

    @Test("Appending around the end of the first allocation keeps the padding", arguments: 950...970)
    func appendAtTheEdge(_ size: Int) {
        let bytes = patternBytes(count: size)
        check(storage(bytes), bytes)
        let split = storage(Array(bytes[..<900]))
        Array(bytes[900...]).withUnsafeBytes { split.append($0) }
        check(split, bytes)
    }

    @Test("A replacement of any length at any place changes just that place")
    func replaceEverywhere() {
        let original = patternBytes(count: 24)
        for lower in 0...original.count {
            for upper in lower...original.count {
                for length in [0, 1, upper - lower, upper - lower + 1, 40] {
                    let replacement = patternBytes(count: length, seed: 7)
                    let storage = storage(original)
                    replacement.withUnsafeBytes { storage.replace(lower..<upper, with: $0) }
                    let expected = original[..<lower] + replacement + original[upper...]
                    check(storage, Array(expected), "\(lower)..<\(upper) by \(length) bytes")
                }
            }
        }
    }

    @Test("A replacement that needs more memory keeps what stands around it", arguments: 940...965)
    func replaceWithGrowth(_ size: Int) {
        let original = patternBytes(count: size)
        let replacement = patternBytes(count: 30, seed: 9)
        for place in [0, size / 2, size] {
            let storage = storage(original)
            replacement.withUnsafeBytes { storage.replace(place..<place, with: $0) }
            check(storage, Array(original[..<place] + replacement + original[place...]))
        }
    }

    @Test("Shrinking to nothing leaves an empty body that can be filled again")
    func shrink() {
        let storage = storage(patternBytes(count: 3000))
        storage.replace(0..<3000, with: UnsafeRawBufferPointer(start: nil, count: 0))
        check(storage, [])
        storage.append(ByteBuffer(string: "again"))
        check(storage, Array("again".utf8))
    }

    @Test("A replacement outside the body is our own mistake and traps")
    func outside() async {
        await #expect(processExitsWith: .failure) {
            let storage = BodyStorage()
            storage.append(ByteBuffer(string: "abc"))
            storage.replace(2..<4, with: UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}
