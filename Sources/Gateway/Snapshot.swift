internal import NIOCore
internal import Transport

/// The configuration as requests use it: immutable, and the same object on every event loop.
final class Snapshot: Sendable {
    struct Endpoint: Sendable {
        let name: String
        let apiKey: String?
        let headers: UpstreamHeaders
        let origin: OriginConfiguration
    }

    let configuration: GatewayConfiguration
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

    /// - Parameter loops: among how many event loops an endpoint's connections are divided.
    init(_ configuration: GatewayConfiguration, loops: Int) {
        self.configuration = configuration
        frontDoor = configuration.frontDoor.map { FrontDoor($0) }
        clients = ClientDirectory(configuration.clients)
        endpoints = configuration.endpoints.map { Endpoint($0, loops: loops) }
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
    fileprivate init(_ endpoint: GatewayConfiguration.Endpoint, loops: Int) {
        name = endpoint.name
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
