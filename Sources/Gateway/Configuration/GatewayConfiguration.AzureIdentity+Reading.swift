extension GatewayConfiguration.AzureIdentity {
    /// `managed_identity`, `workload_identity` or `client_secret`, one of them.
    init?(reading keys: inout MappingReader) {
        let choice = Self.Choice(reading: &keys)
        guard choice.given != nil else {
            keys.context.report(
                keys.position,
                "missing key 'managed_identity', 'workload_identity' or 'client_secret': every \(keys.noun) needs one of them"
            )
            return nil
        }
        guard let identity = choice.identity else { return nil }
        self = identity
    }

    /// What the three keys say, where all may be absent.
    struct Choice {
        /// The first of the keys that is there.
        let given: ConfigurationField?
        /// Nil also when a key is there and says it wrongly.
        let identity: GatewayConfiguration.AzureIdentity?

        init(reading keys: inout MappingReader) {
            let managed = keys.optional(
                "managed_identity",
                "{} for the system-assigned identity of the machine, or the client id of another."
            )
            let workload = keys.optional(
                "workload_identity",
                "{}: the Kubernetes service account, as AKS sets it up."
            )
            let application = keys.optional(
                "client_secret",
                "An application of a tenant, by a secret of its own; where there is no identity to be had."
            )
            let byManaged = managed?.managedIdentity()
            let byWorkload = workload?.mapping("workload identity") { _ in GatewayConfiguration.AzureIdentity.workload }
            let byApplication = application?.mapping("client secret") {
                GatewayConfiguration.ApplicationSecret(reading: &$0).map {
                    GatewayConfiguration.AzureIdentity.application($0)
                }
            }
            let given = [managed, workload, application].compactMap(\.self)
            self.given = given.first
            self.identity = byManaged ?? byWorkload ?? byApplication
            for other in given.dropFirst() {
                other.report("stands beside \(given[0].label); keep one of the two", at: other.position)
            }
        }
    }
}

extension GatewayConfiguration.ApplicationSecret {
    fileprivate init?(reading keys: inout MappingReader) {
        let tenant = keys.required("tenant", "The tenant's id.")?.uuid()
        let clientID = keys.required("client_id", "The application's id.")?.uuid()
        let secret = keys.required("secret", "The value of the secret, not its id.")?.secret()
        self.init(tenant: tenant ?? "", clientID: clientID ?? "", secret: secret?.value ?? Secret(""))
        let cloud = keys.optional("cloud", "Which of Azure's clouds the tenant is in. Default public.")
        let authority = keys.optional(
            "authority",
            "Another host that gives the tokens; plain http only on loopback."
        )
        self.cloud = cloud?.choice(of: GatewayConfiguration.AzureCloud.self) ?? .public
        self.authority = authority?.authority()
        if let authority, cloud != nil {
            authority.report("stands beside 'cloud'; keep one of the two", at: authority.position)
        }
        guard tenant != nil, clientID != nil, secret != nil else { return nil }
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
