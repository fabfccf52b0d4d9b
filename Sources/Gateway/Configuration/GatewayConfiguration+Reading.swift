extension GatewayConfiguration {
    /// The top level, section by section. Endpoints come before models and models before clients, whatever their order
    /// in the file, because each refers to the one before.
    init(reading keys: inout MappingReader) {
        self.init()
        let context = keys.context
        self.readAddresses(&keys)
        keys.read("tls", into: &self.tls) { $0.mapping("tls section") { TLSFiles(reading: &$0) } }
        keys.read("server", into: &self.server) { $0.mapping("server section") { Server(reading: &$0) } }

        keys.read("coordination", into: &self.coordination) {
            $0.mapping("coordination section") { Coordination(reading: &$0) }
        }

        // Asked for in the order of the documentation, which is the order in which a message lists them.
        let clients = keys.required("clients")
        let endpoints = keys.required("endpoints")
        let models = keys.optional("models")

        var endpointNames = NameRegistry(noun: "endpoint")
        self.endpoints = endpoints?.entries("endpoint") { Endpoint(reading: &$0, names: &endpointNames) } ?? []
        if self.endpoints.isEmpty {
            endpointNames.declare(nil, in: context)  // already reported; references are not the mistake
        }

        var modelNames = NameRegistry(noun: "model")
        var deployments = DeploymentRegistry()
        self.models =
            models?.entries("model") {
                Model(reading: &$0, names: &modelNames, endpoints: endpointNames, deployments: &deployments)
            } ?? []
        if self.models.isEmpty {
            modelNames.declare(nil, in: context)  // no section, no names to check against
        }

        var clientNames = NameRegistry(noun: "client")
        var keysSeen = APIKeyRegistry()
        self.clients =
            clients?.entries("client") {
                Client(reading: &$0, names: &clientNames, models: modelNames, keys: &keysSeen)
            } ?? []
        keys.read("log", into: &self.log) { $0.mapping("log section") { Log(reading: &$0) } }
    }

    private mutating func readAddresses(_ keys: inout MappingReader) {
        let listen = keys.optional("listen")
        let admin = keys.optional("admin")
        self.listen = listen?.listenAddress() ?? self.listen
        self.admin = admin?.listenAddress() ?? self.admin
        if self.listen.collides(with: self.admin), let field = admin ?? listen {
            field.report("takes the same address as '\(admin == nil ? "admin" : "listen")'; give it a port of its own")
        }
    }
}

extension GatewayConfiguration.TLSFiles {
    init?(reading keys: inout MappingReader) {
        let certificate = keys.required("certificate")?.path()
        let key = keys.required("key")?.path()
        guard let certificate, let key else { return nil }
        self.init(certificate: certificate, key: key)
    }
}

extension GatewayConfiguration.Log {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("level", into: &self.level) { $0.choice(of: Level.self) }
        keys.read("format", into: &self.format) { $0.choice(of: Format.self) }
        keys.read("access", into: &self.access) { $0.bool() }
    }
}

extension ConfigurationField {
    /// A list of mappings, all of the same kind. Entries that cannot be read have been reported and are left out.
    func entries<Value>(_ noun: String, _ body: (inout MappingReader) -> Value?) -> [Value]? {
        self.list()?.compactMap { $0.mapping(noun, body) }
    }

    func listenAddress() -> ListenAddress? {
        self.value { text throws(BadValue) in
            guard let address = ListenAddress(text) else {
                throw BadValue("must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535")
            }
            return address
        }?.value
    }
}
