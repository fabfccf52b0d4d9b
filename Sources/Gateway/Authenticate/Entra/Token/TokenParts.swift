/// The three parts of a token in its compact form (RFC 7515 section 7.1), still encoded.
struct TokenParts {
    let header: UnsafeRawBufferPointer
    let payload: UnsafeRawBufferPointer
    let signature: UnsafeRawBufferPointer
    /// What is signed: header, dot, payload.
    let signed: UnsafeRawBufferPointer

    /// Exactly three parts, none of them empty: five would be an encrypted token, and an empty signature none at all.
    init(_ token: UnsafeRawBufferPointer) throws(TokenRefusal) {
        guard token.count <= BearerToken.maxBytes else { throw .tooLong }
        let dot = UInt8(ascii: ".")
        guard let first = token.firstIndex(of: dot),
            let second = token[(first + 1)...].firstIndex(of: dot),
            !token[(second + 1)...].contains(dot),
            first > 0, second > first + 1, second + 1 < token.count
        else { throw .notThreeParts }
        header = UnsafeRawBufferPointer(rebasing: token[..<first])
        payload = UnsafeRawBufferPointer(rebasing: token[(first + 1)..<second])
        signature = UnsafeRawBufferPointer(rebasing: token[(second + 1)...])
        signed = UnsafeRawBufferPointer(rebasing: token[..<second])
    }
}
