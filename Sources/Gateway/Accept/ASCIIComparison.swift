/// Names of protocols, which no language's rules for upper and lower case may touch.
extension StringProtocol {
    /// Whether the two are the same but for the case of ASCII letters; `lower` is in lower case.
    func isSame(_ lower: StaticString) -> Bool {
        let bytes = utf8
        guard bytes.count == lower.utf8CodeUnitCount else { return false }
        // Byte by byte through a string's indices takes three times as long.
        let isSame = bytes.withContiguousStorageIfAvailable { bytes in
            let lower = lower.utf8Start
            for index in 0..<bytes.count {
                let byte = bytes[index]
                let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
                if folded != lower[index] { return false }
            }
            return true
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
