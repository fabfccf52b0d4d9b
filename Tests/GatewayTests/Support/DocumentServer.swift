import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server of small documents that can fail in every way: the tests' Entra ID, instance metadata and token services.
final class DocumentServer: Sendable {
    struct Request: Sendable {
        let method: HTTPMethod
        let target: String
        let headers: HTTPHeaders
        let body: String

        var path: Substring { target.prefix { $0 != "?" } }
    }

    enum Answer: Sendable {
        case document(Int, String, headers: [(String, String)] = [])
        /// Nothing until `release`, then this.
        case held(Int, String)
        case close
    }

    typealias Script = @Sendable (Request) -> Answer

    let base: String
    private let channel: any Channel
    private let state: State

    fileprivate final class State: Sendable {
        let script: Mutex<Script>
        let requests = Mutex<[Request]>([])
        let held = Mutex<[@Sendable () -> Void]>([])

        init(_ script: @escaping Script) { self.script = Mutex(script) }
    }

    /// - Parameter port: 0 for any that is free.
    static func start(port: Int = 0, _ script: @escaping Script) async throws -> DocumentServer {
        let state = State(script)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(DocumentHandler(state))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return DocumentServer(channel: channel, state: state)
    }

    private init(channel: any Channel, state: State) {
        self.channel = channel
        self.state = state
        base = "http://127.0.0.1:\(channel.localAddress!.port!)"
    }

    var port: Int { channel.localAddress!.port! }
    var requests: [Request] { state.requests.withLock { $0 } }

    func count(_ path: String) -> Int { requests.count { $0.path == path } }

    /// From now on it answers so.
    func setScript(_ script: @escaping Script) { state.script.withLock { $0 = script } }

    /// Answers what was held.
    func release() {
        let held = state.held.withLock { held in
            defer { held = [] }
            return held
        }
        for answer in held { answer() }
    }

    func stop() async throws { try await channel.close().get() }
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

/// Waits until a condition holds; how long that takes is the machine's business.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(20),
    _ condition: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NeverHappened(description: "this did not happen: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

struct NeverHappened: Error, CustomStringConvertible { let description: String }
