/// Who may call, by API key.
final class ClientDirectory: Sendable {
    /// One object however many requests hold it: to pass it on counts once, where its fields would be counted one by one.
    final class Client: Sendable {
        /// Its number; an index into metrics.
        let index: Int
        let name: String
        let models: GatewayConfiguration.AllowedModels
        /// 0 the highest ... 9 the lowest.
        let priority: Int
        let scopes: ClientScopes

        fileprivate init(_ configuration: GatewayConfiguration.Client, index: Int) {
            self.index = index
            name = configuration.name
            models = configuration.models
            priority = configuration.priority
            scopes = ClientScopes(configuration)
        }

        func mayUse(_ model: String) -> Bool {
            switch models {
            case .all: true
            case .only(let names): names.contains(model)
            }
        }
    }

    /// Whom a request's credentials name, as far as keys say it.
    enum Finding {
        case client(Client)
        /// A bearer that is no client's key: perhaps an access token. With its SHA-256.
        case bearer(Substring, KeyDigest)
        case refused(GatewayError)
    }

    /// In file order.
    let clients: [Client]
    /// Who any bearer token that is no key stands for.
    let anyBearer: Client?
    private let byPrefix: [UInt64: [(digest: KeyDigest, client: Int)]]

    /// Two clients with one key cannot be told apart; `duplicates` names them, for the configuration's errors.
    init(_ configuration: [GatewayConfiguration.Client], numbers: Roster.Numbers) {
        var byPrefix: [UInt64: [(digest: KeyDigest, client: Int)]] = [:]
        let hasher = KeyHasher()
        clients = configuration.map { Client($0, index: numbers[$0.name] ?? numbers.count) }
        anyBearer = configuration.firstIndex(where: \.takesAnyBearerToken).map { [clients] in clients[$0] }
        for (index, client) in configuration.enumerated() {
            for key in client.apiKeys {
                guard let digest = key.digest(hasher) else { continue }
                byPrefix[digest.prefix, default: []].append((digest, index))
            }
        }
        self.byPrefix = byPrefix
    }

    /// The client that a request's credentials name.
    ///
    /// A key may come as `api-key`, as `Authorization: Bearer`, or as both when they are the same: SDKs send either.
    func find(apiKey: String?, authorization: String?, hasher: KeyHasher) -> Finding {
        var bearer: Substring?
        if let authorization {
            guard let token = Self.bearerToken(authorization) else { return .refused(.unknownKey) }
            bearer = token
        }
        guard let apiKey else {
            guard let bearer else { return .refused(.noCredentials) }
            let digest = hasher.digest(of: bearer)
            return client(with: digest).map { .client($0) } ?? .bearer(bearer, digest)
        }
        let digest = hasher.digest(of: apiKey)
        if let bearer, !digest.isSame(as: hasher.digest(of: bearer)) { return .refused(.differingKeys) }
        return client(with: digest).map { .client($0) } ?? .refused(.unknownKey)
    }

    private func client(with presented: KeyDigest) -> Client? {
        var found: Client?
        for candidate in byPrefix[presented.prefix] ?? [] where candidate.digest.isSame(as: presented) {
            found = found ?? clients[candidate.client]
        }
        return found
    }

    /// "Bearer" in any case, then the token (RFC 6750 section 2.1).
    private static func bearerToken(_ authorization: String) -> Substring? {
        guard authorization.prefix(7).isSame("bearer ") else { return nil }
        let token = authorization.dropFirst(7).trimmed
        return token.isEmpty ? nil : token
    }
}

extension GatewayConfiguration.APIKey {
    func digest(_ hasher: KeyHasher) -> KeyDigest? {
        switch self {
        case .plain(let key): hasher.digest(of: key.reveal())
        case .sha256(let bytes): KeyDigest(bytes: bytes)
        }
    }
}
