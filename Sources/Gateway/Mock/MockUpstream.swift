internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What stands behind the gateway where the configuration has a `mock`: an HTTP server in this process, on loopback, that gives every
/// request the same answer.
///
/// It is an endpoint like any other, so limits, usage, logs and metrics see a mocked exchange as they would see Azure's; PowerProxy
/// answers without them.
final class MockUpstream: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let mock = NIOLockedValueBox<GatewayConfiguration.Mock?>(nil)
    private let listener = NIOLockedValueBox<(any Channel)?>(nil)

    /// What the endpoint is called in metrics and logs.
    static let endpointName = "mock"

    init(group: MultiThreadedEventLoopGroup) { self.group = group }

    /// The configuration as requests are to be served by it: the same, or with this server as its only endpoint if it has a `mock`.
    /// What earlier configurations mocked is answered by the new one from now on.
    ///
    /// - Throws: an error of the system if no port on loopback can be had.
    func standIn(for configuration: GatewayConfiguration) async throws -> GatewayConfiguration {
        guard let mock = configuration.mock else { return configuration }
        self.mock.withLockedValue { $0 = mock }
        var configuration = configuration
        let url = EndpointURL(scheme: .http, host: "127.0.0.1", port: try await port())
        var endpoint = GatewayConfiguration.Endpoint(name: Self.endpointName, url: url)
        // However long the answer takes by configuration, it is not a time-out.
        endpoint.timeouts.firstByte += mock.delay
        endpoint.timeouts.total += mock.delay
        endpoint.connections.max = configuration.server.maxInFlight
        configuration.endpoints = [endpoint]
        return configuration
    }

    private func port() async throws -> Int? {
        if let listener = listener.withLockedValue({ $0 }) { return listener.localAddress?.port }
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelInitializer { [mock] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(MockHandler(mock))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        listener.withLockedValue { $0 = channel }
        return channel.localAddress?.port
    }
}

/// One connection: reads requests, whatever they are, and answers each after the delay.
private final class MockHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let mock: NIOLockedValueBox<GatewayConfiguration.Mock?>
    private var waiting: Scheduled<Void>?

    init(_ mock: NIOLockedValueBox<GatewayConfiguration.Mock?>) { self.mock = mock }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data), let mock = mock.withLockedValue({ $0 }) else { return }
        let body = mock.body
        guard mock.delay > .zero else { return Self.answer(context, body) }
        waiting = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(mock.delay)) {
            Self.answer(context, body)
        }
    }

    /// The gateway has given the request up.
    func channelInactive(context: ChannelHandlerContext) {
        waiting?.cancel()
        context.fireChannelInactive()
    }

    private static func answer(_ context: ChannelHandlerContext, _ body: String) {
        let fields = HTTPHeaders([("content-type", "application/json"), ("content-length", "\(body.utf8.count)")])
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
        context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
        context.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
    }
}
