import NIOCore
import NIOHTTP1
import NIOPosix

/// The listening socket and the loops behind it.
struct MockServer {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    static func start(host: String, port: Int, threads: Int, resource: MockResource) throws -> MockServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let shards = try Shards(group)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = ConnectionHandler(
                        resource: resource,
                        shards: shards,
                        loop: shards.state(of: channel.eventLoop)
                    )
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
                        connection
                    )
                }
            }
        return MockServer(group: group, channel: try bootstrap.bind(host: host, port: port).wait())
    }

    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// Closes every connection, whatever it is doing.
    func stop() throws {
        try self.group.syncShutdownGracefully()
    }
}
