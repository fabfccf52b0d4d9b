extension GatewayConfiguration.Coordination {
    init?(reading keys: inout MappingReader) {
        let redis = keys.required("redis")
        let url = redis?.value(RedisURL.parse)?.value

        // Read the rest even when it is missing: every error of the file is reported.
        self.init(redis: url ?? RedisURL(host: "", usesTLS: true))
        let username = keys.optional("username")
        let password = keys.optional("password")
        let entra = keys.optional("entra")
        self.credential = .init(username: username, password: password, entra: entra)
        keys.read("cluster", into: &self.cluster) { $0.bool() }
        keys.read("deadline", into: &self.deadline) { $0.duration(from: .milliseconds(1), to: .seconds(10)) }
        keys.read("when_unavailable", into: &self.whenUnavailable) {
            $0.choice(of: GatewayConfiguration.WhenUnavailable.self)
        }
        keys.read("assumed_replicas", into: &self.assumedReplicas) { $0.count(in: 1...10_000) }
        keys.read("namespace", into: &self.namespace) { $0.name()?.value }
        let caFile = keys.optional("ca_file")
        self.caFile = caFile?.path()

        guard let url, let redis else { return nil }
        if self.cluster, url.database != 0 {
            redis.report("must not name a database beside 'cluster: true'; a cluster has only database 0")
        }
        if !url.usesTLS {
            entra?.report("needs rediss:// in 'redis'; a token must not travel without TLS", at: entra?.position)
            caFile?.report("needs rediss:// in 'redis'; without TLS there is no certificate", at: caFile?.position)
        }
    }
}

extension GatewayConfiguration.RedisCredential {
    /// At most one of password and token; a user name only beside one of them.
    fileprivate init?(username: ConfigurationField?, password: ConfigurationField?, entra: ConfigurationField?) {
        let name = username?.username()
        let secret = password?.secret(1...512)?.value
        let identity = entra?.mapping("entra section") { GatewayConfiguration.AzureIdentity(reading: &$0) }
        if let entra, password != nil {
            entra.report("stands beside 'password'; keep one of the two", at: entra.position)
        }
        if let username, password == nil, entra == nil {
            username.report("needs 'password' or 'entra' beside it", at: username.position)
        }
        if let secret {
            self = .password(username: name, secret)
        } else if let identity {
            self = .entra(username: name, identity)
        } else {
            return nil
        }
    }
}

extension GatewayConfiguration.AzureIdentity {
    /// `managed_identity` or `workload_identity`, one of them.
    init?(reading keys: inout MappingReader) {
        let managed = keys.optional("managed_identity")
        let workload = keys.optional("workload_identity")
        guard managed != nil || workload != nil else {
            keys.context.report(
                keys.position,
                "missing key 'managed_identity' or 'workload_identity': every \(keys.noun) needs one of them"
            )
            return nil
        }
        let identity = Self(managed: managed, workload: workload)
        if let workload, managed != nil {
            workload.report("stands beside 'managed_identity'; keep one of the two", at: workload.position)
        }
        guard let identity else { return nil }
        self = identity
    }

    /// What the two keys say; nil when neither says it rightly.
    init?(managed: ConfigurationField?, workload: ConfigurationField?) {
        let byManaged = managed?.managedIdentity()
        let byWorkload = workload?.mapping("workload identity") { _ in Self.workload }
        guard let identity = byManaged ?? byWorkload else { return nil }
        self = identity
    }
}

extension ConfigurationField {
    /// A client id, or a mapping that may hold one: `{}` is the system-assigned identity.
    fileprivate func managedIdentity() -> GatewayConfiguration.AzureIdentity? {
        if case .mapping = self.node.content {
            return self.mapping("managed identity") { keys in
                var clientID: String?
                keys.read("client_id", into: &clientID) { $0.uuid() }
                return .managed(clientID: clientID)
            }
        }
        return self.uuid().map { .managed(clientID: $0) }
    }

    /// The user of an access control list; for Entra ID an object id.
    fileprivate func username() -> String? {
        self.value { text throws(BadValue) in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 256 else {
                throw BadValue("must be 1 to 256 printable ASCII characters without spaces", shown: false)
            }
            return text
        }?.value
    }
}
