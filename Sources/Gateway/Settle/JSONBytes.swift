/// Quick looks through JSON, eight bytes at a time.
enum JSONBytes {
    /// What is known of a string whose end has not come.
    struct Text {
        /// The next byte is escaped.
        fileprivate var isEscaped = false
        fileprivate(set) var hasEscapes = false
    }

    /// Index behind the quote that ends a string; 0 where it does not end in these bytes.
    static func behindText(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ text: inout Text) -> Int {
        var at = start
        if text.isEscaped {
            guard at < bytes.count else { return 0 }
            text.isEscaped = false
            at += 1
        }
        while true {
            search: do {
                while at + 8 <= bytes.count {
                    let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
                    let hits = places(word, of: quotes) | places(word, of: backslashes)
                    if hits != 0 {
                        at += hits.trailingZeroBitCount >> 3
                        break search
                    }
                    at += 8
                }
                while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
                guard at < bytes.count else { return 0 }
            }
            if bytes[at] == UInt8(ascii: "\"") { return at + 1 }
            text.hasEscapes = true
            at += 2
            if at > bytes.count {
                text.isEscaped = true
                return 0
            }
        }
    }

    /// Index of the next quote, backslash or control character, or one up to eight bytes before it or the end.
    static func endOfPlainText(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
            // Of bytes above 0x7F the subtraction says nothing, so their own top bit rules them out.
            let controls = (word &- blanks) & ~word & 0x8080_8080_8080_8080
            let hits = places(word, of: quotes) | places(word, of: backslashes) | controls
            if hits != 0 { return at + hits.trailingZeroBitCount >> 3 }
            at += 8
        }
        return at
    }

    /// Index of the next quote or bracket, or the end.
    static func nextBracketOrQuote(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var at = start
        while at + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
            // "[" and "{", "]" and "}" differ in one bit.
            let folded = word | blanks
            let hits = places(word, of: quotes) | places(folded, of: openings) | places(folded, of: closings)
            if hits != 0 { return at + hits.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < bytes.count {
            let folded = bytes[at] | 0x20
            if bytes[at] == UInt8(ascii: "\"") || folded == UInt8(ascii: "{") || folded == UInt8(ascii: "}") { break }
            at += 1
        }
        return at
    }

    private static let quotes = each(UInt8(ascii: "\""))
    private static let backslashes = each(UInt8(ascii: "\\"))
    private static let blanks = each(0x20)
    private static let openings = each(UInt8(ascii: "{"))
    private static let closings = each(UInt8(ascii: "}"))

    private static func each(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 * UInt64(byte) }

    /// The top bit of each byte of `word` that is as in `pattern`; above the first one there may be false ones.
    private static func places(_ word: UInt64, of pattern: UInt64) -> UInt64 {
        let difference = word ^ pattern
        return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
    }
}

/// The length that a JSON string has in UTF-8, counted as its bytes come.
struct EscapeLength {
    private(set) var length = 0
    /// Bytes of an escape that are still to come: 0 outside, 5 behind the backslash.
    private var left = 0
    private var value = 0

    /// Takes the next byte; true if it is the quote at the end.
    mutating func isEnd(_ byte: UInt8) -> Bool {
        switch left {
        case 0:
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") { left = 5 } else { length += 1 }
        case 5:
            left = byte == UInt8(ascii: "u") ? 4 : 0
            value = 0
            if left == 0 { length += 1 }
        default:
            let digit = byte <= UInt8(ascii: "9") ? byte & 0xF : (byte & 0xF) + 9
            value = value << 4 | Int(digit)
            left -= 1
            // Half of a surrogate pair makes two of the pair's four bytes.
            if left == 0 { length += value < 0x80 ? 1 : value < 0x800 || value & 0xF800 == 0xD800 ? 2 : 3 }
        }
        return false
    }
}

/// A number, digit by digit. A sign makes it zero, an exponent unreadable: Azure sends neither.
struct JSONNumber {
    private var whole = 0
    private var fraction = 0
    private var scale = 0
    private var isNegative = false
    private var isReadable = true

    /// Digits behind the point that matter.
    private static let mostDecimals = 9

    /// Takes the next byte; false if it is none of the number.
    mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let digit = Int(byte - UInt8(ascii: "0"))
            if scale == 0 {
                whole = min(whole * 10 + digit, TokenUsage.mostTokens)
            } else if scale <= Self.mostDecimals {
                fraction = fraction * 10 + digit
                scale += 1
            }
        case UInt8(ascii: "."): scale = 1
        case UInt8(ascii: "-"): isNegative = true
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): isReadable = false
        default: return false
        }
        return true
    }

    /// Whether the byte can be part of a number.
    static func mayHold(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "e"),
            UInt8(ascii: "E"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// Without what is behind the point.
    var integer: Int? { isReadable ? (isNegative ? 0 : whole) : nil }

    var double: Double? {
        guard isReadable else { return nil }
        if isNegative { return 0 }
        var power = 1.0
        for _ in 1..<max(scale, 1) { power *= 10 }
        return Double(whole) + Double(fraction) / power
    }
}
