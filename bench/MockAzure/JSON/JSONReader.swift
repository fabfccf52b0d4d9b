/// Reads a JSON text once, front to back, without building a tree.
///
/// The caller walks objects and arrays with closures and takes what it knows; `skip()` validates the rest (RFC 8259), so
/// a body that was read to the end is known to be well formed. Every closure must consume exactly one value. The bytes
/// are borrowed: neither the reader nor a `JSONText` may leave the `withUnsafeReadableBytes` that lent them.
struct JSONReader {
    enum Kind {
        case object, array, string, number, bool, null
    }

    /// Deeper nesting is refused, so that a body of brackets cannot exhaust the stack.
    private static let maximumDepth = 128

    let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The kind of the next value, which stays unread.
    mutating func peek() throws(BadRequest) -> Kind {
        self.skipWhitespace()
        guard let byte = self.current else { throw self.failure("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw self.failure("unexpected character")
        }
    }

    /// Nothing but white space may follow the value.
    mutating func end() throws(BadRequest) {
        self.skipWhitespace()
        if self.offset < self.bytes.count { throw self.failure("characters after the value") }
    }

    mutating func object(
        _ member: (inout JSONReader, JSONText) throws(BadRequest) -> Void
    ) throws(BadRequest) {
        try self.open(UInt8(ascii: "{"), "expected an object")
        if self.close(UInt8(ascii: "}")) { return }
        while true {
            let name = try self.string()
            try self.expect(UInt8(ascii: ":"), "expected ':'")
            try member(&self, name)
            if self.close(UInt8(ascii: "}")) { return }
            try self.expect(UInt8(ascii: ","), "expected ',' or '}'")
        }
    }

    mutating func array(_ element: (inout JSONReader) throws(BadRequest) -> Void) throws(BadRequest) {
        try self.open(UInt8(ascii: "["), "expected an array")
        if self.close(UInt8(ascii: "]")) { return }
        while true {
            try element(&self)
            if self.close(UInt8(ascii: "]")) { return }
            try self.expect(UInt8(ascii: ","), "expected ',' or ']'")
        }
    }

    mutating func bool() throws(BadRequest) -> Bool {
        switch try self.peek() {
        case .bool where self.current == UInt8(ascii: "t"):
            try self.literal("true")
            return true
        case .bool:
            try self.literal("false")
            return false
        case .object, .array, .string, .number, .null:
            throw self.failure("expected true or false")
        }
    }

    mutating func null() throws(BadRequest) {
        guard case .null = try self.peek() else { throw self.failure("expected null") }
        try self.literal("null")
    }

    /// An integer in `range`; a fraction, an exponent or a value outside is an error.
    mutating func integer(in range: ClosedRange<Int>) throws(BadRequest) -> Int {
        let start = self.offset
        let text = try self.number()
        guard let value = Int(text), range.contains(value) else {
            throw .json("expected an integer from \(range.lowerBound) to \(range.upperBound)", at: start)
        }
        return value
    }

    /// Validates the next value, whatever it is, and leaves it behind.
    mutating func skip() throws(BadRequest) {
        switch try self.peek() {
        case .object: try self.object { reader, _ throws(BadRequest) in try reader.skip() }
        case .array: try self.array { reader throws(BadRequest) in try reader.skip() }
        case .string: _ = try self.string()
        case .number: try self.scanNumber()
        case .bool: _ = try self.bool()
        case .null: try self.null()
        }
    }
}

// MARK: - Tokens

extension JSONReader {
    mutating func string() throws(BadRequest) -> JSONText {
        try self.expect(UInt8(ascii: "\""), "expected a string")
        let start = self.offset
        var escapedAway = 0
        var escaped = false
        while let byte = self.current {
            if byte == UInt8(ascii: "\"") {
                let raw = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.offset])
                self.offset += 1
                return JSONText(raw: raw, escaped: escaped, decodedCount: raw.count - escapedAway)
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                escapedAway += try self.escape()
            } else if byte < 0x20 {
                throw self.failure("unescaped control character")
            } else {
                self.offset += 1
            }
        }
        throw self.failure("unterminated string")
    }

    /// Steps over one escape and returns by how many bytes it is longer than what it stands for in UTF-8.
    private mutating func escape() throws(BadRequest) -> Int {
        self.offset += 1
        switch self.current {
        case UInt8(ascii: "u"):
            let unit = try self.hexUnit()
            switch unit {
            case 0..<0x80: return 5
            case 0x80..<0x800: return 4
            // A pair of surrogates is 12 bytes for 4: each half counts as 2.
            case 0xD800..<0xE000: return 4
            default: return 3
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.offset += 1
            return 1
        case .some, nil:
            throw self.failure("bad escape")
        }
    }

    private mutating func hexUnit() throws(BadRequest) -> UInt32 {
        self.offset += 1
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.current, let digit = JSONText.hexDigit(byte) else {
                throw self.failure("bad \\u escape")
            }
            unit = unit << 4 | digit
            self.offset += 1
        }
        return unit
    }

    /// The text of a number, as it stands in the body.
    mutating func number() throws(BadRequest) -> String {
        guard case .number = try self.peek() else { throw self.failure("expected a number") }
        let start = self.offset
        try self.scanNumber()
        return String(decoding: self.bytes[start..<self.offset], as: UTF8.self)
    }

    private mutating func scanNumber() throws(BadRequest) {
        if self.current == UInt8(ascii: "-") { self.offset += 1 }
        if self.current == UInt8(ascii: "0") { self.offset += 1 } else { try self.digits() }
        if self.current == UInt8(ascii: ".") {
            self.offset += 1
            try self.digits()
        }
        if self.current == UInt8(ascii: "e") || self.current == UInt8(ascii: "E") {
            self.offset += 1
            if self.current == UInt8(ascii: "+") || self.current == UInt8(ascii: "-") { self.offset += 1 }
            try self.digits()
        }
    }

    private mutating func digits() throws(BadRequest) {
        let start = self.offset
        while let byte = self.current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { self.offset += 1 }
        if self.offset == start { throw self.failure("expected a digit") }
    }

    private mutating func literal(_ word: StaticString) throws(BadRequest) {
        let end = self.offset + word.utf8CodeUnitCount
        guard end <= self.bytes.count, UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<end]) == word else {
            throw self.failure("bad literal")
        }
        self.offset = end
    }
}

// MARK: - Bytes

extension JSONReader {
    private var current: UInt8? {
        self.offset < self.bytes.count ? self.bytes[self.offset] : nil
    }

    private mutating func skipWhitespace() {
        while let byte = self.current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.offset += 1
        }
    }

    private mutating func expect(_ byte: UInt8, _ reason: String) throws(BadRequest) {
        self.skipWhitespace()
        guard self.current == byte else { throw self.failure(reason) }
        self.offset += 1
    }

    private mutating func open(_ bracket: UInt8, _ reason: String) throws(BadRequest) {
        try self.expect(bracket, reason)
        self.depth += 1
        if self.depth > Self.maximumDepth { throw self.failure("nested too deeply") }
    }

    private mutating func close(_ bracket: UInt8) -> Bool {
        self.skipWhitespace()
        guard self.current == bracket else { return false }
        self.offset += 1
        self.depth -= 1
        return true
    }

    private func failure(_ reason: String) -> BadRequest {
        .json(reason, at: self.offset)
    }
}
