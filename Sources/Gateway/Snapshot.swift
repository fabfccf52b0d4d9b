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
        for (index, model) in configuration.models.enumerated() {
            routes[model.name] = ModelRoute(model, index: index, endpoints: endpointIndex)
        }
        self.routes = routes
        let server = configuration.server
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
        if let model, !modelNames.isEmpty { return routes[model] }
        return ModelRoute(unlisted: model, endpoints: endpoints.map(\.name))
    }
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
