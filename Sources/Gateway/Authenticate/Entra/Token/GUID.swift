/// A GUID as its 16 bytes: Entra ID's name of a tenant, an application, a group or a principal.
package struct GUID: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// From 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, in either case, with nothing around them.
    package init?(_ text: some Sequence<UInt8>) {
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var index = 0
        for byte in text {
            defer { index += 1 }
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard index < 36, let digit = Self.digit(byte) else { return nil }
            if digits < 16 { halves.0 = halves.0 << 4 | digit } else { halves.1 = halves.1 << 4 | digit }
            digits += 1
        }
        guard index == 36 else { return nil }
        (high, low) = halves
    }

    package init?(_ text: some StringProtocol) { self.init(text.utf8) }

    /// Compares in a time that does not depend on the bytes.
    package func isSame(as other: Self) -> Bool { (high ^ other.high) | (low ^ other.low) == 0 }

    /// Appends the usual form, in lower case.
    func write(to buffer: inout some ByteStore & ~Copyable) {
        for position in 0..<32 {
            if position == 8 || position == 12 || position == 16 || position == 20 { buffer.store(UInt8(ascii: "-")) }
            let half = position < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - position % 16 * 4)) & 0xF
            buffer.store(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: UInt64((byte | 0x20) - 0x61 + 10)
        default: nil
        }
    }
}

extension GUID: CustomStringConvertible {
    /// The usual form, in lower case.
    package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
