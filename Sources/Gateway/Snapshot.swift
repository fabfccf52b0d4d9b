internal import Coordination
internal import NIOCore
internal import Transport

/// The configuration as requests use it: immutable, and the same object on every event loop.
final class Snapshot: Sendable {
    struct Endpoint: Sendable {
        let name: String
        let isConfigured: Bool
        let credential: Credential
        /// A regular expression that decides which headers go there, in place of the allow-list.
        let headersMatching: String?
        let headers: UpstreamHeaders
        let origin: OriginConfiguration
    }

    /// What an endpoint is shown.
    enum Credential: Sendable {
        case none
        case apiKey(String)
        /// The client's own.
        case passThrough
        case token(CredentialKeeper.Settings)
    }

    let configuration: GatewayConfiguration
    /// What access tokens must say; `nil`: none are validated.
    let tokenPolicy: TokenPolicy?
    /// Failed authentications of one address in a minute, after which it is answered 429; `nil`: none are counted.
    let failureLimit: Int?
    /// What a client gets that may not use a model.
    let modelRefusalStatus: Int
    /// Names the configuration; the same in every replica that decides alike.
    let hash: String
    /// `nil`: requests need not come through Front Door.
    let frontDoor: FrontDoor?
    let clients: ClientDirectory
    /// The numbers of all that is named here, and of all that earlier configurations named.
    let roster: Roster
    /// By number. What is no longer configured keeps its place, and no request is sent there.
    let endpoints: [Endpoint]
    /// The configured ones, in file order.
    let endpointNumbers: [Int]
    private let routes: [String: ModelRoute]
    /// The model `*`.
    private let others: GatewayConfiguration.Model?
    /// Every deployment that the configuration names, once, in file order.
    let candidates: [Candidate]
    /// What may wait of each model on one event loop, by the models' numbers; `nil` where nothing may.
    let queues: [AdmissionQueue.Bounds?]

    let limits: Limits

    /// Bounds of the listening side in the units of the event loops.
    struct Limits: Sendable {
        let headerBytes: Int
        let headerCount: Int
        let targetBytes: Int
        let bodyBytes: Int
        let inFlight: Int
        let idle: TimeAmount
        let head: TimeAmount
        let heartbeat: TimeAmount
    }

    /// - Parameters:
    ///   - loops: among how many event loops an endpoint's connections are divided.
    ///   - environment: the process's, in which the platform says where its tokens are.
    ///   - earlier: what was in force before; its numbers stay.
    /// - Throws: `StartError` for an identity that the environment does not know.
    init(
        _ configuration: GatewayConfiguration,
        loops: Int,
        environment: [String: String],
        after earlier: Snapshot? = nil
    ) throws {
        var roster = earlier?.roster ?? Roster()
        roster.add(configuration)
        self.roster = roster
        self.configuration = configuration
        hash = configuration.hash
        tokenPolicy =
            configuration.entra.isEmpty ? nil : TokenPolicy(configuration, epoch: TokenPolicy.nextEpoch())
        failureLimit = configuration.frontDoor == nil ? nil : AuthenticationFailures.Limit().count
        modelRefusalStatus =
            switch configuration.server.modelRefusalStatus {
            case .forbidden: 403
            case .unauthorized: 401
            }
        frontDoor = configuration.frontDoor.map { FrontDoor($0) }
        clients = ClientDirectory(configuration.clients, numbers: roster.clients)
        let configured = Dictionary(
            configuration.endpoints.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        endpoints = try roster.endpoints.names.enumerated().compactMap { number, name in
            if let endpoint = configured[name] {
                return try Endpoint(endpoint, loops: loops, environment: environment)
            }
            return earlier?.endpoints[number].retired
        }
        endpointNumbers = configuration.endpoints.compactMap { roster.endpoints[$0.name] }
        var routes: [String: ModelRoute] = [:]
        for model in configuration.models where model.name != "*" {
            routes[model.name] = ModelRoute(model, roster: roster)
        }
        var seen: Set<DeploymentID> = []
        candidates = configuration.models.filter { $0.name != "*" }.flatMap { model in
            model.deployments.compactMap { deployment in
                let id = DeploymentID(deployment, of: model)
                return seen.insert(id).inserted ? Candidate(id: id, deployment) : nil
            }
        }
        self.routes = routes
        others = configuration.models.first { $0.name == "*" }
        let server = configuration.server
        var queues = [AdmissionQueue.Bounds?](repeating: nil, count: roster.models.count)
        for model in configuration.models {
            guard let number = roster.models[model.name] else { continue }
            queues[number] = AdmissionQueue.Bounds(model.queue, bytes: server.maxBodyBytes, loops: loops)
        }
        self.queues = queues
        limits = Limits(
            headerBytes: server.maxHeaderBytes,
            headerCount: server.maxHeaderCount,
            targetBytes: server.maxTargetBytes,
            bodyBytes: server.maxBodyBytes,
            inFlight: server.maxInFlight,
            idle: TimeAmount(server.idleTimeout),
            head: TimeAmount(server.requestHeadTimeout),
            heartbeat: TimeAmount(server.heartbeat)
        )
    }

    /// Idle connections that one event loop may keep.
    var maxConnections: Int {
        endpoints.reduce(0) { $1.isConfigured ? $0 + $1.origin.maxConnections : $0 }
    }

    /// Whether only models that the configuration names are known.
    var listsModels: Bool { !configuration.models.isEmpty }

    /// Where requests for a model may go; `nil` for one that nobody offers.
    ///
    /// Without `models` in the configuration every model is known, under its own name, at every endpoint in file order; so is
    /// a request that names none.
    func route(model: String?) -> ModelRoute? {
        if let model, listsModels {
            if let route = routes[model] { return route }
            guard let others, model.isModelName else { return nil }
            return ModelRoute(others, named: model, roster: roster)
        }
        return ModelRoute(unlisted: model, endpoints: endpointNumbers.map { ($0, endpoints[$0].name) })
    }
}

extension Snapshot {
    /// Where requests for a model go that the configuration names.
    func namedRoute(model: String) -> ModelRoute? { routes[model] }

    /// Whether there are routes for models that the configuration does not name.
    var servesUnlisted: Bool { !listsModels || others != nil }
}

extension DeploymentID {
    init(_ deployment: GatewayConfiguration.Deployment, of model: GatewayConfiguration.Model) {
        self.init(endpoint: deployment.endpoint, deployment: deployment.deployment ?? model.name)
    }
}

extension String {
    /// As a name in the configuration: a client may ask for any, and it becomes a part of keys.
    fileprivate var isModelName: Bool {
        1...64 ~= utf8.count && utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "._-".utf8.contains($0) }
    }
}

extension AdmissionQueue.Bounds {
    /// - Parameter bytes: of the longest body; as many may wait, or `mostBytes` if that is more.
    fileprivate init?(_ queue: GatewayConfiguration.Queue, bytes: Int, loops: Int) {
        guard queue.maxWait > .zero, queue.maxWaiting > 0 else { return nil }
        let wait = TimeAmount(queue.maxWait).nanoseconds / 1_000_000
        self.init(
            count: max(1, queue.maxWaiting / loops),
            bytes: max(bytes, Self.mostBytes / loops),
            wait: max(1, wait)
        )
    }

    /// Bytes of request bodies that may wait for one model in a replica.
    private static let mostBytes = 256 << 20
}

extension Snapshot.Endpoint {
    /// As it stands in snapshots that do not list it.
    fileprivate var retired: Self {
        Self(
            name: name,
            isConfigured: false,
            credential: .none,
            headersMatching: nil,
            headers: headers,
            origin: origin
        )
    }

    fileprivate init(
        _ endpoint: GatewayConfiguration.Endpoint,
        loops: Int,
        environment: [String: String]
    ) throws {
        name = endpoint.name
        isConfigured = true
        credential = try Snapshot.Credential(endpoint, environment: environment)
        headersMatching = endpoint.forwardHeadersMatching
        headers = UpstreamHeaders(forwarded: endpoint.forwardHeaders.map { $0.lowercased() })
        var origin = OriginConfiguration(
            base: endpoint.url.description,
            timeouts: TransferTimeouts(
                connect: TimeAmount(endpoint.timeouts.connect),
                firstByte: TimeAmount(endpoint.timeouts.firstByte),
                idle: TimeAmount(endpoint.timeouts.idle),
                total: TimeAmount(endpoint.timeouts.total)
            )
        )
        origin.maxConnections = max(1, endpoint.connections.max / loops)
        origin.maxWait = TimeAmount(endpoint.connections.maxWait)
        origin.maxWaiting = max(1, endpoint.connections.maxWaiting / loops)
        origin.http2 = endpoint.connections.http2
        origin.caFile = endpoint.caFile
        origin.proxy = endpoint.proxy
        self.origin = origin
    }
}

extension Snapshot.Credential {
    fileprivate init(_ endpoint: GatewayConfiguration.Endpoint, environment: [String: String]) throws {
        switch endpoint.credential {
        case nil: self = .none
        case .apiKey(let key): self = .apiKey(key.reveal())
        case .passThrough: self = .passThrough
        case .identity(let identity):
            let audience = CredentialSource.audience(ofHost: endpoint.url.host)
            guard
                let settings = CredentialKeeper.Settings(identity, resource: audience, environment: environment)
            else {
                throw StartError(
                    "the endpoint '\(endpoint.name)' has 'workload_identity', and the environment lacks one of "
                        + "AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"
                )
            }
            self = .token(settings)
        }
    }
}

extension CredentialKeeper.Settings {
    /// - Parameters:
    ///   - resource: the audience.
    ///   - environment: the process's.
    /// - Returns: `nil` when it lacks what a workload identity needs.
    init?(_ identity: GatewayConfiguration.AzureIdentity, resource: String, environment: [String: String]) {
        guard let source = CredentialSource(identity, environment: environment) else { return nil }
        self.init(source: source, resource: resource)
        // The variable by which Azure's own SDKs are told of another place.
        if let base = environment["AZURE_POD_IDENTITY_AUTHORITY_HOST"] {
            instanceMetadataBase = base.hasSuffix("/") ? String(base.dropLast()) : base
        }
    }
}
