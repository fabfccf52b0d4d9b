/// Who may call, by API key.
struct ClientDirectory: Sendable {
    struct Client: Sendable {
        /// Its number; an index into metrics.
        let index: Int
        let name: String
        let models: GatewayConfiguration.AllowedModels
        /// 0 the highest ... 9 the lowest.
        let priority: Int
        let scopes: ClientScopes

        func mayUse(_ model: String) -> Bool {
            switch models {
            case .all: true
            case .only(let names): names.contains(model)
            }
        }
    }

    /// In file order.
    let clients: [Client]
    private let byPrefix: [UInt64: [(digest: KeyDigest, client: Int)]]

    /// Two clients with one key cannot be told apart; `duplicates` names them, for the configuration's errors.
    init(_ configuration: [GatewayConfiguration.Client], numbers: Roster.Numbers) {
        var byPrefix: [UInt64: [(digest: KeyDigest, client: Int)]] = [:]
        let hasher = KeyHasher()
        clients = configuration.map {
            Client(
                index: numbers[$0.name] ?? numbers.count,
                name: $0.name,
                models: $0.models,
                priority: $0.priority,
                scopes: ClientScopes($0)
            )
        }
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
    func client(apiKey: String?, authorization: String?, hasher: KeyHasher) -> Result<Client, GatewayError> {
        var bearer: Substring?
        if let authorization {
            guard let token = Self.bearerToken(authorization) else { return .failure(.unknownKey) }
            bearer = token
        }
        let presented = apiKey.map { hasher.digest(of: $0) } ?? bearer.map { hasher.digest(of: $0) }
        guard let presented else { return .failure(.unknownKey) }
        if apiKey != nil, let bearer, !presented.isSame(as: hasher.digest(of: bearer)) {
            return .failure(.differingKeys)
        }
        guard let client = client(with: presented) else { return .failure(.unknownKey) }
        return .success(client)
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
