internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import TestSupport

/// A client over TLS that trusts one authority only.
final class TLSClient: Sendable {
    private let channel: any Channel
    private let inbox: Shared<[UInt8]>

    /// Connects and asks for the probe's answer. - Throws: when the server's certificate is not that authority's.
    init(port: Int, authority: String) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        let context = try NIOSSLContext(configuration: configuration)
        let inbox = Shared<[UInt8]>([])
        self.inbox = inbox
        channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                    try channel.pipeline.syncOperations.addHandlers([tls, Inbox(inbox)])
                }
            }
            .connect(host: "127.0.0.1", port: port).wait()
        do {
            // Sent once the handshake is over; it fails with the handshake.
            try send(Client.bytes("GET", "/health/front-door", key: nil))
            _ = try receive(until: "ok\n")
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: [UInt8]) throws { try channel.writeAndFlush(ByteBuffer(bytes: bytes)).wait() }

    /// Everything that came, once it ends with this text; taken away.
    func receive(until end: String) throws -> String {
        let text = try wait(for: "an answer over TLS") {
            let text = String(decoding: inbox.current, as: UTF8.self)
            return text.hasSuffix(end) ? text : nil
        }
        inbox.change { $0 = [] }
        return text
    }
}

/// Gathers what comes.
private final class Inbox: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let bytes: Shared<[UInt8]>

    init(_ bytes: Shared<[UInt8]>) { self.bytes = bytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        bytes.change { $0 += Array(buffer.readableBytesView) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
