/// Says who a bearer token of Entra ID belongs to, without asking anyone. One for each event loop.
///
/// The order is that of cost: what needs no cryptography is refused before any, and a key is asked for only when everything
/// else that the token says would let it in.
package final class TokenAuthenticator {
    package enum Outcome: Equatable {
        case identity(TokenIdentity)
        case refused(TokenRefusal)
        /// The key is not here and may be elsewhere: see `wait`.
        case pending(KeyWish)
    }

    /// The tenants' keys as this event loop sees them.
    package let keys: KeyView
    private(set) package var policy: TokenPolicy
    private var cache: TokenCache
    private let verifier = SignatureVerifier()
    /// Kept to be filled anew by each token.
    private var scratch: [UInt8] = []

    package convenience init(policy: TokenPolicy, keys: KeyView) {
        self.init(policy: policy, keys: keys, cache: TokenCache())
    }

    init(policy: TokenPolicy, keys: KeyView, cache: TokenCache) {
        self.policy = policy
        self.keys = keys
        self.cache = cache
    }

    /// From now on another configuration counts; what was let in before is judged anew.
    package func adopt(_ policy: TokenPolicy) { self.policy = policy }

    /// Identities that are remembered.
    package var cachedCount: Int { cache.count }

    /// - Parameters:
    ///   - token: as `BearerToken.read` found it.
    ///   - digest: SHA-256 of it.
    ///   - now: seconds since 1970.
    ///   - mayWait: whether it may be `.pending`.
    package func authenticate(
        _ token: UnsafeRawBufferPointer,
        digest: KeyDigest,
        now: Int64,
        mayWait: Bool = true
    ) -> Outcome {
        let keys = keys
        let known = cache.identity(of: digest, now: now, epoch: policy.epoch) { entry in
            keys[KeySetID(tenant: entry.identity.tenant, version: entry.version)]?.holds(entry.key) ?? false
        }
        if let known { return .identity(known) }
        do throws(TokenRefusal) {
            return try judge(token, digest: digest, now: now, mayWait: mayWait)
        } catch {
            return .refused(error)
        }
    }

    private func judge(
        _ token: UnsafeRawBufferPointer,
        digest: KeyDigest,
        now: Int64,
        mayWait: Bool
    ) throws(TokenRefusal) -> Outcome {
        let parts = try TokenParts(token)
        guard Base64URL.decode(parts.header, into: &scratch) else { throw .notBase64URL }
        let header = try TokenHeader(scratch)
        guard Base64URL.decode(parts.payload, into: &scratch) else { throw .notBase64URL }
        let claims = try TokenClaims(scratch)
        guard Base64URL.decode(parts.signature, into: &scratch) else { throw .notBase64URL }

        guard let tenantID = claims.tenant else { throw .claimMissing }
        guard let tenantIndex = policy.tenant(tenantID) else { throw .tenant }
        guard let version = claims.version else { throw .version }
        let tenant = policy.tenants[tenantIndex]
        let id = KeySetID(tenant: tenantIndex, version: version)

        guard let set = keys[id], let key = set[header.keyID] else {
            let issuer = keys[id]?.issuer ?? tenant.issuer(version) ?? claims.issuer ?? ""
            try policy.check(claims, version: version, tenant: tenant, issuer: issuer, now: now)
            switch keys.prospect(of: id, now: now) {
            case .mayCome where mayWait: return .pending(KeyWish(set: id, keyID: header.keyID))
            case .mayCome, .unknown: throw keys[id] == nil ? .keysUnavailable : .key
            case .noKeys: throw .keysUnavailable
            }
        }
        guard scratch.count == key.signatureLength else { throw .signatureLength }
        guard verifier.isValid(scratch, of: parts.signed, by: key) else { throw .signature }

        try policy.check(claims, version: version, tenant: tenant, issuer: set.issuer, now: now)
        let identity = TokenIdentity(
            client: try policy.rules.client(of: claims),
            tenant: tenantIndex,
            isApplication: claims.isApplicationOnly,
            objectID: claims.objectID,
            application: claims.application,
            tokenID: claims.tokenID
        )
        if let expires = claims.expires {
            cache.keep(
                TokenCache.Entry(
                    identity: identity,
                    key: key,
                    expires: expires,
                    version: version,
                    epoch: policy.epoch,
                    lastUsed: UInt32(truncatingIfNeeded: now)
                ),
                for: digest,
                now: now
            )
        }
        return .identity(identity)
    }
}

/// A key that a token asks for.
package struct KeyWish: Equatable, Sendable {
    let set: KeySetID
    let keyID: String
}
