extension GatewayConfiguration.Model {
    init?(
        reading keys: inout MappingReader,
        names: inout NameRegistry,
        endpoints: NameRegistry,
        deployments shared: inout DeploymentRegistry
    ) {
        let field = keys.required("name", "What clients ask for; \"*\" is every model that is not named.")
        let isOther = field?.isStar ?? false
        let name = isOther ? field?.other() : field?.name()
        names.declare(name, in: keys.context)
        self.init(name: name?.value ?? "", deployments: [])
        keys.read(
            "default_output_tokens",
            "Reserved for the answer when a request sets no maximum.",
            into: &self.defaultOutputTokens
        ) { $0.count(in: 1...10_000_000) }

        let list = keys.required("deployments", "Where it goes: lower tiers first, by weight inside a tier.")
        let entries = list?.list() ?? []
        if let list, entries.count > Self.mostDeployments {
            list.report("has \(entries.count) entries; a model can have at most \(Self.mostDeployments)")
        }
        var lines: [String: Int] = [:]
        for entry in entries {
            let deployment = entry.mapping("deployment") { keys in
                GatewayConfiguration.Deployment(reading: &keys, endpoints: endpoints, of: name?.value)
            }
            guard let deployment else { continue }
            self.deployments.append(deployment)
            if let line = lines[deployment.id] {
                entry.report("is the deployment of line \(line) again; list it once")
                continue
            }
            lines[deployment.id] = entry.position.line
            shared.add(deployment, at: entry.position, in: keys.context)
        }
        keys.read("queue", "For requests that every deployment refuses.", into: &self.queue) {
            $0.mapping("queue section") { .init(reading: &$0) }
        }
        keys.read(
            "prefix_affinity",
            "Prompts of a client that begin alike prefer the same deployment of a tier, for Azure's prompt cache.",
            into: &self.prefixAffinity
        ) { $0.bool() }
        guard name != nil else { return nil }
    }
}

extension GatewayConfiguration.Queue {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max_wait", "Held so long if capacity returns within it.", into: &self.maxWait) {
            $0.duration(from: .zero, to: .seconds(5 * 60))
        }
        keys.read("max_waiting", "How many may wait in a replica.", into: &self.maxWaiting) {
            $0.count(in: 0...100_000)
        }
    }
}

extension GatewayConfiguration.Deployment {
    /// - Parameter model: the name of the model, which the deployment has unless it says otherwise.
    fileprivate init?(reading keys: inout MappingReader, endpoints: NameRegistry, of model: String?) {
        let endpoint = keys.required("endpoint", "The name of one of `endpoints`.")?.title()
        if let endpoint {
            endpoints.check(endpoint, in: keys.context)
        }
        let field = keys.optional("deployment", "Azure's name for it; absent: the model's name.")
        let deployment = field?.name()
        if let field, model == "*" {
            field.report("has no place in the model '*', which goes on under the name asked for", at: field.position)
        }
        let own = model == "*" ? nil : model
        self.init(endpoint: endpoint?.value ?? "", deployment: deployment?.value ?? own)
        keys.read("kind", "provisioned (PTU), or standard, paid by the token.", into: &self.kind) {
            $0.choice(of: Kind.self)
        }
        keys.read("tier", "Tried from low to high.", into: &self.tier) { $0.count(in: 1...100) }
        keys.read("weight", "Its part of the requests in its tier.", into: &self.weight) { $0.count(in: 1...1_000) }
        keys.read(
            "non_streaming_fraction",
            "The part of the requests without streaming that may use it.",
            into: &self.nonStreamingFraction
        ) { $0.fraction() }
        keys.read(
            "open_to_priority",
            "Only clients of this priority or a higher one (a lower number) may use it.",
            into: &self.openToPriority
        ) { $0.count(in: 0...9) }
        keys.read("limits", "What it can take.", into: &self.limits) {
            $0.mapping("limits section") { .init(ofDeployment: &$0) }
        }
        keys.read("probe", "After failures one request at a time tries it until one succeeds.", into: &self.probe) {
            $0.bool()
        }
        guard endpoint != nil, field == nil || deployment != nil else { return nil }
    }

    /// Tells deployments apart; a slash is in no name.
    fileprivate var id: String { "\(self.endpoint)/\(self.deployment ?? "")" }

    /// Whether what belongs to the deployment itself, and not to a model's use of it, is the same.
    fileprivate func agrees(with other: Self) -> Bool {
        self.kind == other.kind && self.limits == other.limits && self.probe == other.probe
    }
}

extension ConfigurationField {
    /// The name `*`, which stands for every model that is not named.
    fileprivate func other() -> Located<String>? {
        return Located(value: "*", position: self.node.position, isShowable: true)
    }
}

/// The deployments of all models, because one that two models share can have only one kind and one set of limits.
struct DeploymentRegistry {
    private var known: [String: (deployment: GatewayConfiguration.Deployment, line: Int)] = [:]

    fileprivate mutating func add(
        _ deployment: GatewayConfiguration.Deployment,
        at position: ConfigurationPosition,
        in context: ConfigurationContext
    ) {
        guard let first = self.known[deployment.id] else {
            self.known[deployment.id] = (deployment, position.line)
            return
        }
        guard !first.deployment.agrees(with: deployment) else { return }
        context.report(
            position,
            "this deployment has another 'kind', 'limits' or 'probe' on line \(first.line); write the same in both places"
        )
    }
}
