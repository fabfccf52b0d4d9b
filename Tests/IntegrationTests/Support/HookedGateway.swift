internal import Foundation
internal import Gateway
internal import Glibc
internal import Logging
internal import TestSupport

/// A gateway in this process, with the hooks of a test: what a build has that registers them.
final class HookedGateway: Sendable {
    let addresses: GatewayServer.Addresses
    private let task: Task<Void, any Error>
    private let ended = Flag()
    private let upstream: any Upstream
    private let folder: TemporaryFolder
    private let log: URL

    init(_ hooks: [any ExchangeHook], file text: String? = nil, upstream: any Upstream) throws {
        self.upstream = upstream
        folder = try TemporaryFolder()
        log = folder.url.appendingPathComponent("log")
        let file = log.path
        let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError(call: "open") }
        let configuration = try ConfigurationLoader.load(
            text: text ?? GatewayConfigurationText().text(upstreamPort: upstream.port),
            from: "the test",
            environment: [:]
        ).get().configuration
        let bound = Shared<GatewayServer.Addresses?>(nil)
        let writer = LogWriter(descriptor: descriptor)
        let server = GatewayServer(
            configuration: configuration,
            reading: .fixed(configuration),
            version: "test",
            environment: [:],
            hooks: hooks,
            logger: Logger(label: "sluice") { LineLogHandler(label: $0, log: configuration.log, writer: writer) },
            logWriter: writer,
            onListening: { addresses in bound.change { $0 = addresses } }
        )
        let ended = ended
        task = Task {
            defer {
                ended.raise()
                close(descriptor)
            }
            try await server.run()
        }
        addresses = try wait(for: "the gateway's ports") {
            if ended.isUp { throw Unexpected("the gateway did not start") }
            return bound.current
        }
    }

    deinit { try? stop() }

    /// Shuts it down, and returns when it is.
    func stop() throws {
        task.cancel()
        try ended.await("the end of the gateway")
    }

    func connect() throws -> Client { Client(try TCPSocket.connect(port: addresses.data.port)) }

    func metric(_ sample: String) throws -> Int {
        let client = Client(try TCPSocket.connect(port: addresses.admin.port))
        try client.send("GET /metrics HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        let lines = try client.response().text.split(separator: "\n")
        return lines.first { $0.hasPrefix(sample + " ") }.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    /// What it logged.
    var printed: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    // MARK: what tests ask

    static let chat = "/openai/deployments/gpt-4o/chat/completions"

    /// An answer to a chat request on a connection of its own.
    func ask(
        _ headers: [String] = [],
        path: String = HookedGateway.chat,
        body: String = "{\"messages\":[]}"
    ) throws -> Response {
        let client = try connect()
        try client.request(
            "POST",
            path,
            headers: ["content-type: application/json"] + headers,
            body: Array(body.utf8)
        )
        return try client.response()
    }
}

/// A hook that does what a test says, and writes down what it is told.
struct ScriptedHook: StreamHook {
    var name = "scripted"
    var onRequest: @Sendable (HookRequest) async throws -> HookVerdict = { _ in .pass() }
    var onCall: @Sendable (HookCall) async throws -> HookVerdict = { _ in .pass() }
    var onHead: @Sendable (HookHead) async throws -> Void = { _ in }
    var onEvent: @Sendable (HookEvent) async throws -> Void = { _ in }
    var onSettled: @Sendable (UsageEvent) async throws -> Void = { _ in }
    let told = Shared<[String]>([])
    let settlements = Shared<[UsageEvent]>([])
    /// Of this exchange alone.
    private var events = 0

    init(name: String = "scripted") { self.name = name }

    mutating func requestReceived(_ request: HookRequest) async throws -> HookVerdict {
        told.change { $0.append("request") }
        return try await onRequest(request)
    }

    mutating func clientIdentified(_ call: HookCall) async throws -> HookVerdict {
        told.change { $0.append("client") }
        return try await onCall(call)
    }

    mutating func headReceived(_ head: HookHead) async throws {
        told.change { $0.append("head") }
        try await onHead(head)
    }

    mutating func eventReceived(_ event: HookEvent) async throws {
        events += 1
        told.change { $0.append("event \(events): \(event.data)") }
        try await onEvent(event)
    }

    mutating func settled(_ event: UsageEvent) async throws {
        told.change { $0.append("settled \(event.status)") }
        settlements.change { $0.append(event) }
        try await onSettled(event)
    }
}

extension ScriptedUpstream {
    /// Answers every request with a stream of these events.
    static func streaming(_ events: [String]) throws -> ScriptedUpstream {
        let body = events.map { "data: \($0)\n\n" }.joined()
        return try answering(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
        )
    }
}
