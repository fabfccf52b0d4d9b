internal import CJSONScan

/// Quick looks through JSON, sixteen bytes and more at a time.
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
            at = nextQuoteOrBackslash(bytes, at)
            guard at < bytes.count else { return 0 }
            if bytes[at] == UInt8(ascii: "\"") { return at + 1 }
            text.hasEscapes = true
            at += 2
            if at > bytes.count {
                text.isEscaped = true
                return 0
            }
        }
    }

    /// Index of the next quote or backslash, or the end.
    @inline(__always)
    static func nextQuoteOrBackslash(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        cjsonscan_quote(bytes.baseAddress, start, bytes.count)
    }

    /// Index of the next quote, backslash or control character, or the end.
    @inline(__always)
    static func endOfPlainText(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        cjsonscan_plain_end(bytes.baseAddress, start, bytes.count)
    }

    /// All bytes may stand in a JSON string as they are, and are printable ASCII.
    static func arePlain(_ bytes: UnsafeRawBufferPointer) -> Bool { cjsonscan_is_plain(bytes.baseAddress, bytes.count) }

    /// How many bytes from `start` on are the same as those of another text from `from` on.
    static func sameBytes(
        _ bytes: UnsafeRawBufferPointer,
        _ start: Int,
        as other: UnsafeRawBufferPointer,
        _ from: Int
    ) -> Int {
        let most = min(bytes.count - start, other.count - from)
        guard most > 0 else { return 0 }
        return cjsonscan_same(bytes.baseAddress! + start, other.baseAddress! + from, most)
    }

    /// An object or array that is skipped, in whatever pieces it comes.
    struct Nest {
        private var nest = cjsonscan_nest(open: 1, in_string: false, is_escaped: false)

        /// Its last bracket came.
        var isClosed: Bool { nest.open == 0 }

        /// Index behind its last bracket, or the end. Begins behind the first one; not to be called once it is closed.
        mutating func skip(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
            cjsonscan_skip(bytes.baseAddress, start, bytes.count, &nest)
        }
    }
}

/// The length that a JSON string has in UTF-8, counted as its bytes come.
struct EscapeLength {
    private(set) var length = 0
    /// Bytes of an escape that are still to come: 0 outside, 5 behind the backslash.
    private var left = 0
    private var value = 0

    /// The next byte is none of an escape.
    var isOutside: Bool { left == 0 }

    /// Takes bytes outside of escapes that are neither quotes nor backslashes.
    mutating func add(plain count: Int) { length += count }

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
    /// So many make no number above `TokenUsage.mostTokens`.
    static let fewDigits = 9

    init() {}

    /// A number of at most `fewDigits` digits and nothing else.
    init(whole: Int) { self.whole = whole }

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
