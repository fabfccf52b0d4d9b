extension GatewayConfiguration.AzureIdentity {
    /// `managed_identity` or `workload_identity`, one of them.
    init?(reading keys: inout MappingReader) {
        let choice = Self.Choice(reading: &keys)
        guard choice.isGiven else {
            keys.context.report(
                keys.position,
                "missing key 'managed_identity' or 'workload_identity': every \(keys.noun) needs one of them"
            )
            return nil
        }
        guard let identity = choice.identity else { return nil }
        self = identity
    }

    /// What the two keys say, where both may be absent.
    struct Choice {
        let managed: ConfigurationField?
        let workload: ConfigurationField?
        /// Nil also when a key is there and says it wrongly.
        let identity: GatewayConfiguration.AzureIdentity?

        var isGiven: Bool { self.managed != nil || self.workload != nil }

        init(reading keys: inout MappingReader) {
            self.managed = keys.optional(
                "managed_identity",
                "{} for the system-assigned identity of the machine, or the client id of another."
            )
            self.workload = keys.optional("workload_identity", "{}: the Kubernetes service account, as AKS sets it up.")
            let byManaged = self.managed?.managedIdentity()
            let byWorkload = self.workload?.mapping("workload identity") { _ in
                GatewayConfiguration.AzureIdentity.workload
            }
            self.identity = byManaged ?? byWorkload
            if let workload = self.workload, self.managed != nil {
                workload.report("stands beside 'managed_identity'; keep one of the two", at: workload.position)
            }
        }
    }
}

extension ConfigurationField {
    /// A client id, or a mapping that may hold one: `{}` is the system-assigned identity.
    fileprivate func managedIdentity() -> GatewayConfiguration.AzureIdentity? {
        self.eitherMapping { field in
            field.mapping("managed identity") { keys in
                var clientID: String?
                keys.read("client_id", "Absent: the system-assigned identity.", into: &clientID) { $0.uuid() }
                return .managed(clientID: clientID)
            }
        } orElse: { field in
            field.uuid().map { .managed(clientID: $0) }
        }
    }
}
