/// The texts of a few members of a JSON object, from its beginning as far as it came. Pure; of what is not JSON it makes
/// something harmless.
///
/// For the rare requests and answers that name things which live on one resource; what every request is read for is read by
/// `JSONRequestReader` and `AnswerJSON`.
struct JSONMembers {
    private(set) var texts: [(name: String, text: String)] = []

    /// - Parameters:
    ///   - wanted: names of members of the outermost object.
    ///   - inner: a member whose own members count as well, such as `response`.
    init(_ bytes: UnsafeRawBufferPointer, wanted: Set<String>, inner: String? = nil) {
        var depth = 0
        var at = 0
        var name: String?
        // For each object that is open and counts: whether a name comes next.
        var expectsName = false
        var innerDepth: Int?
        var isArray: [Bool] = []
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if byte == UInt8(ascii: "{"), depth == 1, let inner, name == inner { innerDepth = 2 }
                isArray.append(byte == UInt8(ascii: "["))
                depth += 1
                expectsName = byte == UInt8(ascii: "{")
                name = nil
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth <= 0 { return }
                if depth == 1 { innerDepth = nil }
                isArray.removeLast()
                name = nil
                at += 1
            case UInt8(ascii: ","):
                expectsName = isArray.last == false
                name = nil
                at += 1
            case UInt8(ascii: "\""):
                guard let (text, end) = Self.text(bytes, at + 1) else { return }
                if expectsName {
                    name = text
                    expectsName = false
                } else if let name, wanted.contains(name), depth == 1 || depth == innerDepth {
                    texts.append((name, text))
                }
                at = end
            default:
                at += 1
            }
        }
    }

    /// A text and where it ends; `nil` if the end is not there. Escapes are decoded as far as ids have them.
    private static func text(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> (String, Int)? {
        var at = start
        var hasEscapes = false
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\") {
                hasEscapes = true
                at += 1
            }
            at += 1
        }
        guard at < bytes.count else { return nil }
        let raw = bytes[start..<at]
        // Long texts are prompts and answers, and name nothing.
        if raw.count > 512 { return ("", at + 1) }
        return (hasEscapes ? unescaped(raw) : String(decoding: raw, as: UTF8.self), at + 1)
    }

    private static func unescaped(_ raw: Slice<UnsafeRawBufferPointer>) -> String {
        var units: [UInt16] = []
        var rest = Array(String(decoding: raw, as: UTF8.self).utf16)[...]
        while let unit = rest.popFirst() {
            guard unit == UInt16(UInt8(ascii: "\\")), let kind = rest.popFirst() else {
                units.append(unit)
                continue
            }
            switch UInt8(truncatingIfNeeded: kind) {
            case UInt8(ascii: "u"):
                let digits = String(decoding: rest.prefix(4), as: UTF16.self)
                rest = rest.dropFirst(4)
                units.append(UInt16(digits, radix: 16) ?? 0xFFFD)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            default: units.append(kind)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
