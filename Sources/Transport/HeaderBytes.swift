/// Character classes of RFC 9110 section 5.
package enum HeaderBytes {
    package static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    /// field-vchar, obs-text, space and tab: everything but control characters.
    package static func isValue(_ byte: UInt8) -> Bool { byte >= 0x20 ? byte != 0x7F : byte == 0x09 }
    /// tchar
    package static func isToken(_ byte: UInt8) -> Bool {
        let bits = byte < 64 ? lowTokens : byte < 128 ? highTokens : 0
        return bits >> UInt64(byte & 63) & 1 == 1
    }
    package static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// A bit for each of "!#$%&'*+-." and the digits, then of "^_`|~" and the letters, which begin at 64.
    private static let lowTokens: UInt64 = 0x03FF_6CFA_0000_0000
    private static let highTokens: UInt64 = 0x57FF_FFFF_C7FF_FFFE

    /// A "1" for each byte that is a tchar, as `isToken` has it: a name is looked at byte by byte, and a head has 300 of them.
    private static let tokens: StaticString = """
        0000000000000000000000000000000001011111001101101111111111000000\
        0111111111111111111111111110001111111111111111111111111111101010\
        0000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000000
        """

    /// How many bytes at the beginning are tchars.
    static func tokenPrefix(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        let tokens = Self.tokens.utf8Start
        var index = 0
        while index < bytes.count, tokens[Int(start.load(fromByteOffset: index, as: UInt8.self))] == 0x31 { index += 1 }
        return index
    }

    /// Whether all of them may stand in a field's value.
    ///
    /// Eight at a time, as the values of a head have some hundred bytes together: a borrow out of the highest bit shows that a
    /// byte is less than 0x20, or that one is DEL. Only these are then looked at one by one.
    static func areValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 8 <= bytes.count {
            let eight = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let distance = eight ^ 0x7F7F_7F7F_7F7F_7F7F
            let below = (eight &- 0x2020_2020_2020_2020) & ~eight
            let isDelete = (distance &- 0x0101_0101_0101_0101) & ~distance
            if (below | isDelete) & 0x8080_8080_8080_8080 != 0 {
                for byte in bytes[index..<index + 8] where !isValue(byte) { return false }
            }
            index += 8
        }
        while index < bytes.count {
            guard isValue(bytes[index]) else { return false }
            index += 1
        }
        return true
    }
}
