extension GatewayConfiguration.Model {
    init?(reading keys: inout MappingReader, names: inout NameRegistry, endpoints: NameRegistry) {
        let name = keys.required("name")?.name()
        names.declare(name, in: keys.context)

        let field = keys.required("deployments")
        let entries = field?.list() ?? []
        if let field, entries.count > 1 {
            field.report(
                "has \(entries.count) entries; routing over several deployments is not supported yet, so keep one"
            )
        }
        let deployments = entries.compactMap { entry in
            entry.mapping("deployment") { GatewayConfiguration.Deployment(reading: &$0, endpoints: endpoints) }
        }
        guard let name else { return nil }
        self.init(name: name.value, deployments: deployments)
    }
}

extension GatewayConfiguration.Deployment {
    init?(reading keys: inout MappingReader, endpoints: NameRegistry) {
        let endpoint = keys.required("endpoint")?.name()
        if let endpoint {
            endpoints.check(endpoint, in: keys.context)
        }
        let deployment = keys.required("deployment")?.name()
        guard let endpoint, let deployment else { return nil }
        self.init(endpoint: endpoint.value, deployment: deployment.value)
    }
}
