extension GatewayConfiguration.Model {
    init?(
        reading keys: inout MappingReader,
        names: inout NameRegistry,
        endpoints: NameRegistry,
        deployments shared: inout DeploymentRegistry
    ) {
        let name = keys.required("name")?.name()
        names.declare(name, in: keys.context)
        self.init(name: name?.value ?? "", deployments: [])
        keys.read("default_output_tokens", into: &self.defaultOutputTokens) { $0.count(in: 1...10_000_000) }

        let field = keys.required("deployments")
        let entries = field?.list() ?? []
        if let field, entries.count > Self.mostDeployments {
            field.report("has \(entries.count) entries; a model can have at most \(Self.mostDeployments)")
        }
        var lines: [String: Int] = [:]
        for entry in entries {
            let deployment = entry.mapping("deployment") { keys in
                GatewayConfiguration.Deployment(reading: &keys, endpoints: endpoints)
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
        keys.read("queue", into: &self.queue) { $0.mapping("queue section") { .init(reading: &$0) } }
        guard name != nil else { return nil }
    }
}

extension GatewayConfiguration.Queue {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max_wait", into: &self.maxWait) { $0.duration(from: .zero, to: .seconds(5 * 60)) }
    }
}

extension GatewayConfiguration.Deployment {
    init?(reading keys: inout MappingReader, endpoints: NameRegistry) {
        let endpoint = keys.required("endpoint")?.name()
        if let endpoint {
            endpoints.check(endpoint, in: keys.context)
        }
        let deployment = keys.required("deployment")?.name()
        self.init(endpoint: endpoint?.value ?? "", deployment: deployment?.value ?? "")
        keys.read("kind", into: &self.kind) { $0.choice(of: Kind.self) }
        keys.read("tier", into: &self.tier) { $0.count(in: 1...100) }
        keys.read("weight", into: &self.weight) { $0.count(in: 1...1_000) }
        keys.read("non_streaming_fraction", into: &self.nonStreamingFraction) { $0.fraction() }
        keys.read("open_to_priority", into: &self.openToPriority) { $0.count(in: 0...9) }
        keys.read("limits", into: &self.limits) { $0.mapping("limits section") { .init(ofDeployment: &$0) } }
        keys.read("probe", into: &self.probe) { $0.bool() }
        guard endpoint != nil, deployment != nil else { return nil }
    }

    /// Tells deployments apart; a slash is in no name.
    fileprivate var id: String { "\(self.endpoint)/\(self.deployment)" }

    /// Whether what belongs to the deployment itself, and not to a model's use of it, is the same.
    fileprivate func agrees(with other: Self) -> Bool {
        self.kind == other.kind && self.limits == other.limits && self.probe == other.probe
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
