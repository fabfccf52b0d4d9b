import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// What a connection is made of, from the socket to `ConnectionHandler`. All of them end in the same handler.
struct Connections: Sendable {
    /// Streams of one connection at a time; a gateway that uses few connections needs many.
    private static let maximumStreams = 1_000

    private static let maximumHeaderBytes = 64 * 1_024

    let resource: MockResource
    let shards: Shards

    /// Bytes, HTTP/1.1.
    func configurePlain(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            self.shards.state(of: channel.eventLoop).count(channel)
            try self.addHTTP1(to: channel)
        }
    }

    /// Bytes, TLS, and then whichever protocol the client chose by ALPN (RFC 7301).
    func configureTLS(_ channel: any Channel, context: NIOSSLContext) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            self.shards.state(of: channel.eventLoop).count(channel)
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }.flatMap {
            channel.configureHTTP2SecureUpgrade(
                h2ChannelConfigurator: self.configureHTTP2,
                http1ChannelConfigurator: { channel in
                    channel.eventLoop.makeCompletedFuture { try self.addHTTP1(to: channel) }
                }
            )
        }
    }

    private func addHTTP1(to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandlers(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
            self.handler(for: channel)
        )
    }

    private func configureHTTP2(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            var connection = NIOHTTP2Handler.ConnectionConfiguration()
            connection.initialSettings = [
                HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.maximumStreams),
                HTTP2Setting(parameter: .maxHeaderListSize, value: Self.maximumHeaderBytes),
            ]
            _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                mode: .server,
                connectionConfiguration: connection,
                streamConfiguration: NIOHTTP2Handler.StreamConfiguration()
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandlers(
                        HTTP2FramePayloadToHTTP1ServerCodec(),
                        HTTP2AnswerHandler(),
                        self.handler(for: stream)
                    )
                }
            }
        }
    }

    private func handler(for channel: any Channel) -> ConnectionHandler {
        ConnectionHandler(
            resource: self.resource,
            shards: self.shards,
            loop: self.shards.state(of: channel.eventLoop)
        )
    }
}
