import NIOCore
import NIOPosix
import TestSupport

@testable import Transport

/// Event loops with libcurl on them: the engine as a process has it.
final class Engine: Sendable {
    let loops: [TransferLoop]
    private let group: MultiThreadedEventLoopGroup
    private let clients = Mutex<[Client]>([])

    init(loops count: Int = 1, maxConnections: Int = 64) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        var loops: [TransferLoop] = []
        for eventLoop in group.makeIterator() {
            loops.append(
                try await eventLoop.submit {
                    try TransferLoop(eventLoop: eventLoop, maxConnections: maxConnections)
                }.get()
            )
        }
        self.group = group
        self.loops = loops
    }

    /// One server as one of the loops sees it.
    func client(
        _ base: String,
        loop: Int = 0,
        timeouts: TransferTimeouts = .generous,
        _ adjust: (inout OriginConfiguration) -> Void = { _ in }
    ) -> Client {
        var configuration = OriginConfiguration(base: base, timeouts: timeouts)
        adjust(&configuration)
        let client = Client(loop: loops[loop], configuration: configuration)
        clients.withLock { $0.append(client) }
        return client
    }

    /// Ends what a failed test has left, then everything in the order that a process does it.
    func shutdown() async throws {
        for client in clients.withLock({ $0 }) { try await client.close() }
        for loop in loops { try await loop.eventLoop.submit { loop.shutdown() }.get() }
        try await group.shutdownGracefully()
    }
}

/// Runs a test with an engine and shuts it down, whatever happens.
func withEngine(loops: Int = 1, _ body: (Engine) async throws -> Void) async throws {
    let engine = try await Engine(loops: loops)
    do {
        try await body(engine)
    } catch {
        try? await engine.shutdown()
        throw error
    }
    try await engine.shutdown()
}

extension TransferTimeouts {
    /// Far longer than any test: what ends a transfer is something else.
    static let generous = TransferTimeouts(
        connect: .seconds(20),
        firstByte: .seconds(30),
        idle: .seconds(30),
        total: .seconds(60)
    )

    static func short(
        connect: TimeAmount = .seconds(20),
        firstByte: TimeAmount = .seconds(30),
        idle: TimeAmount = .seconds(30),
        total: TimeAmount = .seconds(60)
    ) -> Self {
        Self(connect: connect, firstByte: firstByte, idle: idle, total: total)
    }
}

/// An origin, used from outside its event loop.
final class Client: @unchecked Sendable {  // origin and probes are touched on the event loop only
    let loop: TransferLoop
    private var origin: Origin?
    let isHTTP2: Bool
    private var probes: [Probe] = []

    fileprivate init(loop: TransferLoop, configuration: OriginConfiguration) {
        self.loop = loop
        isHTTP2 = configuration.http2
        origin = Origin(loop: loop, configuration: configuration)
    }

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (Origin) throws -> Result) async throws -> Result {
        try await loop.eventLoop.submit { try body(self.origin!) }.get()
    }

    /// Starts a request and returns at once; `probe` tells how it goes.
    @discardableResult
    func start(
        _ method: String = "GET",
        _ target: String = "/",
        headers: [(String, String)] = [],
        body: TestBody = .none,
        _ probe: Probe = Probe()
    ) async throws -> Probe {
        try await onLoop { _ in self.startOnLoop(method, target, headers: headers, body: body, probe) }
        return probe
    }

    /// The same from the event loop, such as from an observer's callback.
    func startOnLoop(
        _ method: String = "GET",
        _ target: String = "/",
        headers: [(String, String)] = [],
        body: TestBody = .none,
        _ probe: Probe
    ) {
        let arena = HeaderArena()
        arena.add(line: "Accept:")
        arena.add(line: "User-Agent:")
        arena.add(line: "Expect:")
        if case .none = body {
        } else if !headers.contains(where: { $0.0.lowercased() == "content-type" }) {
            arena.add(line: "Content-Type:")
        }
        for (name, value) in headers { arena.add(name, value) }
        let request = TransferRequest(method: method, target: target, headers: arena, body: body.asRequestBody)
        probes.append(probe)
        probe.transfer = origin!.start(request, observer: probe)
        probe.started()
    }

    /// Starts a request and waits for its end.
    @discardableResult
    func send(
        _ method: String = "GET",
        _ target: String = "/",
        headers: [(String, String)] = [],
        body: TestBody = .none,
        _ probe: Probe = Probe()
    ) async throws -> Probe.Record {
        try await start(method, target, headers: headers, body: body, probe)
        return try await probe.end()
    }

    func running() async throws -> Int { try await onLoop { $0.running } }
    func waiting() async throws -> Int { try await onLoop { $0.waitingCount } }

    fileprivate func close() async throws {
        try await loop.eventLoop.submit {
            for probe in self.probes { probe.transfer?.cancel() }
            self.probes = []
        }.get()
        try await eventually("every transfer of a client ends") {
            try await loop.eventLoop.submit { (self.origin?.running ?? 0) + (self.origin?.waitingCount ?? 0) == 0 }
                .get()
        }
        try await loop.eventLoop.submit { self.origin = nil }.get()
    }
}

/// A request body that can cross threads.
enum TestBody: Sendable {
    case none
    case memory([UInt8])
    case stream(length: Int?)

    static func text(_ text: String) -> Self { .memory(Array(text.utf8)) }

    fileprivate var asRequestBody: TransferRequest.Body {
        switch self {
        case .none: return .none
        case .stream(let length): return .stream(length: length)
        case .memory(let bytes):
            let storage = BodyStorage()
            bytes.withUnsafeBytes { storage.append($0) }
            return .memory(storage)
        }
    }
}
