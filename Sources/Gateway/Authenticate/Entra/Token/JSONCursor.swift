/// Why a JSON document is not taken.
enum JSONProblem: Error, Equatable {
    /// Not RFC 8259, not UTF-8, or more than one value.
    case malformed
    /// One object has a member twice, or in two spellings that differ only by case.
    case duplicateMember
    case tooDeep
    case tooManyMembers
    /// A value is of another type than its reader needs, or a number is no whole number.
    case wrongType
}

/// Reads small JSON documents of strangers strictly, from front to back: tokens, keys, answers of token services.
///
/// What readers could understand in two ways is refused: repeated members, escapes in names, lone surrogates, anything behind
/// the value. Depth and members are bounded, each byte is looked at a bounded number of times, and nothing is built that
/// the caller does not ask for.
struct JSONCursor {
    /// The name of an object's member.
    struct Name {
        fileprivate let bytes: ArraySlice<UInt8>

        static func ~= (text: StaticString, name: Self) -> Bool {
            guard name.bytes.count == text.utf8CodeUnitCount else { return false }
            var index = 0
            for byte in name.bytes {
                if byte != text.utf8Start[index] { return false }
                index += 1
            }
            return true
        }
    }

    enum Kind {
        case object, array, string, number, boolean, null
    }

    /// Members of one object; Entra ID's tokens have about thirty.
    static let maxMembers = 128

    let bytes: [UInt8]
    var position = 0
    private var depth = 0
    private let maxDepth: Int
    /// The members of the objects that are open, each as a hash of its name in lower case. That two names share one by chance
    /// is as good as impossible, and would only refuse a document.
    private var names: [UInt64] = []

    /// - Parameter maxDepth: objects and arrays that may be open at once.
    init(_ bytes: [UInt8], maxDepth: Int) throws(JSONProblem) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .malformed }
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    /// The kind of the next value, which stays unread.
    mutating func kind() throws(JSONProblem) -> Kind {
        switch try peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), 0x30...0x39: return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: throw .malformed
        }
    }

    /// Reads an object; `member` reads the value of each member.
    mutating func object(_ member: (inout JSONCursor, Name) throws(JSONProblem) -> Void) throws(JSONProblem) {
        try open(UInt8(ascii: "{"))
        let first = names.count
        if try peek() == UInt8(ascii: "}") {
            position += 1
        } else {
            repeat {
                let name = try name(firstOfObject: first)
                guard try peek() == UInt8(ascii: ":") else { throw .malformed }
                position += 1
                try member(&self, name)
            } while try hasMore(until: UInt8(ascii: "}"))
        }
        names.removeSubrange(first...)
        depth -= 1
    }

    /// Reads an array; `element` reads each of its values.
    mutating func array(_ element: (inout JSONCursor) throws(JSONProblem) -> Void) throws(JSONProblem) {
        try open(UInt8(ascii: "["))
        if try peek() == UInt8(ascii: "]") {
            position += 1
        } else {
            repeat { try element(&self) } while try hasMore(until: UInt8(ascii: "]"))
        }
        depth -= 1
    }

    /// Reads a value of any kind and forgets it.
    mutating func skip() throws(JSONProblem) {
        switch try kind() {
        case .object: try object { (cursor, _) throws(JSONProblem) in try cursor.skip() }
        case .array: try array { (cursor) throws(JSONProblem) in try cursor.skip() }
        case .string: _ = try scanString()
        case .number: _ = try scanNumber()
        case .boolean: _ = try boolean()
        case .null: try literal("null")
        }
    }

    /// Nothing but white space may follow.
    mutating func end() throws(JSONProblem) {
        skipBlanks()
        guard position == bytes.count else { throw .malformed }
    }

    mutating func boolean() throws(JSONProblem) -> Bool {
        guard try kind() == .boolean else { throw .wrongType }
        let isTrue = bytes[position] == UInt8(ascii: "t")
        try literal(isTrue ? "true" : "false")
        return isTrue
    }

    // MARK: structure

    private mutating func open(_ bracket: UInt8) throws(JSONProblem) {
        guard try peek() == bracket else { throw .wrongType }
        guard depth < maxDepth else { throw .tooDeep }
        depth += 1
        position += 1
    }

    private mutating func hasMore(until bracket: UInt8) throws(JSONProblem) -> Bool {
        let byte = try peek()
        position += 1
        if byte == UInt8(ascii: ",") { return true }
        guard byte == bracket else { throw .malformed }
        return false
    }

    private mutating func name(firstOfObject first: Int) throws(JSONProblem) -> Name {
        guard try peek() == UInt8(ascii: "\"") else { throw .malformed }
        let text = try scanString()
        guard !text.hasEscapes else { throw .malformed }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
        for byte in bytes[text.range] {
            hash = (hash ^ UInt64(byte &- 0x41 < 26 ? byte | 0x20 : byte)) &* 0x100_0000_01B3
        }
        guard names.count - first < Self.maxMembers else { throw .tooManyMembers }
        guard !names[first...].contains(hash) else { throw .duplicateMember }
        names.append(hash)
        return Name(bytes: bytes[text.range])
    }

    private mutating func literal(_ text: StaticString) throws(JSONProblem) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[offset] else { throw .malformed }
            position += 1
        }
    }

    /// The next byte that is not white space.
    private mutating func peek() throws(JSONProblem) -> UInt8 {
        skipBlanks()
        guard position < bytes.count else { throw .malformed }
        return bytes[position]
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
