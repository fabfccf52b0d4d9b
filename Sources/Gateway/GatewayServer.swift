package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle
internal import Transport

/// The running gateway: listeners, workers, and the order in which it comes up and goes down.
package final class GatewayServer: Service {
    /// Where it listens, with the ports that were really taken.
    package struct Addresses: Sendable {
        package let data: ListenAddress
        package let admin: ListenAddress
    }

    private let configuration: GatewayConfiguration
    private let logger: Logger
    private let logWriter: LogWriter
    private let environment: [String: String]
    private let onListening: @Sendable (Addresses) -> Void
    private let reading: ConfigurationReading
    private let version: String
    private let hooks: HookSet?
    private let asked: AsyncStream<Void>
    private let asking: AsyncStream<Void>.Continuation

    /// How long the last bytes may take on their way out once all exchanges have ended.
    private static let flushTime = Duration.seconds(2)

    /// - Parameters:
    ///   - configuration: what it starts with.
    ///   - reading: where that came from, and where a changed one is.
    ///   - version: as operators are told it.
    ///   - environment: the process's, in which Azure says where an identity's tokens are.
    ///   - hooks: what this build adds to exchanges, in the order in which they are asked; each has a name of its own.
    ///   - onListening: called once, when both listeners accept.
    package init(
        configuration: GatewayConfiguration,
        reading: ConfigurationReading,
        version: String,
        environment: [String: String],
        hooks: [any ExchangeHook] = [],
        logger: Logger,
        logWriter: LogWriter,
        onListening: @escaping @Sendable (Addresses) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.environment = environment
        self.logger = logger
        self.logWriter = logWriter
        self.onListening = onListening
        self.reading = reading
        self.version = version
        self.hooks = hooks.isEmpty ? nil : HookSet(hooks, logger: logger)
        (asked, asking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Has the configuration read again, though nothing may have changed.
    package func reload() { asking.yield() }

    /// Serves until a graceful shutdown is asked for, then drains. Errors: an address that cannot be listened on, TLS files
    /// that cannot be used.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.server.threads ?? System.coreCount)
        let adminGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)  // probes are answered under any load
        let outcome: Result<Void, any Error>
        do {
            let fleet = try await makeWorkers(group, MockUpstream(group: adminGroup).standIn(for: configuration))
            do {
                try await serve(fleet, group: group, adminGroup: adminGroup)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            await hooks?.drain()
            await fleet.shutdown()
            await fleet.books?.shutdown()
        } catch {
            outcome = .failure(error)
        }
        try await stop(group, adminGroup)
        try outcome.get()
    }

    private func stop(
        _ group: MultiThreadedEventLoopGroup,
        _ adminGroup: MultiThreadedEventLoopGroup
    ) async throws {
        try await group.shutdownGracefully()
        try await adminGroup.shutdownGracefully()
        try await logWriter.shutdown()
    }

    // MARK: up

    private func makeWorkers(
        _ group: MultiThreadedEventLoopGroup,
        _ configuration: GatewayConfiguration
    ) async throws -> Fleet {
        let loops = Array(group.makeIterator())
        let snapshot = try Snapshot(configuration, loops: loops.count, environment: environment)
        let gate = Gate(limit: configuration.server.maxInFlight)
        let processID = UInt64.random(in: .min ... .max)
        let coordinating = try Coordinating(
            configuration.coordination,
            instance: UInt32(truncatingIfNeeded: processID),
            environment: environment,
            logger: logger
        )
        let books = try await UsageBooks.make(
            configuration,
            logWriter: logWriter,
            environment: environment,
            logger: logger
        )
        var workers: [Worker] = []
        for (number, loop) in loops.enumerated() {
            let writer = logWriter
            workers.append(
                try await loop.submit {
                    try Worker(
                        number: number,
                        eventLoop: loop,
                        snapshot: snapshot,
                        gate: gate,
                        coordinator: coordinating.coordinator(on: loop),
                        leases: coordinating.leases,
                        owners: coordinating.owners,
                        logWriter: writer,
                        spool: books?.spool,
                        processID: processID
                    )
                }.get()
            )
        }
        let keepers = try await Self.makeKeepers(workers, snapshot, coordinating, logger: logger)
        let (logger, hooks) = (logger, hooks)
        for worker in workers {
            try await worker.eventLoop.submit {
                worker.startTracing(logger: logger)
                worker.hooks = hooks
            }.get()
        }
        return Fleet(
            workers: workers,
            gate: gate,
            current: CurrentSnapshot(snapshot),
            coordinating: coordinating,
            keepers: keepers,
            books: books,
            hooks: hooks
        )
    }

    /// Begins to fetch keys and tokens, on the first worker's event loop, and shows them to all.
    private static func makeKeepers(
        _ workers: [Worker],
        _ snapshot: Snapshot,
        _ coordinating: Coordinating,
        logger: Logger
    ) async throws -> Keepers {
        let first = workers[0]
        let (keepers, kept) = try await first.eventLoop.submit {
            let keepers = Keepers(transfers: first.transfers, shared: coordinating.sharedKeys, logger: logger)
            keepers.keepRedisToken(of: coordinating)
            return (keepers, keepers.adopt(snapshot))
        }.get()
        for worker in workers {
            try await worker.eventLoop.submit {
                worker.access.adopt(snapshot, kept, on: worker.eventLoop)
            }.get()
        }
        return keepers
    }

    private func serve(
        _ fleet: Fleet,
        group: MultiThreadedEventLoopGroup,
        adminGroup: MultiThreadedEventLoopGroup
    ) async throws {
        let credentials = try configuration.tls.map(credentials)
        let data = try await listen(on: configuration.listen, name: "listen") {
            try await dataBootstrap(group, fleet: fleet, credentials: credentials).bind(to: $0).get()
        }
        let admin = try await listen(on: configuration.admin, name: "admin") {
            try await AdminServer(fleet: fleet, logWriter: logWriter).bootstrap(adminGroup).bind(to: $0).get()
        }
        let addresses = Addresses(data: Self.address(of: data), admin: Self.address(of: admin))
        logger.notice(
            "listening",
            metadata: [
                "data": "\(addresses.data)", "admin": "\(addresses.admin)", "tls": "\(credentials != nil)",
                "loops": "\(fleet.workers.count)",
            ]
        )
        if let hooks { logger.notice("with hooks", metadata: ["names": "\(hooks.names)"]) }
        onListening(addresses)
        await withTaskGroup(of: Void.self) { tasks in
            if let credentials { tasks.addTask { await credentials.run() } }
            let reloader = Reloader(fleet: fleet, reading: reading, environment: environment, logger: logger)
            let asked = asked
            tasks.addTask { await reloader.run(asked: asked) }
            let proof = FleetProof(fleet: fleet, version: version, logger: logger)
            if configuration.coordination != nil { tasks.addTask { await proof.run() } }
            await Self.untilGracefulShutdown()
            await drain(fleet, listener: data)
            tasks.cancelAll()
        }
        try await admin.close()
    }

    private func credentials(_ files: GatewayConfiguration.TLSFiles) throws -> TLSCredentials {
        do {
            return try TLSCredentials(files, logger: logger)
        } catch {
            throw StartError("cannot use \(files.certificate) with \(files.key) (configuration key 'tls'): \(error)")
        }
    }

    private func listen(
        on address: ListenAddress,
        name: String,
        _ bind: (SocketAddress) async throws -> any Channel
    ) async throws -> any Channel {
        do {
            return try await bind(SocketAddress.makeAddressResolvingHost(address.host, port: address.port))
        } catch {
            throw StartError("cannot listen on \(address) (configuration key '\(name)'): \(error)")
        }
    }

    private func dataBootstrap(
        _ group: MultiThreadedEventLoopGroup,
        fleet: Fleet,
        credentials: TLSCredentials?
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let credentials { try pipeline.addHandler(NIOSSLServerHandler(context: credentials.context)) }
                    guard let worker = fleet.worker(on: channel.eventLoop) else { throw ChannelError.eof }
                    let connection = DownstreamConnection(worker: worker, isPlain: credentials == nil)
                    let limits = worker.snapshot.limits
                    var decoding = NIOHTTPDecoderLimitConfiguration()
                    decoding.maxHeaderFieldSize = limits.headerBytes
                    decoding.maxHeaderListSize = limits.headerBytes + limits.targetBytes
                    decoding.maxHeaderFieldCount = limits.headerCount
                    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoding)
                    try pipeline.addHandlers([RequestBytes(connection), ByteToMessageHandler(decoder), connection])
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: DownstreamConnection.writeBuffer)
            .childChannelOption(.maxMessagesPerRead, value: 4)
    }

    private static func address(of channel: any Channel) -> ListenAddress {
        ListenAddress(host: channel.localAddress?.ipAddress ?? "", port: channel.localAddress?.port ?? 0)
    }

    // MARK: down

    /// Returns when a graceful shutdown is asked for, or this task is cancelled.
    private static func untilGracefulShutdown() async { try? await gracefulShutdown() }

    private func drain(_ fleet: Fleet, listener: any Channel) async {
        let drain = fleet.snapshot.configuration.server.drain
        fleet.gate.phase = .lameDuck
        logger.notice("shutting down: not ready", metadata: ["lame_duck": "\(drain.lameDuck)"])
        await fleet.onEachLoop { $0.announceDrain() }
        // Load balancers learn of it by their probes; until they have, requests still come and are served.
        try? await Task.sleep(for: drain.lameDuck)
        fleet.gate.phase = .draining
        try? await listener.close()
        await fleet.onEachLoop { $0.drain() }
        logger.notice(
            "shutting down: draining",
            metadata: ["in_flight": "\(fleet.gate.inFlight.count)", "grace": "\(drain.grace)"]
        )
        if await !fleet.gate.inFlight.waitUntilZero(limit: drain.grace) {
            logger.warning("grace is over: ending what runs", metadata: ["in_flight": "\(fleet.gate.inFlight.count)"])
            await fleet.onEachLoop { $0.endExchanges() }
        }
        if await !fleet.gate.connections.waitUntilZero(limit: Self.flushTime) {
            logger.warning("closing connections", metadata: ["open": "\(fleet.gate.connections.count)"])
        }
        async let spans: Void = fleet.drainSpans()
        await fleet.coordinating.drain()
        await spans
    }
}

/// The workers of this process, and what they share.
struct Fleet: Sendable {
    let workers: [Worker]
    let gate: Gate
    /// What is in force now; each worker has its own reference.
    let current: CurrentSnapshot
    let coordinating: Coordinating
    let keepers: Keepers
    /// `nil` where nobody wants usage events.
    let books: UsageBooks?
    /// `nil` in a build without.
    let hooks: HookSet?
    let start = NIODeadline.now()

    var snapshot: Snapshot { pinned ?? current.snapshot }
    fileprivate var pinned: Snapshot?

    func worker(on eventLoop: any EventLoop) -> Worker? { workers.first { $0.eventLoop === eventLoop } }

    func onEachLoop<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async -> [Result] {
        var results: [Result] = []
        for worker in workers {
            // A loop refuses work only after its shutdown, when there is nothing left to ask.
            if let result = try? await worker.eventLoop.submit({ body(worker) }).get() { results.append(result) }
        }
        return results
    }

    func shutdown() async {
        let keepers = keepers
        _ = try? await keepers.eventLoop.submit { keepers.stop() }.get()
        _ = await onEachLoop { $0.shutdown() }
    }
}

extension Fleet {
    /// The same with the configuration as it is now, for a page that is made from one.
    func withConfigurationOfNow() -> Self {
        var pinned = self
        pinned.pinned = current.snapshot
        return pinned
    }

    fileprivate func onEachLoop(_ body: @escaping @Sendable (Worker) -> Void) async {
        let _: [Void] = await onEachLoop(body)
    }
}

/// Why the gateway did not come up, in a sentence for the operator.
package struct StartError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
