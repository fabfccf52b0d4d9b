import Glibc
import NIOCore

/// A string of a JSON text, still in its place and still escaped.
struct JSONText {
    /// The bytes between the quotes.
    let raw: UnsafeRawBufferPointer
    let escaped: Bool
    /// Length in UTF-8 bytes once the escapes are resolved; this is what prompt tokens are estimated from.
    let decodedCount: Int

    static func == (text: JSONText, word: StaticString) -> Bool {
        text.escaped ? text.decoded() == word.description : text.raw == word
    }

    /// Whether a string has this value, `nil` when it stood for something else than a string.
    static func ~= (word: StaticString, text: JSONText) -> Bool {
        text == word
    }

    func decoded() -> String {
        guard self.escaped else { return String(decoding: self.raw, as: UTF8.self) }
        var units: [UInt16] = []
        units.reserveCapacity(self.raw.count)
        var pending: [UInt8] = []
        var index = 0
        while index < self.raw.count {
            guard self.raw[index] == UInt8(ascii: "\\"), index + 1 < self.raw.count else {
                pending.append(self.raw[index])
                index += 1
                continue
            }
            units.append(contentsOf: String(decoding: pending, as: UTF8.self).utf16)
            pending.removeAll(keepingCapacity: true)
            let code = self.raw[index + 1]
            if code == UInt8(ascii: "u"), index + 6 <= self.raw.count {
                let digits = self.raw[(index + 2)..<(index + 6)]
                units.append(digits.reduce(0) { $0 << 4 | UInt16(Self.hexDigit($1) ?? 0) })
                index += 6
            } else {
                units.append(UInt16(Self.unescaped(code)))
                index += 2
            }
        }
        units.append(contentsOf: String(decoding: pending, as: UTF8.self).utf16)
        return String(decoding: units, as: UTF16.self)
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func unescaped(_ code: UInt8) -> UInt8 {
        switch code {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: code
        }
    }
}

extension UnsafeRawBufferPointer {
    static func == (bytes: UnsafeRawBufferPointer, word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        guard let start = bytes.baseAddress else { return true }
        return memcmp(start, word.utf8Start, bytes.count) == 0
    }
}

extension ByteBuffer {
    /// Writes `text` as a JSON string, quotes included.
    mutating func writeJSON(_ text: some StringProtocol) {
        self.writeStaticString("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): self.writeStaticString("\\\"")
            case UInt8(ascii: "\\"): self.writeStaticString("\\\\")
            case 0x0A: self.writeStaticString("\\n")
            case 0x0D: self.writeStaticString("\\r")
            case 0x09: self.writeStaticString("\\t")
            case 0..<0x20:
                self.writeStaticString("\\u00")
                self.writeHex(UInt64(byte), digits: 2)
            default: self.writeInteger(byte)
            }
        }
        self.writeStaticString("\"")
    }

    /// Writes the lowest `digits` hexadecimal digits of `value`.
    mutating func writeHex(_ value: UInt64, digits: Int) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: digits) { target in
            for index in 0..<digits {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - index))) & 0xF
                target[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return digits
        }
    }

    /// Writes `value` in decimal.
    mutating func writeDecimal(_ value: Int) {
        self.writeString(String(value))
    }
}
