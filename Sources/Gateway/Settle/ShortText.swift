/// A text of few bytes without an allocation, collected in pieces; what does not fit is cut off.
struct ShortText {
    /// Azure's message of a rate limit is about 200 bytes long, and the wait it names is at its end.
    static let capacity = 256

    private var bytes = InlineArray<256, UInt8>(repeating: 0)
    private(set) var count = 0

    init() {}

    /// The text that a JSON string means, given as it stands there; what is no escape of JSON stays out.
    init(unescaping text: UnsafeRawBufferPointer) {
        var rest = text[...]
        var high: UInt32?
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): append(0x0A)
            case UInt8(ascii: "t"): append(0x09)
            case UInt8(ascii: "r"): append(0x0D)
            case UInt8(ascii: "b"): append(0x08)
            case UInt8(ascii: "f"): append(0x0C)
            case UInt8(ascii: "u"):
                guard let unit = Self.hexadecimal(rest.prefix(4)) else { return }
                rest = rest.dropFirst(4)
                if (0xD800..<0xDC00).contains(unit) {
                    high = unit
                } else {
                    let isLow = (0xDC00..<0xE000).contains(unit)
                    let value = isLow ? 0x10000 + ((high ?? 0xD800) - 0xD800) << 10 + (unit - 0xDC00) : unit
                    high = nil
                    for byte in UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? .init() { append(byte) }
                }
            case let other?: append(other)
            case nil: return
            }
        }
    }

    private static func hexadecimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        guard digits.count == 4 else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt32(digit - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((digit | 0x20) - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }

    mutating func clear() { count = 0 }

    private mutating func append(_ byte: UInt8) {
        guard count < Self.capacity else { return }
        bytes[count] = byte
        count += 1
    }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        let taken = min(text.count, Self.capacity - count)
        for index in 0..<taken { bytes[count + index] = text[index] }
        count += taken
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let span = bytes.span
        return span.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
