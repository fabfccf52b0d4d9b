import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// What the network between a client and its server does wrong. Can be changed while connections stand.
enum NetworkFault: Sendable, Equatable {
    case none
    /// Every answer comes this much later.
    case delay(TimeAmount)
    /// Both sides may send; nothing arrives.
    case blackhole
    /// Answers arrive byte by byte, one in every so long.
    case drip(TimeAmount)
    /// What the client sends next is answered with a reset.
    case reset
    /// What the client sends next is passed on, and then the server's side of the connection is closed.
    case halfClose
    /// Of the next answer so many bytes arrive, then the connection is closed.
    case cut(after: Int)
    /// The byte at this place of every answer arrives with one bit changed.
    case corrupt(at: Int)
}

/// A TCP proxy on the loopback interface that misbehaves on demand.
final class FaultProxy: Sendable {
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let state: NIOLockedValueBox<State>

    fileprivate struct State {
        var backend: Int
        var fault = NetworkFault.none
        var accepted = 0
        var bytesFromClients = 0
    }

    private init(port: Int, group: MultiThreadedEventLoopGroup, state: NIOLockedValueBox<State>) {
        self.port = port
        self.group = group
        self.state = state
    }

    static func start(to port: Int) async throws -> FaultProxy {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let state = NIOLockedValueBox(State(backend: port))
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Front(state: state))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FaultProxy(port: channel.localAddress?.port ?? 0, group: group, state: state)
    }

    var fault: NetworkFault {
        get { state.withLockedValue { $0.fault } }
        set { state.withLockedValue { $0.fault = newValue } }
    }

    /// The port that new connections lead to, as if a name had come to mean another host.
    var backend: Int {
        get { state.withLockedValue { $0.backend } }
        set { state.withLockedValue { $0.backend = newValue } }
    }

    /// Connections taken so far.
    var accepted: Int { state.withLockedValue { $0.accepted } }

    /// Bytes that clients have sent, those that were swallowed included.
    var bytesFromClients: Int { state.withLockedValue { $0.bytesFromClients } }

    func stop() async throws { try await group.shutdownGracefully() }

    /// The client's side of one connection.
    private final class Front: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let state: NIOLockedValueBox<State>
        private var backend: (any Channel)?
        private var waiting: [ByteBuffer] = []

        init(state: NIOLockedValueBox<State>) { self.state = state }

        func channelActive(context: ChannelHandlerContext) {
            let port = state.withLockedValue { state in
                state.accepted += 1
                return state.backend
            }
            let client = NIOLoopBound(context, eventLoop: context.eventLoop)
            let front = NIOLoopBound(self, eventLoop: context.eventLoop)
            ClientBootstrap(group: context.eventLoop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let back = Back(client: client.value, state: front.value.state)
                        try channel.pipeline.syncOperations.addHandler(back)
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .assumeIsolated()
                .whenComplete { result in
                    switch result {
                    case .failure:
                        client.value.close(promise: nil)
                    case .success(let channel):
                        self.backend = channel
                        for buffer in self.waiting { channel.writeAndFlush(buffer, promise: nil) }
                        self.waiting = []
                    }
                }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            let fault = state.withLockedValue { state in
                state.bytesFromClients += buffer.readableBytes
                return state.fault
            }
            switch fault {
            case .blackhole:
                return
            case .reset:
                if let socket = context.channel as? any SocketOptionProvider {
                    _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                }
                return context.close(promise: nil)
            case .halfClose:
                context.close(mode: .output, promise: nil)
            case .none, .delay, .drip, .cut, .corrupt:
                break
            }
            if let backend { backend.writeAndFlush(buffer, promise: nil) } else { waiting.append(buffer) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) { backend?.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// The server's side of one connection.
    private final class Back: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let client: ChannelHandlerContext
        private let state: NIOLockedValueBox<State>
        private var passed = 0
        private var lastDue = NIODeadline.now()

        init(client: ChannelHandlerContext, state: NIOLockedValueBox<State>) {
            self.client = client
            self.state = state
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            switch state.withLockedValue({ $0.fault }) {
            case .none, .reset:
                send(buffer, after: .zero)
            case .halfClose, .blackhole:
                break
            case .delay(let time):
                send(buffer, after: time)
            case .drip(let interval):
                while let byte = buffer.readSlice(length: 1) { send(byte, after: interval, chained: true) }
            case .cut(let count):
                send(buffer.readSlice(length: min(count, buffer.readableBytes)) ?? buffer, after: .zero)
                client.close(promise: nil)
            case .corrupt(let index):
                let place = buffer.readerIndex + index
                if let byte: UInt8 = buffer.getInteger(at: place) { buffer.setInteger(byte ^ 0x40, at: place) }
                send(buffer, after: .zero)
            }
        }

        /// - Parameter chained: so long after the one before, not after now.
        private func send(_ buffer: ByteBuffer, after time: TimeAmount, chained: Bool = false) {
            lastDue = max(lastDue, chained ? max(lastDue, .now()) + time : .now() + time)
            guard lastDue > .now() else { return client.channel.writeAndFlush(buffer, promise: nil) }
            client.eventLoop.assumeIsolated().scheduleTask(deadline: lastDue) {
                // What came under another fault stays on its way; a hole swallows it.
                if self.state.withLockedValue({ $0.fault }) != .blackhole {
                    self.client.channel.writeAndFlush(buffer, promise: nil)
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Runs a test with a proxy in front of a port and ends it, whatever happens.
func withFaultProxy(to port: Int, _ body: (FaultProxy) async throws -> Void) async throws {
    let proxy = try await FaultProxy.start(to: port)
    do {
        try await body(proxy)
    } catch {
        try? await proxy.stop()
        throw error
    }
    try await proxy.stop()
}
