/// The header of a token, as far as it may have a say: which key of those that are trusted anyway.
struct TokenHeader {
    /// 1 to 128 characters of `A-Z a-z 0-9 - _`.
    let keyID: String

    /// Bytes of the longest header. Entra ID's have about 120.
    static let maxBytes = 1024
    private static let maxDepth = 2

    /// - Parameter json: the decoded header.
    init(_ json: [UInt8]) throws(TokenRefusal) {
        guard json.count <= Self.maxBytes else { throw .headerTooLong }
        var found = Members()
        do throws(JSONProblem) {
            var cursor = try JSONCursor(json, maxDepth: Self.maxDepth)
            try cursor.object { (cursor, name) throws(JSONProblem) in try found.read(name, from: &cursor) }
            try cursor.end()
        } catch {
            throw error == .duplicateMember ? .headerDuplicate : .headerMalformed
        }
        if found.hasRefused { throw .headerMember }
        // RS256 is what Entra ID signs with; the token is never asked (RFC 8725 section 3.1).
        guard found.algorithm == "RS256" else { throw .algorithm }
        if let type = found.type, !type.isSame("jwt"), !type.isSame("at+jwt") { throw .type }
        guard let keyID = found.keyID, Self.isKeyID(keyID) else { throw .keyID }
        self.keyID = keyID
    }

    static func isKeyID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    private struct Members {
        var algorithm: String?
        var type: String?
        var keyID: String?
        var hasRefused = false

        mutating func read(_ name: JSONCursor.Name, from cursor: inout JSONCursor) throws(JSONProblem) {
            switch name {
            case "alg": algorithm = try cursor.string()
            case "typ": type = try cursor.string()
            case "kid": keyID = try cursor.string()
            // Extensions that must be understood, a detached or packed payload, encryption, a token within a token.
            case "crit", "b64", "zip", "enc", "cty": try refuse(&cursor)
            // Keys of the token's own choice.
            case "jku", "jwk", "x5u", "x5c": try refuse(&cursor)
            // Tokens for Microsoft Graph: theirs to read, and signed over something else than what they carry.
            case "nonce": try refuse(&cursor)
            default: try cursor.skip()
            }
        }

        private mutating func refuse(_ cursor: inout JSONCursor) throws(JSONProblem) {
            hasRefused = true
            try cursor.skip()
        }
    }
}
