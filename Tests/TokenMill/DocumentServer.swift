internal import NIOCore
package import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An HTTP server of small documents that can fail in every way: the tests' Entra ID, instance metadata and token services.
package final class DocumentServer: Sendable {
    package struct Request: Sendable {
        package let method: HTTPMethod
        package let target: String
        package let headers: HTTPHeaders
        package let body: String

        package var path: Substring { target.prefix { $0 != "?" } }
    }

    package enum Answer: Sendable {
        case document(Int, String, headers: [(String, String)] = [])
        /// Nothing until `release`, then this.
        case held(Int, String)
        case close
    }

    package typealias Script = @Sendable (Request) -> Answer

    package let base: String
    private let channel: any Channel
    private let state: State

    fileprivate final class State: Sendable {
        let script: Mutex<Script>
        let requests = Mutex<[Request]>([])
        let held = Mutex<[@Sendable () -> Void]>([])

        init(_ script: @escaping Script) { self.script = Mutex(script) }
    }

    /// - Parameter port: 0 for any that is free.
    package static func start(port: Int = 0, _ script: @escaping Script) async throws -> DocumentServer {
        let state = State(script)
        return DocumentServer(
            channel: try await bootstrap(state).bind(host: "127.0.0.1", port: port).get(),
            state: state
        )
    }

    /// The same for a thread that may block.
    package convenience init(port: Int = 0, _ script: @escaping Script) throws {
        let state = State(script)
        self.init(channel: try Self.bootstrap(state).bind(host: "127.0.0.1", port: port).wait(), state: state)
    }

    private static func bootstrap(_ state: State) -> ServerBootstrap {
        ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(DocumentHandler(state))
                }
            }
    }

    private init(channel: any Channel, state: State) {
        self.channel = channel
        self.state = state
        base = "http://127.0.0.1:\(channel.localAddress!.port!)"
    }

    package var port: Int { channel.localAddress!.port! }
    package var requests: [Request] { state.requests.withLock { $0 } }

    package func count(_ path: String) -> Int { requests.count { $0.path == path } }

    /// From now on it answers so.
    package func setScript(_ script: @escaping Script) { state.script.withLock { $0 = script } }

    /// Answers what was held.
    package func release() {
        let held = state.held.withLock { held in
            defer { held = [] }
            return held
        }
        for answer in held { answer() }
    }

    /// Without waiting for it.
    package func close() { channel.close(promise: nil) }

    package func stop() async throws { try await channel.close().get() }
}

private final class DocumentHandler: ChannelInboundHandler, @unchecked Sendable {  // confined to its channel's loop
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: DocumentServer.State
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ state: DocumentServer.State) { self.state = state }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let bytes):
            body += String(buffer: bytes)
        case .end:
            guard let head else { return }
            let request = DocumentServer.Request(
                method: head.method,
                target: head.uri,
                headers: head.headers,
                body: body
            )
            state.requests.withLock { $0.append(request) }
            answer(state.script.withLock { $0 }(request), channel: context.channel)
        }
    }

    private func answer(_ answer: DocumentServer.Answer, channel: any Channel) {
        switch answer {
        case .document(let status, let text, let headers):
            write(status, text, headers, to: channel)
        case .held(let status, let text):
            state.held.withLock {
                $0.append { channel.eventLoop.execute { self.write(status, text, [], to: channel) } }
            }
        case .close:
            channel.close(promise: nil)
        }
    }

    private func write(_ status: Int, _ text: String, _ headers: [(String, String)], to channel: any Channel) {
        var fields = HTTPHeaders(headers)
        fields.replaceOrAdd(name: "content-length", value: "\(text.utf8.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}
