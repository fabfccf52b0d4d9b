internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Transport

/// The usage events of this process, from the event loops to every configured sink.
final class UsageBooks: Sendable {
    let spool: UsageSpool
    let sinks: [SinkRunner]
    private let cloud: CloudSinks?
    private let logger: Logger

    /// Milliseconds that sinks get at the end to take what is in the spool; the rest is there for the next process.
    private static let drainTime = 1000

    /// What PowerProxy calls a sink's kind, and a word that tells apart two of a kind, by their folders.
    private static func name(of sink: GatewayConfiguration.UsageSink) -> String {
        switch sink {
        case .console: "console"
        case .csv(let directory, .powerProxy): "csv-\(tag(directory))"
        case .csv(let directory, .extended): "csv-extended-\(tag(directory))"
        case .jsonl(let directory): "jsonl-\(tag(directory))"
        case .logAnalytics(let table): "log-analytics-\(tag("\(table.endpoint) \(table.rule) \(table.stream)"))"
        }
    }

    private static func tag(_ text: String) -> String {
        String(SpoolBlock.checksum(Array(text.utf8)), radix: 16)
    }

    /// `nil` where the configuration names no sink.
    ///
    /// - Throws: `StartError` if there is no place for the spool.
    static func make(
        _ configuration: GatewayConfiguration,
        logWriter: LogWriter,
        environment: [String: String],
        logger: Logger
    ) async throws -> UsageBooks? {
        guard !configuration.sinks.isEmpty else { return nil }
        let place = configuration.spoolDirectory
        let folder: SpoolFolder
        do throws(SystemFailure) {
            folder = try SpoolFolder(in: place)
        } catch {
            throw StartError("cannot keep usage events in \(place) (configuration key 'usage.spool'): \(error)")
        }
        let cloud = try await CloudSinks.make(configuration.sinks, environment: environment, logger: logger)
        return UsageBooks(configuration.sinks, folder: folder, cloud: cloud, logWriter: logWriter, logger: logger)
    }

    private init(
        _ configured: [GatewayConfiguration.UsageSink],
        folder: SpoolFolder,
        cloud: CloudSinks?,
        logWriter: LogWriter,
        logger: Logger
    ) {
        self.cloud = cloud
        self.logger = logger
        var names: [String] = []
        for sink in configured {
            let name = Self.name(of: sink)
            let same = names.count { $0 == name || $0.hasPrefix("\(name)_") }
            names.append(same == 0 ? name : "\(name)_\(same + 1)")
        }
        let cursors = names.map { SpoolCursor(reading: folder.path(ofCursor: $0)) }
        let spool = UsageSpool(folder: folder, delivered: cursors.map { $0?.position }, logger: logger)
        self.spool = spool
        sinks = configured.enumerated().map { index, sink in
            let ingestion = cloud?.ingestions[index]
            return SinkRunner(name: names[index], spool: spool, sink: index, logger: logger) { mark in
                switch sink {
                case .console:
                    ConsoleSink(writer: logWriter)
                case .csv(let directory, .powerProxy):
                    FileSink(folder: directory, format: .powerProxyCSV, writer: folder.name, mark: mark)
                case .csv(let directory, .extended):
                    FileSink(folder: directory, format: .csv, writer: folder.name, mark: mark)
                case .jsonl(let directory):
                    FileSink(folder: directory, format: .jsonl, writer: folder.name, mark: mark)
                case .logAnalytics:
                    LogAnalyticsSink(Self.present(ingestion))
                }
            }
        }
        spool.start()
        for (sink, cursor) in zip(sinks, cursors) { sink.start(mark: cursor?.mark ?? "") }
    }

    private static func present(_ ingestion: LogIngestion?) -> LogIngestion {
        guard let ingestion else { preconditionFailure("a sink of Log Analytics has its calls") }
        return ingestion
    }

    /// Writes what the event loops have left, and lets the sinks take it for a second. To be called when nothing is recorded any
    /// more.
    func shutdown() async {
        let spool = spool
        await withCheckedContinuation { continuation in
            BackgroundThread.start {
                spool.end(milliseconds: Self.drainTime)
                continuation.resume()
            }
        }
        do {
            try await cloud?.shutdown()
        } catch {
            logger.error("event loop of usage sinks not ended", metadata: ["cause": "\(error)"])
        }
    }
}

/// What the sinks in the cloud share: an event loop of their own, so that a slow name server or token service is nobody else's.
final class CloudSinks: Sendable {
    /// By the sink's place in the configuration.
    let ingestions: [Int: LogIngestion]
    private let group: MultiThreadedEventLoopGroup
    private let keepers: [CredentialKeeper]
    private let transfers: TransferLoop

    /// `nil` where no sink needs it.
    static func make(
        _ sinks: [GatewayConfiguration.UsageSink],
        environment: [String: String],
        logger: Logger
    ) async throws -> CloudSinks? {
        var tables: [(Int, GatewayConfiguration.LogAnalytics, CredentialSource)] = []
        for (index, sink) in sinks.enumerated() {
            guard case .logAnalytics(let table) = sink else { continue }
            guard let source = CredentialSource(table.identity, environment: environment) else {
                throw StartError(
                    "the environment lacks what a workload identity needs (configuration key 'usage.sinks')"
                )
            }
            tables.append((index, table, source))
        }
        guard !tables.isEmpty else { return nil }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let found = tables
        return try await loop.submit {
            let transfers = try TransferLoop(eventLoop: loop, maxConnections: 2 * found.count)
            var ingestions: [Int: LogIngestion] = [:]
            var keepers: [CredentialKeeper] = []
            for (index, table, source) in found {
                let settings = CredentialKeeper.Settings(
                    source: source,
                    resource: LogIngestion.audience(ofHost: table.endpoint.host)
                )
                let keeper = CredentialKeeper(settings, transfers: transfers, logger: logger)
                let view = CredentialView()
                keeper.show(view, on: loop)
                keeper.start()
                keepers.append(keeper)
                ingestions[index] = LogIngestion(table, transfers: transfers, credential: view)
            }
            return CloudSinks(ingestions: ingestions, group: group, keepers: keepers, transfers: transfers)
        }.get()
    }

    private init(
        ingestions: [Int: LogIngestion],
        group: MultiThreadedEventLoopGroup,
        keepers: [CredentialKeeper],
        transfers: TransferLoop
    ) {
        self.ingestions = ingestions
        self.group = group
        self.keepers = keepers
        self.transfers = transfers
    }

    func shutdown() async throws {
        try await transfers.eventLoop.submit {
            for ingestion in self.ingestions.values { ingestion.stop() }
            for keeper in self.keepers { keeper.stop() }
        }.get()
        try await transfers.eventLoop.submit { self.transfers.shutdown() }.get()
        try await group.shutdownGracefully()
    }
}
