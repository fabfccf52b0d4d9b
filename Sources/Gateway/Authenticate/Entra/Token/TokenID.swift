/// Entra ID's name of one token (`uti`), for logs; kept in place, because a hundred thousand of them may be held.
package struct TokenID: Sendable, Equatable, CustomStringConvertible {
    /// Entra ID's have 22 characters.
    package static let maxBytes = 24

    private var bytes: (UInt64, UInt64, UInt64) = (0, 0, 0)

    package init() {}

    /// Empty unless it has at most `maxBytes` characters of base64url: whatever else it is, nobody looks for it.
    package init(_ text: String) {
        guard text.utf8.count <= Self.maxBytes,
            text.utf8.allSatisfy({ byte in
                byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            })
        else { return }
        withUnsafeMutableBytes(of: &bytes) { $0.copyBytes(from: text.utf8) }
    }

    package var description: String {
        withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    package static func == (one: Self, other: Self) -> Bool { one.bytes == other.bytes }
}
