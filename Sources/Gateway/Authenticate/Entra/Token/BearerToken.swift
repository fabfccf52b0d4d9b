/// The credentials of an Authorization field (RFC 6750 section 2.1), found but not judged.
package enum BearerToken {
    /// Bytes of the longest token that is looked at. A token with 200 groups, the most that Entra ID puts in, has about 12 KiB.
    package static let maxBytes = 16 * 1024

    /// The token of an Authorization field: "Bearer" in any case, one space, and nothing but token68 characters
    /// (RFC 9110 section 11.2).
    package static func read(_ authorization: String) -> Result<Substring, TokenRefusal> {
        let scheme = authorization.utf8.prefix(7)
        guard scheme.count == 7, Substring(scheme).isSame("bearer ") else { return .failure(.notBearer) }
        let token = authorization.utf8[scheme.endIndex...]
        guard token.count <= maxBytes else { return .failure(.tooLong) }
        var isPadding = false
        for byte in token {
            if byte == UInt8(ascii: "=") {
                isPadding = true
            } else {
                guard !isPadding, isToken68(byte) else { return .failure(.notBearer) }
            }
        }
        guard let first = token.first, first != UInt8(ascii: "=") else { return .failure(.notBearer) }
        return .success(Substring(token))
    }

    private static func isToken68(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default:
            false
        }
    }
}
