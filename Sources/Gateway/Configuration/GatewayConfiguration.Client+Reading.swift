extension GatewayConfiguration.Client {
    init?(
        reading keys: inout MappingReader,
        names: inout NameRegistry,
        models: NameRegistry,
        keys seen: inout APIKeyRegistry
    ) {
        let context = keys.context
        let name = keys.required("name")?.name()
        names.declare(name, in: context)

        let apiKeys = keys.required("api_keys")?.list()?.compactMap { $0.apiKey() } ?? []
        for key in apiKeys {
            seen.add(key, in: context)
        }

        let allowed = keys.optional("models").map { $0.allowedModels(declared: models) } ?? .all
        self.init(name: name?.value ?? "", apiKeys: apiKeys.map(\.value), models: allowed ?? .all)
        keys.read("priority", into: &self.priority) { $0.count(in: 0...9) }
        keys.read("limits", into: &self.limits) { $0.mapping("limits section") { .init(ofClient: &$0) } }
        keys.read("model_limits", into: &self.modelLimits) { $0.modelLimits(declared: models, allowed: allowed) }
        keys.read("burst", into: &self.burst) {
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
        if case .mapping = self.node.content {
            self.report("must be a list of models, or \"*\" for every model, not a mapping")
            return nil
        }
        guard self.isList else {
            return self.value { text throws(BadValue) in
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
        self.dictionary { model, limits in
            guard let model = model.name() else { return nil }
            declared.check(model, in: self.context)
            if case .only(let names) = allowed, !names.contains(model.value) {
                self.context.report(
                    model.position,
                    "this client may not use this model; add it to 'models' or remove its limits"
                )
            }
            return limits.mapping("limits section") { .init(ofClient: &$0) }.map { (model.value, $0) }
        }
    }

    private var isStar: Bool {
        if case .scalar(text: "*", _) = self.node.content { true } else { false }
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
