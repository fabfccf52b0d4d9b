extension GatewayConfiguration {
    /// The same as a PowerProxy file means, as near as the gateway comes; where it differs there is a note.
    init(readingPowerProxy keys: inout MappingReader) {
        self.init()
        let context = keys.context
        for name in ["azure_subscription_id", "region", "resource_group", "unique_prefix"] {
            _ = keys.value(name)  // for PowerProxy's deployment script
        }
        for name in ["fixed_client", "FIXED_CLIENT"] {
            if let field = keys.value(name) {
                field.report("is not supported; set 'uses_entra_id_auth: true' for the client", at: field.position)
            }
        }
        let clients = keys.needed("clients")
        let plugins = PowerProxyPlugins(keys.value("plugins"))
        let identity = keys.value("user_assigned_managed_identity_client_id")?.uuid()

        keys.value("aoai")?.mapping("aoai section") { (aoai: inout MappingReader) -> Void? in
            self.readAzure(&aoai, identity: identity)
        }
        self.readClients(clients, plugins: plugins)
        self.use(plugins, identity: identity)
        context.note(
            .start,
            "PowerProxy listens on port 80 unless told otherwise, this on \(self.listen); --listen chooses another"
        )
    }

    private mutating func readClients(_ field: ConfigurationField?, plugins: PowerProxyPlugins) {
        guard let field else { return }
        let models = Set(self.models.map(\.name))
        var seen = ClientRegistry()
        var index = 0
        self.clients =
            field.entries("client") { keys in
                defer { index += 1 }
                return Client(
                    readingPowerProxy: &keys,
                    index: index,
                    plugins: plugins,
                    models: models,
                    seen: &seen
                )
            } ?? []
    }

    private mutating func use(_ plugins: PowerProxyPlugins, identity: String?) {
        if plugins.allowDeployments != nil {
            self.server.modelRefusalStatus = .unauthorized
        }
        if let limit = plugins.limitUsage {
            limit.context.note(
                limit.node.position,
                "tokens are reserved before a request and settled after it; PowerProxy counts them afterwards, and admits more"
            )
        }
        self.coordination = plugins.coordination
        for sink in plugins.sinks {
            switch sink.kind {
            case .console:
                self.sinks.append(.console)
            case .csv(let directory):
                self.sinks.append(.csv(directory: directory))
            case .logAnalytics(var table):
                if case .managed = table.identity { table.identity = .managed(clientID: identity) }
                self.sinks.append(.logAnalytics(table))
            }
        }
    }
}

/// What the plugins of a PowerProxy file ask for.
struct PowerProxyPlugins {
    enum Sink {
        case console
        case csv(directory: String)
        /// The identity is not known yet.
        case logAnalytics(GatewayConfiguration.LogAnalytics)
    }

    private enum Name: String, CaseIterable {
        case allow = "AllowDeployments"
        case limit = "LimitUsage"
        case console = "LogUsageToConsole"
        case csv = "LogUsageToCsvFile"
        case logAnalytics = "LogUsageToLogAnalytics"
    }

    private(set) var allowDeployments: ConfigurationField?
    private(set) var limitUsage: ConfigurationField?
    private(set) var coordination: GatewayConfiguration.Coordination?
    private(set) var sinks: [(kind: Sink, field: ConfigurationField)] = []

    init(_ field: ConfigurationField?) {
        if case .scalar(_, .null)? = field?.node.content { return }  // "plugins:" with all of them commented out
        for entry in field?.list(canBeEmpty: true) ?? [] {
            entry.mapping("plugin") { (keys: inout MappingReader) -> Void? in
                guard let name = keys.needed("name")?.choice(of: Name.self) else { return nil }
                self.add(name, entry, &keys)
                return nil
            }
        }
    }

    private mutating func add(_ name: Name, _ entry: ConfigurationField, _ keys: inout MappingReader) {
        switch name {
        case .allow:
            self.allowDeployments = entry
        case .limit:
            self.limitUsage = entry
            self.coordination = keys.value("redis")?.mapping("redis section") { Self.coordination(&$0) }
        case .console:
            self.sinks.append((.console, entry))
        case .csv:
            // PowerProxy writes to the folder `logs` beside the one that its configuration is in.
            self.sinks.append((.csv(directory: entry.context.surroundings.resolve(path: "../logs")), entry))
        case .logAnalytics:
            if let table = Self.table(&keys) {
                self.sinks.append((.logAnalytics(table), entry))
            }
        }
    }

    /// Azure Cache for Redis with TLS, which is all that PowerProxy knows.
    private static func coordination(_ keys: inout MappingReader) -> GatewayConfiguration.Coordination? {
        let host = keys.needed("redis_host")?.value(.words("host")) { text throws(BadValue) in
            try RedisURL.parse(HostAndPort.split(text)?.port == nil ? "rediss://\(text):6380" : "rediss://\(text)")
        }
        let password = keys.needed("redis_password")?.secret(1...512)
        guard let host, let password else { return nil }
        keys.context.note(
            keys.position,
            "limits are kept in keys of their own; what PowerProxy has counted is not taken over",
            at: "coordination"
        )
        return .init(redis: host.value, credential: .password(username: nil, password.value))
    }

    private static func table(_ keys: inout MappingReader) -> GatewayConfiguration.LogAnalytics? {
        let endpoint = keys.needed("log_ingestion_endpoint")?.value(.words("URL"), EndpointURL.parse)
        let rule = keys.needed("data_collection_rule_id")?.ruleID()
        let application = Self.application(&keys)
        guard let endpoint, let rule else { return nil }
        return .init(
            endpoint: endpoint.value,
            rule: rule,
            stream: "Custom-AzureOpenAIUsage_PP_CL",
            identity: application.map { .application($0) } ?? .managed(clientID: nil)
        )
    }

    /// A service principal, where the file has all of it; without any of it the managed identity writes.
    private static func application(_ keys: inout MappingReader) -> GatewayConfiguration.ApplicationSecret? {
        let names = ["credential_tenant_id", "credential_client_id", "credential_client_secret"]
        let fields = names.map { keys.value($0) }
        guard let first = fields.compactMap(\.self).first else { return nil }
        let tenant = fields[0]?.uuid()
        let clientID = fields[1]?.uuid()
        let secret = fields[2]?.secret()
        let missing = zip(names, fields).filter { $1 == nil }.map { "'\($0.0)'" }
        guard missing.isEmpty else {
            first.report("needs \(missing.joined(separator: " and ")) beside it", at: first.position)
            return nil
        }
        guard let tenant, let clientID, let secret else { return nil }
        return .init(tenant: tenant, clientID: clientID, secret: secret.value)
    }
}

extension MappingReader {
    /// A key of PowerProxy's, which our schema does not describe.
    mutating func value(_ key: String) -> ConfigurationField? { self.optional(key, "") }

    /// A key of PowerProxy's that must be there.
    mutating func needed(_ key: String) -> ConfigurationField? { self.required(key, "") }
}

extension ConfigurationField {
    /// A name as PowerProxy allows it, with '-' for what ours cannot hold.
    func powerProxyName(of noun: String, at path: String) -> Located<String>? {
        guard let text = self.text() else { return nil }
        if ConfigurationText.isTitle(text.value) { return text }
        var name = String.UnicodeScalarView()
        for scalar in text.value.unicodeScalars.prefix(64) {
            name.append(ConfigurationText.isTitle(String(scalar)) || scalar == " " ? scalar : "-")
        }
        while name.first == " " { name.removeFirst() }
        while name.last == " " { name.removeLast() }
        guard ConfigurationText.isTitle(String(name)) else {
            self.report("must hold letters or digits")
            return nil
        }
        self.context.note(
            self.node.position,
            "the \(noun) is '\(String(name))' in logs, metrics and usage: names hold letters, digits, '.', '_', '-' and spaces",
            at: path
        )
        return Located(value: String(name), position: text.position, isShowable: true)
    }
}
