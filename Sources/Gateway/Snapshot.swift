internal import NIOCore
internal import Transport

/// The configuration as requests use it: immutable, and the same object on every event loop.
final class Snapshot: Sendable {
    struct Endpoint: Sendable {
        let name: String
        let isConfigured: Bool
        let apiKey: String?
        let headers: UpstreamHeaders
        let origin: OriginConfiguration
    }

    let configuration: GatewayConfiguration
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
    ///   - earlier: what was in force before; its numbers stay.
    init(_ configuration: GatewayConfiguration, loops: Int, after earlier: Snapshot? = nil) {
        var roster = earlier?.roster ?? Roster()
        roster.add(configuration)
        self.roster = roster
        self.configuration = configuration
        hash = configuration.hash
        frontDoor = configuration.frontDoor.map { FrontDoor($0) }
        clients = ClientDirectory(configuration.clients, numbers: roster.clients)
        let configured = Dictionary(
            configuration.endpoints.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        endpoints = roster.endpoints.names.enumerated().compactMap { number, name in
            if let endpoint = configured[name] { return Endpoint(endpoint, loops: loops) }
            return earlier?.endpoints[number].retired
        }
        endpointNumbers = configuration.endpoints.compactMap { roster.endpoints[$0.name] }
        var routes: [String: ModelRoute] = [:]
        for model in configuration.models {
            routes[model.name] = ModelRoute(model, number: roster.models[model.name], endpoints: roster.endpoints)
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

    /// Idle connections that one event loop may keep.
    var maxConnections: Int {
        endpoints.reduce(0) { $1.isConfigured ? $0 + $1.origin.maxConnections : $0 }
    }

    /// Whether only models that the configuration names are known.
    var listsModels: Bool { !routes.isEmpty }

    /// Where requests for a model may go; `nil` for one that nobody offers.
    ///
    /// Without `models` in the configuration every model is known, under its own name, at every endpoint in file order; so is
    /// a request that names none.
    func route(model: String?) -> ModelRoute? {
        if let model, listsModels { return routes[model] }
        return ModelRoute(unlisted: model, endpoints: endpointNumbers.map { ($0, endpoints[$0].name) })
    }
}

extension Snapshot.Endpoint {
    /// As it stands in snapshots that do not list it.
    fileprivate var retired: Self {
        Self(name: name, isConfigured: false, apiKey: nil, headers: headers, origin: origin)
    }

    fileprivate init(_ endpoint: GatewayConfiguration.Endpoint, loops: Int) {
        name = endpoint.name
        isConfigured = true
        apiKey = endpoint.apiKey?.reveal()
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
