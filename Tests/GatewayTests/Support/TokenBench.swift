import TokenMill

@testable import Gateway

/// An authenticator with keys in place, as tests ask it.
final class TokenBench {
    typealias Known = TokenDraft.Known

    static let tenant = EntraTenant(
        id: GUID(Known.tenant)!,
        audiences: [Known.api, Known.apiURI],
        authority: .cloud(.public),
        clockSkew: Known.skew
    )
    static let otherTenant = EntraTenant(
        id: GUID(Known.otherTenant)!,
        audiences: [Known.api],
        authority: .cloud(.public)
    )
    /// One client: by role.
    static let byRole = ClientRule(roles: [Known.role])

    let view: KeyView
    let authenticator: TokenAuthenticator
    private let hasher = KeyHasher()

    init(
        tenants: [EntraTenant] = [tenant, otherTenant],
        clients: [ClientRule] = [byRole],
        cache: TokenCache = TokenCache()
    ) throws {
        view = KeyView(tenants: tenants.count)
        let policy = TokenPolicy(tenants: tenants, clients: clients, epoch: 1)
        authenticator = TokenAuthenticator(policy: policy, keys: view, cache: cache)
        for index in tenants.indices {
            try setKeys(tenant: index, .v1, [Known.keyID: .first, "only-v1": .second])
            try setKeys(tenant: index, .v2, [Known.keyID: .first, Known.otherKeyID: .second])
        }
        // The second tenant signs with a key of its own, under an id that the first does not have.
        if tenants.count > 1 { try setKeys(tenant: 1, .v2, ["key-other": .third]) }
    }

    /// Puts keys in place, fetched just now: nothing unknown may cause a fetch.
    func setKeys(tenant: Int, _ version: TokenClaims.Version, _ keys: [String: SigningKey]) throws {
        let issuer = authenticator.policy.tenants[tenant].issuer(version) ?? ""
        try setKeys(
            tenant: tenant,
            version,
            KeySet(issuer: issuer, keys: try keys.map { try $1.verification(id: $0) })
        )
    }

    func setKeys(tenant: Int, _ version: TokenClaims.Version, _ set: KeySet?) throws {
        var standing = KeyView.Standing()
        standing.set = set
        standing.refreshableFrom = .max
        view.update(KeySetID(tenant: tenant, version: version), to: standing)
    }

    /// From now on unknown keys may cause a fetch.
    func allowRefresh(tenant: Int = 0) {
        for version in TokenClaims.Version.allCases {
            let id = KeySetID(tenant: tenant, version: version)
            var standing = KeyView.Standing()
            standing.set = view[id]
            view.update(id, to: standing)
        }
    }

    func authenticate(_ token: String, at now: Int64 = Known.now) -> TokenAuthenticator.Outcome {
        var token = token
        return token.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return authenticator.authenticate(bytes, digest: hasher.digest(of: bytes), now: now)
        }
    }

    func refusal(of token: String, at now: Int64 = Known.now) -> TokenRefusal? {
        if case .refused(let refusal) = authenticate(token, at: now) { refusal } else { nil }
    }

    func identity(of token: String, at now: Int64 = Known.now) -> TokenIdentity? {
        if case .identity(let identity) = authenticate(token, at: now) { identity } else { nil }
    }
}
