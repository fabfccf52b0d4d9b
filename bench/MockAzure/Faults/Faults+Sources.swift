/// The places a fault can come from.
///
/// A gateway drops headers it does not know, so every fault can also travel in what a gateway passes on: the query, a
/// member of the body, or the `user` of the body. A later source overrides an earlier one key by key.
extension Faults {
    private static let headerPrefix = "x-mock-"
    private static let queryPrefix = "mock-"
    private static let userPrefix = "mock:"

    /// `x-mock-KEY: VALUE`
    mutating func readHeader(_ name: String, _ value: String) throws(BadRequest) {
        // Nearly every header fails at its first byte; only the rest is worth a copy in lower case.
        guard let first = name.utf8.first, first | 0x20 == UInt8(ascii: "x") else { return }
        let lowercased = name.lowercased()
        guard lowercased.hasPrefix(Self.headerPrefix) else { return }
        try self.set(lowercased.dropFirst(Self.headerPrefix.count), to: value)
    }

    /// `?mock-KEY=VALUE`
    mutating func readQuery(_ name: String, _ value: String) throws(BadRequest) {
        guard name.hasPrefix(Self.queryPrefix) else { return }
        try self.set(name.dropFirst(Self.queryPrefix.count), to: value)
    }

    /// `"mock": {"KEY": VALUE}`
    mutating func readMember(_ reader: inout JSONReader) throws(BadRequest) {
        try reader.object { reader, key throws(BadRequest) in
            let text: String
            switch try reader.peek() {
            case .string: text = try reader.string().decoded()
            case .number: text = try reader.number()
            case .bool: text = try reader.bool() ? "1" : "0"
            case .object, .array, .null: throw BadRequest("mock: the value of '\(key.decoded())' is no scalar")
            }
            try self.set(key.decoded(), to: text)
        }
    }

    /// `"user": "mock:KEY=VALUE,KEY=VALUE"`; any other user is none of our business.
    mutating func readUser(_ user: String) throws(BadRequest) {
        guard user.hasPrefix(Self.userPrefix) else { return }
        try self.readList(user.dropFirst(Self.userPrefix.count))
    }

    /// `KEY=VALUE,KEY=VALUE`; a key without a value is a flag that is set.
    mutating func readList(_ list: some StringProtocol) throws(BadRequest) {
        for pair in list.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try self.set(parts[0], to: parts.count == 2 ? String(parts[1]) : "1")
        }
    }

    /// What the request's content asks for: see `ContentReader.filteredMarker`.
    mutating func filterPrompt() {
        self.markUsed()
        self.content.filtered = .prompt
    }
}
