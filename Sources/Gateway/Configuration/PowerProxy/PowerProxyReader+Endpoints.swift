/// An endpoint of a PowerProxy file, with the stand-ins that make up our models.
private struct PowerProxyEndpoint {
    var endpoint: GatewayConfiguration.Endpoint
    var nonStreamingFraction = 1.0
    /// Names of virtual deployments in file order. Absent: any deployment, under its own name.
    var virtualDeployments: [String]?
    /// By the name of the virtual deployment.
    var standins: [String: [(name: String, fraction: Double)]] = [:]
}

extension GatewayConfiguration {
    /// - Parameter identity: client id of the managed identity that stands in for keys that are not given.
    mutating func readAzure(_ keys: inout MappingReader, identity: String?) {
        let context = keys.context
        let expression = keys.value("forward_http_header_only_if_name_matches")?.regularExpression()
        let mock = keys.value("mock_response")
        self.mock = mock?.mapping("mock_response section") { Mock(readingPowerProxy: &$0) }
        let connections = keys.value("connections")
        let field = keys.value("endpoints")
        if field == nil, mock == nil {
            context.report(
                keys.position,
                "missing key 'endpoints' or 'mock_response': the aoai section needs one of them"
            )
        }
        if let field, mock != nil {
            field.report(
                "stands beside 'mock_response', which answers everything; keep one of the two",
                at: field.position
            )
        }
        var names = NameRegistry(noun: "endpoint")
        var index = 0
        let endpoints: [PowerProxyEndpoint] =
            field?.entries("endpoint") { keys in
                defer { index += 1 }
                return PowerProxyEndpoint(
                    reading: &keys,
                    index: index,
                    names: &names,
                    identity: identity,
                    connections: connections
                )
            } ?? []
        self.endpoints = endpoints.map { endpoint in
            var own = endpoint.endpoint
            own.forwardHeadersMatching = expression
            return own
        }
        guard let field, !endpoints.isEmpty else { return }
        self.models = Self.models(of: endpoints, field)
    }

    /// One model for each virtual deployment, and `*` for what goes on under its own name.
    private static func models(of endpoints: [PowerProxyEndpoint], _ field: ConfigurationField) -> [Model] {
        var seen: Set<String> = []
        let names = endpoints.flatMap { $0.virtualDeployments ?? [] }.filter { seen.insert($0).inserted }
        let open = endpoints.filter { $0.virtualDeployments == nil }
        var models = names.map { name in
            Self.model(name, endpoints.flatMap { $0.deployments(of: name) })
        }
        // Without models everything goes to the endpoints in file order.
        let isTrivial = names.isEmpty && open.allSatisfy { $0.nonStreamingFraction == 1 }
        if !open.isEmpty, !isTrivial {
            models.append(Self.model("*", open.flatMap { $0.deployments(of: nil) }))
        }
        for model in models where model.deployments.count > Model.mostDeployments {
            field.report(
                "gives '\(model.name)' \(model.deployments.count) stand-ins; at most \(Model.mostDeployments) can be used"
            )
        }
        return models
    }

    /// Each deployment is a tier of its own: PowerProxy tries them in order.
    private static func model(_ name: String, _ deployments: [Deployment]) -> Model {
        var tier = 0
        return Model(
            name: name,
            deployments: deployments.map { deployment in
                tier += 1
                var deployment = deployment
                deployment.tier = tier
                return deployment
            }
        )
    }
}

extension PowerProxyEndpoint {
    /// - Parameter connections: what the file says of the connections of all endpoints.
    init?(
        reading keys: inout MappingReader,
        index: Int,
        names: inout NameRegistry,
        identity: String?,
        connections: ConfigurationField?
    ) {
        let context = keys.context
        let path = "endpoints[\(index)]"
        let name = keys.needed("name")?.powerProxyName(of: "endpoint", at: path + ".name")
        names.declare(name, in: context)
        let url = keys.needed("url")?.value(.words("URL"), EndpointURL.parse)
        self.endpoint = .init(name: name?.value ?? "", url: url?.value ?? EndpointURL(scheme: .https, host: ""))
        if let key = keys.value("key") {
            self.endpoint.credential = (key.secret()?.value).map { .apiKey($0) }
        } else {
            self.endpoint.credential = .identity(.managed(clientID: identity))
            context.note(
                keys.position,
                "requests with a client's key are sent with a token of the managed identity; PowerProxy sends them without one",
                at: path + ".managed_identity"
            )
        }
        let fraction = keys.value("non_streaming_fraction")?.fraction()
        self.nonStreamingFraction = fraction ?? 1
        for connections in [connections, keys.value("connections")].compactMap(\.self) {
            connections.mapping("connections section") { (keys: inout MappingReader) -> Void? in
                self.endpoint.readPowerProxyConnections(&keys, at: path)
            }
        }
        self.virtualDeployments = keys.value("virtual_deployments")?.entries("virtual deployment") { keys in
            let name = keys.needed("name")?.name()?.value
            let standins: [(name: String, fraction: Double)]? = keys.needed("standins")?.entries("stand-in") { keys in
                let name = keys.needed("name")?.name()
                let own = keys.value("non_streaming_fraction")?.fraction()
                return name.map { ($0.value, own ?? fraction ?? 1) }
            }
            guard let name, let standins else { return nil }
            self.standins[name, default: []] += standins
            return name
        }
        guard name != nil else { return nil }
    }

    /// Where a model goes here; `nil` is any model, under its own name.
    fileprivate func deployments(of model: String?) -> [GatewayConfiguration.Deployment] {
        guard self.virtualDeployments != nil else {
            var deployment = GatewayConfiguration.Deployment(endpoint: self.endpoint.name, deployment: model)
            deployment.nonStreamingFraction = self.nonStreamingFraction
            return [deployment]
        }
        var seen: Set<String> = []
        return (model.flatMap { self.standins[$0] } ?? []).filter { seen.insert($0.name).inserted }.map {
            var deployment = GatewayConfiguration.Deployment(endpoint: self.endpoint.name, deployment: $0.name)
            deployment.nonStreamingFraction = $0.fraction
            return deployment
        }
    }
}

extension GatewayConfiguration.Endpoint {
    /// The limits and timeouts of PowerProxy's HTTP client, in seconds.
    fileprivate mutating func readPowerProxyConnections(_ keys: inout MappingReader, at path: String) {
        keys.value("limits")?.mapping("limits section") { (keys: inout MappingReader) -> Void? in
            if let most = keys.value("max_connections")?.count(in: 1...10_000) {
                self.connections.max = most
            }
            for name in ["max_keepalive_connections", "keepalive_expiry"] {
                keys.value(name)?.noteWithoutEffect(at: path + ".connections")
            }
            return nil
        }
        keys.value("timeouts")?.mapping("timeouts section") { (keys: inout MappingReader) -> Void? in
            if let connect = keys.value("connect")?.seconds(from: .milliseconds(10), to: .seconds(2 * 60)) {
                self.timeouts.connect = connect
            }
            if let read = keys.value("read")?.seconds(from: .milliseconds(100), to: .seconds(3_600)) {
                self.timeouts.firstByte = read
                self.timeouts.idle = read
            }
            if let pool = keys.value("pool")?.seconds(from: .zero, to: .seconds(5 * 60)) {
                self.connections.maxWait = pool
            }
            keys.value("write")?.noteWithoutEffect(at: path + ".timeouts")
            return nil
        }
    }
}

extension GatewayConfiguration.Mock {
    fileprivate init?(readingPowerProxy keys: inout MappingReader) {
        self.init(body: "")
        if let delay = keys.value("ms_to_wait_before_return")?.count(in: 0...3_600_000) {
            self.delay = .milliseconds(delay)
        }
        guard let json = keys.needed("json") else { return nil }
        self.body = json.node.json
    }
}

extension ConfigurationField {
    /// A number of seconds, perhaps with a fraction; nothing for `null`, which means no limit there.
    fileprivate func seconds(from least: Duration, to most: Duration) -> Duration? {
        if case .scalar(_, .null) = self.node.content {
            self.noteWithoutEffect(at: "")
            return nil
        }
        return self.value(.words("number of seconds")) { text throws(BadValue) in
            let isNumber = text.utf8.allSatisfy { ConfigurationText.isDigit($0) || $0 == UInt8(ascii: ".") }
            guard isNumber, let milliseconds = try? QuantitySyntax.count.parse(text + "k") else {
                throw BadValue("must be a number of seconds")
            }
            let duration = Duration.milliseconds(milliseconds)
            guard least <= duration, duration <= most else {
                throw BadValue("must be from \(DurationSyntax.text(least)) to \(DurationSyntax.text(most))")
            }
            return duration
        }?.value
    }

    fileprivate func noteWithoutEffect(at path: String) {
        self.context.note(self.position, "PowerProxy's \(self.label) has no counterpart and no effect", at: path)
    }
}

extension ConfigurationNode {
    /// The same in JSON, plain values typed as YAML types them.
    fileprivate var json: String {
        switch self.content {
        case .scalar(_, .null), .broken, .outline: "null"
        case .scalar(let text, .plain): Self.isJSONLiteral(text) ? text : JSONText.quoted(text)
        case .scalar(let text, .quoted): JSONText.quoted(text)
        case .list(let entries): "[" + entries.map(\.json).joined(separator: ",") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\(JSONText.quoted($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
        }
    }

    /// `true`, `false`, or a number as RFC 8259 section 6 has it.
    private static func isJSONLiteral(_ text: String) -> Bool {
        ["true", "false"].contains(text) || text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    }
}
