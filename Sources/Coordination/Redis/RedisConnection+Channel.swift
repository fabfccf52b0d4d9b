internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

extension RedisConnection {
    /// Where the TLS handler sits, to close the channel past it.
    private static let tlsName = "tls"
    /// For how long sent data may go without an acknowledgement; the kernel's own patience is a quarter of an hour.
    private static let userTimeoutMilliseconds = 5_000
    private static let keepAliveSeconds = 30

    /// Resolves the name, connects and starts TLS. The name is resolved anew each time: after a failover it points elsewhere.
    func openChannel(_ configuration: RedisConfiguration, failed: @escaping (RedisError) -> Void) {
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        let address = configuration.address
        let tls = configuration.tls
        ClientBootstrap(group: eventLoop)
            .connectTimeout(configuration.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: Self.keepAliveSeconds)
            .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: Self.keepAliveSeconds)
            .channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: Self.userTimeoutMilliseconds)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try Self.tlsHandler(tls, host: address.host)
                        try channel.pipeline.syncOperations.addHandler(handler, name: Self.tlsName)
                    }
                    try channel.pipeline.syncOperations.addHandler(connection.value)
                }
            }
            .connect(host: address.host, port: address.port)
            .assumeIsolated()
            .whenFailure { failed(RedisError(connect: $0)) }
    }

    /// The certificate must name the host, or hold its address where the configuration gives one.
    private static func tlsHandler(_ tls: RedisTLS, host: String) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls.context, serverHostname: isAddress ? nil : host)
    }

    /// Without TLS's farewell, for which the peer may be too dead.
    ///
    /// - Parameter abruptly: with a reset: what lies in the socket's buffers must not reach Redis after the same commands
    ///   have been sent again elsewhere.
    func closeChannel(_ context: ChannelHandlerContext, abruptly: Bool) {
        if abruptly, let socket = context.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        let outermost = try? context.pipeline.syncOperations.context(name: Self.tlsName)
        (outermost ?? context).close(promise: nil)
    }
}

extension RedisError {
    /// Why no connection came about.
    init(connect error: any Error) {
        switch error {
        case ChannelError.connectTimeout: self = .connectTimeout
        default: self.init(.connectFailed, mayHaveRun: false, cause: String(describing: error))
        }
    }

    /// Why a connection broke.
    init(channel error: any Error) {
        let cause = String(describing: error)
        switch error {
        case is NIOSSLExtraError:
            self.init(.certificate, mayHaveRun: true, cause: cause)
        case NIOSSLError.uncleanShutdown:
            self = .closed
        case is NIOSSLError, is BoringSSLError:
            let isCertificate = cause.contains("CERTIFICATE_VERIFY_FAILED")
            self.init(isCertificate ? .certificate : .tls, mayHaveRun: true, cause: cause)
        default:
            self.init(.connectionLost, mayHaveRun: true, cause: cause)
        }
    }
}
