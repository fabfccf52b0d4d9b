/// The keys that may sign one tenant's tokens of one version; immutable, the same object on every event loop.
final class KeySet: Sendable {
    /// What `iss` must be, to the byte.
    let issuer: String
    private let keys: [String: VerificationKey]

    /// - Parameter keys: with different ids.
    init(issuer: String, keys: [VerificationKey]) {
        self.issuer = issuer
        self.keys = Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var count: Int { keys.count }
    var all: some Collection<VerificationKey> { keys.values }

    /// The key of exactly that id. There is no default, and none is tried for another.
    subscript(id: String) -> VerificationKey? { keys[id] }

    func holds(_ key: VerificationKey) -> Bool { keys[key.id] === key }
}

/// Names a set of keys: version 1 and version 2 tokens are checked against documents of their own.
struct KeySetID: Hashable, Sendable {
    /// Index of the tenant in the configuration.
    let tenant: Int
    let version: TokenClaims.Version
}
