/// Names of protocols, which no language's rules for upper and lower case may touch.
extension StringProtocol {
    /// Whether the two are the same but for the case of ASCII letters; `lower` is in lower case.
    func isSame(_ lower: StaticString) -> Bool {
        let bytes = utf8
        guard bytes.count == lower.utf8CodeUnitCount else { return false }
        // Byte by byte through a string's indices takes three times as long.
        let isSame = bytes.withContiguousStorageIfAvailable {
            ASCIIComparison.isSame(UnsafeRawBufferPointer($0), lower)
        }
        if let isSame { return isSame }
        var index = 0
        for byte in bytes {
            let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if folded != lower.utf8Start[index] { return false }
            index += 1
        }
        return true
    }

    /// Whether it begins so, but for the case of ASCII letters; `lower` is in lower case.
    func begins(_ lower: StaticString) -> Bool {
        var index = 0
        for byte in utf8 {
            guard index < lower.utf8CodeUnitCount else { return true }
            let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if folded != lower.utf8Start[index] { return false }
            index += 1
        }
        return index == lower.utf8CodeUnitCount
    }
}

extension String {
    /// Calls `body` with the bytes where they are. `withUTF8` wants a variable of its own: a copy that is counted.
    func withBytes<Answer>(_ body: (UnsafeBufferPointer<UInt8>) -> Answer) -> Answer {
        utf8.span.withUnsafeBufferPointer(body)
    }
}

extension Substring {
    /// Like that of `String`.
    func withBytes<Answer>(_ body: (UnsafeBufferPointer<UInt8>) -> Answer) -> Answer {
        utf8.span.withUnsafeBufferPointer(body)
    }
}

private enum ASCIIComparison {
    /// Eight bytes at a time; both have the same length.
    static func isSame(_ bytes: UnsafeRawBufferPointer, _ lower: StaticString) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let lower = UnsafeRawPointer(lower.utf8Start)
        let count = bytes.count
        func isSameWord(_ offset: Int) -> Bool {
            folded(start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                == lower.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        guard count >= 8 else {
            for index in 0..<count {
                let byte = bytes[index]
                let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
                if folded != lower.load(fromByteOffset: index, as: UInt8.self) { return false }
            }
            return true
        }
        var offset = 0
        while offset &+ 8 < count {
            guard isSameWord(offset) else { return false }
            offset &+= 8
        }
        // The last word may overlap the one before.
        return isSameWord(count &- 8)
    }

    /// Each of the eight bytes in lower case, if it is a letter of ASCII.
    private static func folded(_ word: UInt64) -> UInt64 {
        let sevenBits = word & 0x7F7F_7F7F_7F7F_7F7F
        let fromA = sevenBits &+ 0x3F3F_3F3F_3F3F_3F3F
        let aboveZ = sevenBits &+ 0x2525_2525_2525_2525
        return word | (fromA & ~aboveZ & ~word & 0x8080_8080_8080_8080) >> 2
    }
}
