extension GatewayConfiguration.Client {
    /// - Parameters:
    ///   - seen: what all clients of the file share.
    ///   - isEntraValidated: whether the file says whose access tokens are validated.
    init?(
        reading keys: inout MappingReader,
        models: NameRegistry,
        seen: inout ClientRegistry,
        isEntraValidated: Bool
    ) {
        let context = keys.context
        let name = keys.required("name", "What logs, metrics and usage call it.")?.title()
        seen.names.declare(name, in: context)

        let keysField = keys.optional("api_keys", "Keys, or `sha256:` and the digest of one; several for rotation.")
        let apiKeys = keysField?.list()?.compactMap { $0.apiKey() } ?? []
        for key in apiKeys {
            seen.keys.add(key, in: context)
        }
        let entra = keys.optional(
            "entra",
            "Whose access tokens identify the client; the first client in the file wins."
        )
        let identities = entra?.mapping("entra section") { GatewayConfiguration.EntraClient(reading: &$0) }
        if let entra, !isEntraValidated {
            entra.report("needs 'entra' at the top level, which says whose tokens are validated", at: entra.position)
        }
        let anyBearer = keys.optional(
            "any_bearer_token",
            "true: this client is who comes with any bearer token; the token is not validated, and sent on to Azure."
        )
        let takesAny = anyBearer?.bool() ?? false
        if let anyBearer, takesAny {
            seen.addAnyBearer(anyBearer, isEntraValidated: isEntraValidated)
        }
        if keysField == nil, entra == nil, anyBearer == nil {
            context.report(
                keys.position,
                "missing key 'api_keys' or 'entra': every client needs one of them, or both"
            )
        }

        let allowed =
            keys.optional("models", "Which of the models it may use, or \"*\" for all of them, the default.")
            .map { $0.allowedModels(declared: models) } ?? .all
        self.init(name: name?.value ?? "", apiKeys: apiKeys.map(\.value), models: allowed ?? .all)
        self.entra = identities ?? .init()
        self.takesAnyBearerToken = takesAny
        keys.read("priority", "0 is the highest, 9 the lowest.", into: &self.priority) { $0.count(in: 0...9) }
        keys.read("limits", "Of everything that it uses.", into: &self.limits) {
            $0.mapping("limits section") { .init(ofClient: &$0) }
        }
        keys.read(
            "model_limits",
            "Of what it uses of one model, by the model's name; \"*\" is each of the others by itself.",
            into: &self.modelLimits
        ) { $0.modelLimits(declared: models, allowed: allowed) }
        keys.read("burst", "What may be used at once, of `limits`; absent: a minute's worth.", into: &self.burst) {
            $0.mapping("burst section") { .init(reading: &$0, limits: self.limits) }
        }
        guard name != nil, allowed != nil else { return nil }
    }
}

extension ConfigurationField {
    /// A plain key, or the digest of one.
    func apiKey() -> Located<GatewayConfiguration.APIKey>? {
        guard let secret = self.secret() else { return nil }
        let text = secret.value.reveal()
        let key: GatewayConfiguration.APIKey
        if text.hasPrefix("sha256:") {
            guard let digest = Self.digest(text.dropFirst("sha256:".count)) else {
                self.report("must have exactly 64 hexadecimal digits after 'sha256:'")
                return nil
            }
            key = .sha256(digest)
        } else {
            key = .plain(secret.value)
        }
        return Located(value: key, position: secret.position, isShowable: false)
    }

    /// 32 bytes from 64 hexadecimal digits.
    private static func digest(_ text: Substring) -> [UInt8]? {
        let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }

    /// `"*"`, `["*"]`, or a list of models; each must be declared unless the file declares none.
    fileprivate func allowedModels(declared: NameRegistry) -> GatewayConfiguration.AllowedModels? {
        if self.outline != nil {
            self.outline?.note(.choice(["*"]))
        } else if case .mapping = self.node.content {
            self.report("must be a list of models, or \"*\" for every model, not a mapping")
            return nil
        } else if !self.isList {
            return self.value(.choice(["*"])) { text throws(BadValue) in
                guard text == "*" else { throw BadValue("must be a list of models, or \"*\" for every model") }
                return GatewayConfiguration.AllowedModels.all
            }?.value
        }
        guard let entries = self.list() else { return nil }
        var names: [String] = []
        var seen: Set<String> = []
        for entry in entries {
            guard !entry.isStar else {
                if entries.count == 1 { return .all }
                entry.report("is \"*\", which already means every model; let it stand alone")
                continue
            }
            guard let name = entry.name() else { continue }
            declared.check(name, in: self.context)
            if seen.insert(name.value).inserted {
                names.append(name.value)
            }
        }
        return .only(names)
    }

    /// Limits by model; each model must be declared, unless the file declares none, and the client may use it.
    ///
    /// - Parameter allowed: nil when it could not be read.
    fileprivate func modelLimits(
        declared: NameRegistry,
        allowed: GatewayConfiguration.AllowedModels?
    ) -> [String: GatewayConfiguration.Limits]? {
        let names: Set<String>? = if case .only(let names)? = allowed { Set(names) } else { nil }
        return self.dictionary { model, field in
            let limits = field.mapping("limits section") { GatewayConfiguration.Limits(ofClient: &$0) }
            if model.isStar {
                return limits.map { ("*", $0) }
            }
            guard let model = model.name() else { return nil }
            declared.check(model, in: self.context)
            if let names, !names.contains(model.value) {
                self.context.report(
                    model.position,
                    "this client may not use this model; add it to 'models' or remove its limits"
                )
            }
            return limits.map { (model.value, $0) }
        }
    }

    var isStar: Bool {
        if case .scalar(text: "*", _) = self.node.content { true } else { false }
    }
}

/// What the clients of a file must not have twice.
struct ClientRegistry {
    var names = NameRegistry(noun: "client")
    var keys = APIKeyRegistry()
    /// Where the first client stands that takes any bearer token.
    private var anyBearerLine: Int?

    mutating func addAnyBearer(_ field: ConfigurationField, isEntraValidated: Bool) {
        if let line = self.anyBearerLine {
            field.report("is already true on line \(line); only one client can take every token", at: field.position)
        } else if isEntraValidated {
            field.report("cannot stand beside 'entra' at the top level, which validates tokens", at: field.position)
        }
        self.anyBearerLine = self.anyBearerLine ?? field.position.line
    }
}

/// The API keys of all clients, because a key that two clients hold identifies neither.
struct APIKeyRegistry {
    private var plain: [String: Int] = [:]
    private var digests: [[UInt8]: Int] = [:]

    mutating func add(_ key: Located<GatewayConfiguration.APIKey>, in context: ConfigurationContext) {
        let line = key.position.line
        let first: Int?
        switch key.value {
        case .plain(let secret):
            first = self.plain[secret.reveal()]
            self.plain[secret.reveal()] = first ?? line
        case .sha256(let digest):
            first = self.digests[digest]
            self.digests[digest] = first ?? line
        }
        if let first {
            context.report(
                key.position,
                "this API key is already given on line \(first); a key belongs to one client, once"
            )
        }
    }
}
