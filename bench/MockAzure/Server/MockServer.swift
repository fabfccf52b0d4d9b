import NIOCore
import NIOPosix
import NIOSSL

/// The listening socket and the loops behind it.
struct MockServer {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// - Parameter tls: plain HTTP/1.1 without it; with it TLS, and HTTP/2 for those who ask.
    static func start(
        host: String,
        port: Int,
        threads: Int,
        resource: MockResource,
        tls: NIOSSLContext? = nil
    ) throws -> MockServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let connections = Connections(resource: resource, shards: try Shards(group))
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                guard let tls else { return connections.configurePlain(channel) }
                return connections.configureTLS(channel, context: tls)
            }
        return MockServer(group: group, channel: try bootstrap.bind(host: host, port: port).wait())
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// Closes every connection, whatever it is doing.
    func stop() throws {
        try self.group.syncShutdownGracefully()
    }
}
