extension GatewayConfiguration.Coordination {
    init?(reading keys: inout MappingReader) {
        let redis = keys.required("redis", "rediss://host:port, or redis:// without TLS.")
        let url = redis?.value(.words("URL"), RedisURL.parse)?.value

        // Read the rest even when it is missing: every error of the file is reported.
        self.init(redis: url ?? RedisURL(host: "", usesTLS: true))
        self.credential = .init(reading: &keys, usesTLS: url?.usesTLS ?? true)
        keys.read("cluster", "Redis speaks the cluster protocol.", into: &self.cluster) { $0.bool() }
        keys.read(
            "deadline",
            "How long a decision may take before this replica decides alone.",
            into: &self.deadline
        ) { $0.duration(from: .milliseconds(1), to: .seconds(10)) }
        keys.read(
            "when_unavailable",
            "While Redis does not answer: hold each limit divided by the replicas, let all pass, or refuse all.",
            into: &self.whenUnavailable
        ) { $0.choice(of: GatewayConfiguration.WhenUnavailable.self) }
        keys.read(
            "assumed_replicas",
            "Divides the limits before the size of the fleet is known.",
            into: &self.assumedReplicas
        ) { $0.count(in: 1...10_000) }
        keys.read("namespace", "Hash tag of every key; fleets that share a Redis differ in it.", into: &self.namespace)
        {
            $0.name()?.value
        }
        let caFile = keys.optional("ca_file", "PEM file of the authorities to trust instead of the system's.")
        self.caFile = caFile?.path()

        guard let url, let redis else { return nil }
        if self.cluster, url.database != 0 {
            redis.report("must not name a database beside 'cluster: true'; a cluster has only database 0")
        }
        if !url.usesTLS {
            caFile?.report("needs rediss:// in 'redis'; without TLS there is no certificate", at: caFile?.position)
        }
    }
}

extension GatewayConfiguration.RedisCredential {
    /// At most one of password and token; a user name only beside one of them.
    fileprivate init?(reading keys: inout MappingReader, usesTLS: Bool) {
        let username = keys.optional("username", "Absent: `default`; for a token its object id.")
        let password = keys.optional("password", "Not beside `entra`.")
        let entra = keys.optional("entra", "An access token of this identity in place of a password.")
        let name = username?.username()
        let secret = password?.secret(1...512)?.value
        let identity = entra?.mapping("entra section") { GatewayConfiguration.AzureIdentity(reading: &$0) }
        if let entra, password != nil {
            entra.report("stands beside 'password'; keep one of the two", at: entra.position)
        }
        if let entra, !usesTLS {
            entra.report("needs rediss:// in 'redis'; a token must not travel without TLS", at: entra.position)
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

extension ConfigurationField {
    /// The user of an access control list; for Entra ID an object id.
    fileprivate func username() -> String? {
        self.value(.words("name")) { text throws(BadValue) in
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 256 else {
                throw BadValue("must be 1 to 256 printable ASCII characters without spaces", shown: false)
            }
            return text
        }?.value
    }
}
