extension GatewayConfiguration {
    /// The top level, section by section. Endpoints come before models and models before clients, whatever their order
    /// in the file, because each refers to the one before.
    init(reading keys: inout MappingReader) {
        self.init()
        let context = keys.context
        self.readAddresses(&keys)
        keys.read("tls", "Absent: the data plane speaks plain HTTP.", into: &self.tls) {
            $0.mapping("tls section") { TLSFiles(reading: &$0) }
        }
        keys.read("front_door", "Absent: requests need not come through Front Door.", into: &self.frontDoor) {
            $0.mapping("front_door section") { FrontDoor(reading: &$0) }
        }
        keys.read("server", "Bounds of the data plane.", into: &self.server) {
            $0.mapping("server section") { Server(reading: &$0) }
        }
        keys.read("coordination", "The Redis that replicas share; absent: a single replica.", into: &self.coordination)
        {
            $0.mapping("coordination section") { Coordination(reading: &$0) }
        }

        // Asked for in the order of the documentation, which is the order in which a message lists them.
        let entra = keys.optional("entra", "Tenants whose access tokens are validated here.")
        let clients = keys.required("clients", "Who may call.")
        let mock = keys.optional("mock", "An answer to every request, in place of endpoints and models.")
        let isMocked = mock != nil && context.isReadingFile
        let aboutEndpoints = "Azure OpenAI resources."
        let endpoints =
            isMocked || !context.isReadingFile
            ? keys.optional("endpoints", aboutEndpoints) : keys.required("endpoints", aboutEndpoints)
        let models = keys.optional(
            "models",
            "What clients ask for, and where it goes; absent: any model, at the endpoints in file order, under its own name."
        )
        self.mock = mock?.mapping("mock section") { Mock(reading: &$0) }
        if isMocked, let other = endpoints ?? models {
            other.report("stands beside 'mock', which answers everything; keep one of the two", at: other.position)
        }

        var tenants = NameRegistry(noun: "tenant")
        self.entra = entra?.entries("tenant") { EntraTenant(reading: &$0, tenants: &tenants) } ?? []

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
        if self.models.isEmpty || self.models.contains(where: { $0.name == "*" }) {
            modelNames.declare(nil, in: context)  // any name is a model
        }

        var seen = ClientRegistry()
        self.clients =
            clients?.entries("client") {
                Client(reading: &$0, models: modelNames, seen: &seen, isEntraValidated: entra != nil)
            } ?? []
        self.readReports(&keys)
    }

    private mutating func readReports(_ keys: inout MappingReader) {
        var spool: String?
        keys.read("usage", "Where the usage of every exchange is written.", into: &self.sinks) {
            $0.mapping("usage section") { keys in
                keys.read("spool", "The folder that keeps events until every sink has them.", into: &spool) {
                    $0.path()
                }
                return keys.required("sinks", "Each gets everything.")?.list()?.compactMap { sink in
                    sink.mapping("sink", by: "type", "Where usage goes.", UsageSink.init(_:reading:))
                }
            }
        }
        self.spool = spool
        keys.read("tracing", "Absent: no spans.", into: &self.tracing) {
            $0.mapping("tracing section") { Tracing(reading: &$0) }
        }
        keys.read("log", "What is written to standard output.", into: &self.log) {
            $0.mapping("log section") { Log(reading: &$0) }
        }
    }

    private mutating func readAddresses(_ keys: inout MappingReader) {
        var listen: ConfigurationField?
        keys.read("listen", "Where clients connect: the data plane.", into: &self.listen) {
            listen = $0
            return $0.listenAddress()
        }
        var admin: ConfigurationField?
        keys.read("admin", "Health, metrics and status; not for the public side.", into: &self.admin) {
            admin = $0
            return $0.listenAddress()
        }
        if self.listen.collides(with: self.admin), let field = admin ?? listen {
            field.report("takes the same address as '\(admin == nil ? "admin" : "listen")'; give it a port of its own")
        }
    }
}

extension GatewayConfiguration.TLSFiles {
    init?(reading keys: inout MappingReader) {
        let certificate = keys.required("certificate", "PEM file, leaf first.")?.path()
        let key = keys.required("key", "PEM file.")?.path()
        guard let certificate, let key else { return nil }
        self.init(certificate: certificate, key: key)
    }
}

extension GatewayConfiguration.Log {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("level", "The least severe line that is written.", into: &self.level) { $0.choice(of: Level.self) }
        keys.read("format", "Of every line.", into: &self.format) { $0.choice(of: Format.self) }
        keys.read("access", "One line per request.", into: &self.access) { $0.bool() }
        keys.read(
            "access_level",
            "The least severe request that has a line: 5xx are errors, other failures warnings.",
            into: &self.accessLevel
        ) { $0.choice(of: AccessLevel.self) }
        keys.read(
            "access_sampling_ratio",
            "Of the requests that succeeded; failures always have their line.",
            into: &self.accessSamplingRatio
        ) { $0.fraction() }
    }
}

extension ConfigurationField {
    /// A list of mappings, all of the same kind. Entries that cannot be read have been reported and are left out.
    func entries<Value>(_ noun: String, _ body: (inout MappingReader) -> Value?) -> [Value]? {
        self.list()?.compactMap { $0.mapping(noun, body) }
    }

    func listenAddress() -> ListenAddress? {
        self.value(.words("host:port")) { text throws(BadValue) in
            guard let address = ListenAddress(text) else {
                throw BadValue("must be host:port, such as 0.0.0.0:8080 or [::1]:8080, with a port up to 65535")
            }
            return address
        }?.value
    }
}
