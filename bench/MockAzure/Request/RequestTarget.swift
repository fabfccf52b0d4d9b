/// The target of a request line, taken apart: `/path?name=value`.
struct RequestTarget {
    let path: Substring
    /// Empty, or what stands behind the first `?`.
    let query: Substring

    init(_ target: String) {
        let utf8 = target.utf8
        if let mark = utf8.firstIndex(of: UInt8(ascii: "?")) {
            self.path = target[..<mark]
            self.query = target[utf8.index(after: mark)...]
        } else {
            self.path = target[...]
            self.query = ""
        }
    }

    /// The query's parameters in order, decoded.
    func forEachParameter(_ body: (String, String) throws(BadRequest) -> Void) throws(BadRequest) {
        for pair in self.query.utf8.split(separator: UInt8(ascii: "&")) {
            if let mark = pair.firstIndex(of: UInt8(ascii: "=")) {
                try body(Self.decoded(pair[..<mark]), Self.decoded(pair[pair.index(after: mark)...]))
            } else {
                try body(Self.decoded(pair), "")
            }
        }
    }

    /// Resolves `%XX` and `+`. A `%` without two digits stands for itself.
    static func decoded(_ text: Substring.UTF8View) -> String {
        guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(Substring(text))
        }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap(JSONText.hexDigit)
                if digits.count == 2 {
                    bytes.append(UInt8(digits[0] << 4 | digits[1]))
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default:
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
