internal import Coordination
internal import NIOCore
internal import Transport

/// The configuration as requests use it: immutable, and the same object on every event loop.
final class Snapshot: Sendable {
    struct Endpoint: Sendable {
        let name: String
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
    /// `nil`: requests need not come through Front Door.
    let frontDoor: FrontDoor?
    let clients: ClientDirectory
    let endpoints: [Endpoint]
    let modelNames: [String]
    private let routes: [String: ModelRoute]
    /// The model `*`, and its index.
    private let others: (model: GatewayConfiguration.Model, index: Int)?
    private let endpointIndex: [String: Int]
    /// Every deployment that the configuration names, once, in file order.
    let candidates: [Candidate]
    /// What may wait of each model on one event loop; `nil` where nothing may.
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
    /// - Throws: `StartError` for an identity that the environment does not know.
    init(_ configuration: GatewayConfiguration, loops: Int, environment: [String: String]) throws {
        self.configuration = configuration
        tokenPolicy =
            configuration.entra.isEmpty ? nil : TokenPolicy(configuration, epoch: TokenPolicy.nextEpoch())
        failureLimit = configuration.frontDoor == nil ? nil : AuthenticationFailures.Limit().count
        modelRefusalStatus =
            switch configuration.server.modelRefusalStatus {
            case .forbidden: 403
            case .unauthorized: 401
            }
        frontDoor = configuration.frontDoor.map { FrontDoor($0) }
        clients = ClientDirectory(configuration.clients)
        endpoints = try configuration.endpoints.map {
            try Endpoint($0, loops: loops, environment: environment)
        }
        modelNames = configuration.models.map(\.name)
        let endpointIndex = Dictionary(
            configuration.endpoints.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var routes: [String: ModelRoute] = [:]
        var numbers: [DeploymentID: Int] = [:]
        var candidates: [Candidate] = []
        for model in configuration.models where model.name != "*" {
            for deployment in model.deployments {
                let id = DeploymentID(deployment, of: model)
                guard numbers[id] == nil else { continue }
                numbers[id] = candidates.count
                candidates.append(Candidate(id: id, deployment))
            }
        }
        self.candidates = candidates
        for (index, model) in configuration.models.enumerated() where model.name != "*" {
            routes[model.name] = ModelRoute(model, index: index, endpoints: endpointIndex, numbers: numbers)
        }
        self.routes = routes
        self.endpointIndex = endpointIndex
        others = configuration.models.firstIndex { $0.name == "*" }.map { (configuration.models[$0], $0) }
        let server = configuration.server
        queues = configuration.models.map { AdmissionQueue.Bounds($0.queue, bytes: server.maxBodyBytes, loops: loops) }
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

    /// Where requests for a model may go; `nil` for one that nobody offers.
    ///
    /// Without `models` in the configuration every model is known, under its own name, at every endpoint in file order; so is
    /// a request that names none.
    func route(model: String?) -> ModelRoute? {
        if let model, !modelNames.isEmpty {
            if let route = routes[model] { return route }
            guard let others, model.isModelName else { return nil }
            return ModelRoute(others.model, named: model, index: others.index, endpoints: endpointIndex)
        }
        return ModelRoute(unlisted: model, endpoints: endpoints.map(\.name))
    }
}

extension Snapshot {
    /// Where requests for a model go that the configuration names.
    func namedRoute(model: String) -> ModelRoute? { routes[model] }

    /// Whether there are routes for models that the configuration does not name.
    var servesUnlisted: Bool { modelNames.isEmpty || others != nil }
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
    fileprivate init(
        _ endpoint: GatewayConfiguration.Endpoint,
        loops: Int,
        environment: [String: String]
    ) throws {
        name = endpoint.name
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
