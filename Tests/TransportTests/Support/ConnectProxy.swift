import NIOCore
import NIOPosix
import TestSupport

/// A proxy that understands CONNECT and nothing else: it opens the tunnel, or refuses with the status it was given.
final class ConnectProxy: Sendable {
    private let channel: any Channel
    private let seen: Seen

    /// - Parameter refusal: a complete response to give instead of a tunnel.
    static func start(refusal: String? = nil) async throws -> ConnectProxy {
        let seen = Seen()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TunnelHandler(seen: seen, refusal: refusal))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ConnectProxy(channel: channel, seen: seen)
    }

    private init(channel: any Channel, seen: Seen) {
        self.channel = channel
        self.seen = seen
    }

    var address: String { "http://127.0.0.1:\(channel.localAddress!.port!)" }
    /// The heads of all CONNECT requests.
    var heads: [String] { seen.heads.withLock { $0 } }

    func stop() async throws { try await channel.close().get() }

    fileprivate final class Seen: Sendable {
        let heads = Mutex<[String]>([])
    }
}

/// The client's side of a tunnel: reads the CONNECT request, then only passes bytes on.
private final class TunnelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let seen: ConnectProxy.Seen
    private let refusal: String?
    private var head = ""
    private var server: (any Channel)?

    init(seen: ConnectProxy.Seen, refusal: String?) {
        self.seen = seen
        self.refusal = refusal
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if let server { return server.writeAndFlush(buffer, promise: nil) }
        head += String(buffer: buffer)
        guard head.hasSuffix("\r\n\r\n") else { return }
        seen.heads.withLock { $0.append(head) }
        if let refusal {
            context.writeAndFlush(NIOAny(ByteBuffer(string: refusal)), promise: nil)
            return context.close(promise: nil)
        }
        open(to: head.split(separator: " ")[1], context.channel)
    }

    private func open(to authority: Substring, _ client: any Channel) {
        let parts = authority.split(separator: ":")
        let bound = NIOLoopBound(self, eventLoop: client.eventLoop)
        ClientBootstrap(group: client.eventLoop)
            .channelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    try server.pipeline.syncOperations.addHandler(ReturnHandler(client: client))
                }
            }
            .connect(host: String(parts[0]), port: Int(parts[1])!)
            .whenComplete { result in
                switch result {
                case .success(let server):
                    bound.value.server = server
                    client.writeAndFlush(
                        ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"),
                        promise: nil
                    )
                case .failure:
                    client.close(promise: nil)
                }
            }
    }

    func channelInactive(context: ChannelHandlerContext) { server?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The server's side of a tunnel.
private final class ReturnHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel

    init(client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        client.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
