import NIOCore
import NIOPosix
import NIOSSL
import TestSupport

/// A TCP server that does exactly what a test says: raw bytes at chosen moments, close, reset, or nothing at all.
final class ScriptedServer: Sendable {
    typealias Answer = @Sendable (ScriptedConnection, ScriptedRequest) -> Void

    let port: Int
    private let scheme: String
    private let channel: any Channel
    private let accepted: AcceptedConnections

    /// - Parameters:
    ///   - tls: with it, every `send` is a TLS record.
    ///   - answer: called for every complete request; without it the test speaks through `connection`.
    static func start(tls: NIOSSLContext? = nil, answer: Answer? = nil) async throws -> ScriptedServer {
        let accepted = AcceptedConnections()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 512)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                let connection = ScriptedConnection(channel: channel)
                accepted.all.withLock { $0.append(connection) }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedConnectionHandler(connection, answer: answer)
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedServer(scheme: tls == nil ? "http" : "https", channel: channel, accepted: accepted)
    }

    private init(scheme: String, channel: any Channel, accepted: AcceptedConnections) {
        self.scheme = scheme
        self.channel = channel
        self.accepted = accepted
        port = channel.localAddress!.port!
    }

    var base: String { "\(scheme)://127.0.0.1:\(port)" }
    var connectionCount: Int { accepted.all.withLock { $0.count } }

    /// The connection accepted as number `index`, as soon as there is one.
    func connection(_ index: Int = 0) async throws -> ScriptedConnection {
        try await eventually("connection \(index) is accepted") { connectionCount > index }
        return accepted.all.withLock { $0[index] }
    }

    /// The connection accepted as number `index`, if there is one by now.
    func accepted(_ index: Int) -> ScriptedConnection? {
        accepted.all.withLock { $0.count > index ? $0[index] : nil }
    }

    func stop() async throws {
        try await channel.close().get()
        for connection in accepted.all.withLock({ $0 }) { connection.close() }
        for connection in accepted.all.withLock({ $0 }) { try? await connection.channel.closeFuture.get() }
    }

    private final class AcceptedConnections: Sendable {
        let all = Mutex<[ScriptedConnection]>([])
    }
}

/// Runs a test against a scripted server and stops it, whatever happens.
func withServer(
    tls: NIOSSLContext? = nil,
    answer: ScriptedServer.Answer? = nil,
    _ body: (ScriptedServer) async throws -> Void
) async throws {
    let server = try await ScriptedServer.start(tls: tls, answer: answer)
    do {
        try await body(server)
    } catch {
        try? await server.stop()
        throw error
    }
    try await server.stop()
}

/// A request as the server received it.
struct ScriptedRequest: Sendable {
    /// How many requests came on the connection before this one.
    let index: Int
    /// Request line and fields, with their line ends, without the empty line.
    let head: String
    let body: [UInt8]

    var line: String { String(head.prefix { $0 != "\r\n" }) }
    var target: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
}

/// One accepted connection.
final class ScriptedConnection: Sendable {
    let channel: any Channel
    private let state = Mutex((bytes: [UInt8](), isEnded: false))

    fileprivate init(channel: any Channel) { self.channel = channel }

    /// Everything that came so far.
    var received: String { String(decoding: state.withLock { $0.bytes }, as: UTF8.self) }
    var receivedBytes: [UInt8] { state.withLock { $0.bytes } }
    /// The peer closed or reset it.
    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Waits until the peer has sent this text.
    @discardableResult
    func receive(_ text: String = "\r\n\r\n") async throws -> String {
        try await eventually("the server receives \(text.debugDescription)") { received.contains(text) }
        return received
    }

    func ended() async throws { try await eventually("the client leaves its connection") { isEnded } }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// Sends pieces in as few segments as there can be.
    func send(together pieces: [[UInt8]]) {
        channel.eventLoop.execute {
            for piece in pieces { self.channel.write(ByteBuffer(bytes: piece), promise: nil) }
            self.channel.flush()
        }
    }

    func close() { channel.close(promise: nil) }

    /// Closes with RST instead of FIN.
    func reset() {
        let channel = channel
        channel.eventLoop.execute {
            guard let options = channel as? any SocketOptionProvider else { return }
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        }
    }

    fileprivate func append(_ buffer: ByteBuffer) {
        state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
    }

    fileprivate func end() { state.withLock { $0.isEnded = true } }
}

/// Hands bytes to the connection's record and cuts them into requests.
private final class ScriptedConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ScriptedConnection
    private let answer: ScriptedServer.Answer?
    private var pending: [UInt8] = []
    private var requests = 0

    init(_ connection: ScriptedConnection, answer: ScriptedServer.Answer?) {
        self.connection = connection
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        connection.append(buffer)
        guard let answer else { return }
        pending.append(contentsOf: buffer.readableBytesView)
        while let request = nextRequest() { answer(connection, request) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return }
        connection.end()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { connection.end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.end()
        context.close(promise: nil)
    }

    private func nextRequest() -> ScriptedRequest? {
        guard let headEnd = pending.firstIndex(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: pending[..<(headEnd + 2)], as: UTF8.self)
        var bodyEnd = headEnd + 4
        for field in head.lowercased().split(separator: "\r\n") {
            if field.hasPrefix("content-length:") { bodyEnd += Int(field.split(separator: " ").last ?? "") ?? 0 }
            if field == "transfer-encoding: chunked" {
                let last = Array("0\r\n\r\n".utf8)
                guard let end = Array(pending[bodyEnd...]).firstIndex(of: last) else { return nil }
                bodyEnd += end + last.count
            }
        }
        guard pending.count >= bodyEnd else { return nil }
        let request = ScriptedRequest(index: requests, head: head, body: Array(pending[(headEnd + 4)..<bodyEnd]))
        pending.removeFirst(bodyEnd)
        requests += 1
        return request
    }
}

extension [UInt8] {
    /// Where `pattern` first begins.
    fileprivate func firstIndex(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (0...(count - pattern.count)).first {
            self[$0] == pattern[0] && self[$0..<($0 + pattern.count)] == pattern[...]
        }
    }
}
