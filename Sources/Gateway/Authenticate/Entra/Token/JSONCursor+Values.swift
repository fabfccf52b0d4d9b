extension JSONCursor {
    /// Where a string stands, without its quotes.
    struct StringRange {
        let range: Range<Int>
        let hasEscapes: Bool
    }

    /// The largest number that every JSON reader holds exactly (RFC 8259 section 6).
    static let maxInteger: Int64 = 1 << 53

    /// Reads a string.
    mutating func string() throws(JSONProblem) -> String {
        guard try kind() == .string else { throw .wrongType }
        let text = try scanString()
        guard text.hasEscapes else { return String(decoding: bytes[text.range], as: UTF8.self) }
        return unescaped(text.range)
    }

    /// Reads a number that is whole and written so: no fraction, no exponent.
    mutating func integer() throws(JSONProblem) -> Int64 {
        guard try kind() == .number else { throw .wrongType }
        let start = position
        guard try scanNumber() == .whole else { throw .wrongType }
        let isNegative = bytes[start] == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in bytes[(start + (isNegative ? 1 : 0))..<position] {
            value = value * 10 + Int64(byte - 0x30)
            guard value <= Self.maxInteger else { throw .wrongType }
        }
        return isNegative ? -value : value
    }

    enum NumberForm {
        case whole, other
    }

    /// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
    mutating func scanNumber() throws(JSONProblem) -> NumberForm {
        var form = NumberForm.whole
        if byte() == UInt8(ascii: "-") { position += 1 }
        let startsWithZero = byte() == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0, digits == 1 || !startsWithZero else { throw .malformed }
        if byte() == UInt8(ascii: ".") {
            form = .other
            position += 1
            guard skipDigits() > 0 else { throw .malformed }
        }
        if let byte = byte(), byte | 0x20 == UInt8(ascii: "e") {
            form = .other
            position += 1
            if let sign = self.byte(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw .malformed }
        }
        return form
    }

    /// Reads a string, whose quote is the next byte, and checks its escapes.
    mutating func scanString() throws(JSONProblem) -> StringRange {
        position += 1
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return StringRange(range: start..<(position - 1), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                position += 1
                _ = try scanEscape()
            case 0..<0x20:
                throw .malformed
            default:
                position += 1
            }
        }
        throw .malformed
    }

    private func byte() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = byte(), byte &- 0x30 < 10 { position += 1 }
        return position - start
    }

    /// Reads what follows a backslash. A surrogate needs its other half: alone it is no character.
    private mutating func scanEscape() throws(JSONProblem) -> Unicode.Scalar {
        guard let byte = byte() else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw .malformed
        }
        let unit = try scanFourDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800...0xDBFF).contains(unit), self.byte() == UInt8(ascii: "\\") else { throw .malformed }
        position += 1
        guard self.byte() == UInt8(ascii: "u") else { throw .malformed }
        position += 1
        let second = try scanFourDigits()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
        else { throw .malformed }
        return scalar
    }

    private mutating func scanFourDigits() throws(JSONProblem) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = byte(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .malformed
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// The text of a string that was scanned, so its escapes are known to be right.
    private func unescaped(_ range: Range<Int>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var copy = self
        copy.position = range.lowerBound
        while copy.position < range.upperBound {
            let byte = bytes[copy.position]
            copy.position += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let scalar = try? copy.scanEscape() else { break }
            text.append(contentsOf: String(Character(scalar)).utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
