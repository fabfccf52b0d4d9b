extension GatewayConfiguration.Client {
    /// - Parameters:
    ///   - index: which of the clients this is.
    ///   - models: names of what the endpoints of the file serve; empty: any model.
    init?(
        readingPowerProxy keys: inout MappingReader,
        index: Int,
        plugins: PowerProxyPlugins,
        models: Set<String>,
        seen: inout ClientRegistry
    ) {
        let context = keys.context
        let path = "clients[\(index)]"
        let name = keys.needed("name")?.powerProxyName(of: "client", at: path + ".name")
        seen.names.declare(name, in: context)
        _ = keys.value("description")

        let keyField = keys.value("key")
        let key = keyField?.apiKey()
        if let key {
            seen.keys.add(key, in: context)
        }
        let usesEntra = keys.value("uses_entra_id_auth")
        let takesAny = usesEntra?.powerProxyBool() ?? false
        if keyField == nil, !takesAny {
            context.report(keys.position, "missing key 'key' or 'uses_entra_id_auth': every client needs one of them")
        }
        self.init(name: name?.value ?? "", apiKeys: key.map { [$0.value] } ?? [], models: .all)
        if let usesEntra, takesAny {
            seen.addAnyBearer(usesEntra, isEntraValidated: false)
            self.takesAnyBearerToken = true
            context.note(
                usesEntra.position,
                "any bearer token is this client's and goes on to Azure unvalidated, as in PowerProxy; 'entra' validates tokens "
                    + "here and tells many clients apart",
                at: path + ".any_bearer_token"
            )
        }

        let allowed = keys.value("deployments_allowed")
        let limits = keys.value("max_tokens_per_minute_in_k")
        self.allow(allowed?.powerProxyModels(), field: allowed, plugins, served: models, at: path, keys)
        self.limit(limits, plugins, at: path, keys)
        guard name != nil else { return nil }
    }

    private mutating func allow(
        _ names: [Located<String>]?,
        field: ConfigurationField?,
        _ plugins: PowerProxyPlugins,
        served models: Set<String>,
        at path: String,
        _ keys: MappingReader
    ) {
        guard plugins.allowDeployments != nil else {
            if let field {
                keys.context.note(
                    field.position,
                    "'deployments_allowed' has no effect, as the plugin AllowDeployments is not listed",
                    at: path
                )
            }
            return
        }
        guard field != nil else {
            keys.context.report(
                keys.position,
                "missing key 'deployments_allowed': with the plugin AllowDeployments every client needs it"
            )
            return
        }
        let isAnyServed = models.isEmpty || models.contains("*")
        var kept: [String] = []
        var seen: Set<String> = []
        for name in names ?? [] where seen.insert(name.value).inserted {
            if isAnyServed || models.contains(name.value) {
                kept.append(name.value)
            } else {
                let message = "the deployment '\(name.value)' is at no endpoint and left out"
                keys.context.note(name.position, message, at: path + ".models")
            }
        }
        if let names, !names.isEmpty, kept.isEmpty {
            field?.report("names no deployment that an endpoint has")
        }
        self.models = .only(kept)
    }

    private mutating func limit(
        _ field: ConfigurationField?,
        _ plugins: PowerProxyPlugins,
        at path: String,
        _ keys: MappingReader
    ) {
        guard plugins.limitUsage != nil else {
            if let field {
                keys.context.note(
                    field.position,
                    "'max_tokens_per_minute_in_k' has no effect, as the plugin LimitUsage is not listed",
                    at: path
                )
            }
            return
        }
        guard let field else {
            keys.context.report(
                keys.position,
                "missing key 'max_tokens_per_minute_in_k': with the plugin LimitUsage every client needs it"
            )
            return
        }
        let isMap: Bool = if case .mapping = field.node.content { true } else { false }
        if isMap {
            self.modelLimits =
                field.dictionary { model, limit in
                    let tokens = limit.thousands()
                    guard let model = model.name(), let tokens else { return nil }
                    return (model.value, GatewayConfiguration.Limits(tokensPerMinute: tokens))
                } ?? [:]
            self.restrictToLimitedModels(field, at: path)
        } else if let tokens = field.thousands() {
            self.modelLimits = ["*": .init(tokensPerMinute: tokens)]
            keys.context.note(
                field.position,
                "this limit holds for each model by itself, as in PowerProxy; 'limits' holds for all together",
                at: path + ".model_limits"
            )
        }
    }

    /// PowerProxy answers 500 for a deployment that the map leaves out.
    private mutating func restrictToLimitedModels(_ field: ConfigurationField, at path: String) {
        guard !self.modelLimits.isEmpty else { return }
        let before = self.models
        let limited = self.modelLimits.keys.sorted()
        switch before {
        case .all: self.models = .only(limited)
        case .only(let names):
            self.models = .only(names.filter { self.modelLimits[$0] != nil })
            // A limit of a model that the client may not use would be an error.
            let usable = Set(names)
            self.modelLimits = self.modelLimits.filter { usable.contains($0.key) }
        }
        guard self.models != before else { return }
        if self.models == .only([]) {
            field.report("has no limit for any deployment that the client may use")
        }
        field.context.note(
            field.position,
            "only deployments with a limit in this map may be used; PowerProxy answers 500 for the others",
            at: path + ".models"
        )
    }
}

extension ConfigurationField {
    /// True and false as Python's YAML writes them.
    func powerProxyBool() -> Bool? {
        self.value(.bool) { text throws(BadValue) in
            switch text.lowercased() {
            case "true", "yes", "on": return true
            case "false", "no", "off": return false
            default: throw BadValue("must be true or false")
            }
        }?.value
    }

    /// A number in thousands.
    fileprivate func thousands() -> Int? {
        self.value(.words("number")) { text throws(BadValue) in
            let isNumber = text.utf8.allSatisfy { ConfigurationText.isDigit($0) || $0 == UInt8(ascii: ".") }
            guard isNumber, let number = try? QuantitySyntax.count.parse(text + "k"),
                number <= GatewayConfiguration.Limits.mostPerMinute
            else {
                throw BadValue("must be a number of thousands of tokens, such as 20 or 0.5")
            }
            return number
        }?.value
    }

    /// A list, or names with commas between them.
    fileprivate func powerProxyModels() -> [Located<String>]? {
        if self.isList { return self.list()?.compactMap { $0.name() } }
        guard let text = self.text() else { return nil }
        return text.value.split(separator: ",").compactMap { part in
            let name = part.trimming(while: \.isWhitespace)
            let field = ConfigurationField(
                label: self.label,
                node: ConfigurationNode(.scalar(text: name, .quoted), at: self.node.position),
                position: self.position,
                keyPath: self.keyPath,
                context: self.context
            )
            return field.name()
        }
    }
}

extension Substring {
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> String {
        var text = self
        while let first = text.first, isTrimmed(first) { text.removeFirst() }
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
