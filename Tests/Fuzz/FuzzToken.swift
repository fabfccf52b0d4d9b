import Glibc

// What libFuzzer calls. Compiled together with the sources of Sources/Gateway/Authenticate/Entra/Token: see `make fuzz`.
//
// With TOKEN the input is a whole token; otherwise it is a JSON document: a header, claims or keys by its first byte.

/// A tenant without keys: every input that gets as far as the signature has passed everything before it.
private nonisolated(unsafe) let authenticator: TokenAuthenticator = {  // libFuzzer calls from one thread
    guard let tenant = GUID("11111111-1111-1111-1111-111111111111") else { fatalError("not a GUID") }
    let settings = EntraTenant(id: tenant, audiences: ["api://sluice"], authority: .cloud(.public))
    let rule = ClientRule(roles: ["sluice.team-a"])
    let view = KeyView(tenants: 1)
    return TokenAuthenticator(policy: TokenPolicy(tenants: [settings], clients: [rule], epoch: 1), keys: view)
}()
private nonisolated(unsafe) let hasher = KeyHasher()

/// libFuzzer calls this with one input after the other.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    #if TOKEN
        let outcome = authenticator.authenticate(input, digest: hasher.digest(of: input), now: 1_900_000_000)
        // Nobody has signed anything.
        if case .identity = outcome { fatalError("a token without a key was taken") }
        if let text = String(validating: input, as: UTF8.self) { _ = BearerToken.read(text) }
    #else
        guard let kind = input.first else { return 0 }
        let json = Array(input.dropFirst())
        switch kind {
        case UInt8(ascii: "h"): _ = try? TokenHeader(json)
        case UInt8(ascii: "c"): readClaims(json)
        default: readTwice(json)
        }
    #endif
    return 0
}

/// Claims that are read must be usable, whatever they say.
private func readClaims(_ json: [UInt8]) {
    guard let claims = try? TokenClaims(json) else { return }
    let policy = authenticator.policy
    _ = try? policy.rules.client(of: claims)
    let tenant = policy.tenants[0]
    for version in TokenClaims.Version.allCases {
        try? policy.check(claims, version: version, tenant: tenant, issuer: claims.issuer ?? "", now: 1_900_000_000)
    }
    _ = claims.application?.description
    _ = claims.tokenID.description
}

/// What one reader takes, the other must: skipping a document and reading all of it agree.
private func readTwice(_ json: [UInt8]) {
    let skipped = taken(json) { cursor throws(JSONProblem) in try cursor.skip() }
    let read = taken(json) { cursor throws(JSONProblem) in try readAll(&cursor) }
    if skipped != read { fatalError("two readers disagree") }
}

private func taken(_ json: [UInt8], _ read: (inout JSONCursor) throws(JSONProblem) -> Void) -> Bool {
    do throws(JSONProblem) {
        var cursor = try JSONCursor(json, maxDepth: 16)
        try read(&cursor)
        try cursor.end()
        return true
    } catch {
        return false
    }
}

private func readAll(_ cursor: inout JSONCursor) throws(JSONProblem) {
    switch try cursor.kind() {
    case .object: try cursor.object { (cursor, _) throws(JSONProblem) in try readAll(&cursor) }
    case .array: try cursor.array { (cursor) throws(JSONProblem) in try readAll(&cursor) }
    case .string: _ = try cursor.string()
    case .number: try readNumber(&cursor)
    case .boolean: _ = try cursor.boolean()
    case .null: try cursor.skip()
    }
}

/// A number that is not whole is no error of the document.
private func readNumber(_ cursor: inout JSONCursor) throws(JSONProblem) {
    var copy = cursor
    do throws(JSONProblem) {
        _ = try cursor.integer()
    } catch {
        guard error == .wrongType else { throw error }
        try copy.skip()
        cursor = copy
    }
}
