internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Transport

/// Health, metrics and status for operators, on a listener and an event loop of their own.
struct AdminServer: Sendable {
    let fleet: Fleet
    let logWriter: LogWriter

    func bootstrap(_ group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(AdminHandler(admin: self))
                }
            }
    }

    enum Answer: Sendable {
        case text(Int, String)
        case json(String)
        case metrics(String)
    }

    /// What a path answers. Only `/metrics` and `/status` ask the workers.
    func answer(to path: String) async -> Answer {
        switch path {
        case "/health/live":
            return .text(200, "live\n")
        case "/health/ready":
            return fleet.gate.phase == .serving ? .text(200, "ready\n") : .text(503, "shutting down\n")
        case "/metrics":
            let (shards, seen, routing) = (await shards(), await seen(), await routing())
            let fleet = fleet.withConfigurationOfNow()
            return .metrics(
                MetricsPage(
                    totals: Self.total(shards, fleet.snapshot.roster),
                    routing: routing,
                    fleet: fleet,
                    droppedLogBytes: logWriter.droppedBytes,
                    seen: seen
                ).text
            )
        case "/status":
            let (shards, origins, routing) = (await shards(), await origins(), await routing())
            let fleet = fleet.withConfigurationOfNow()
            return .json(
                StatusPage(
                    totals: Self.total(shards, fleet.snapshot.roster),
                    origins: origins,
                    routing: routing,
                    reports: await fleet.coordinating.report(fleet.snapshot.candidates),
                    fleet: fleet
                ).json
            )
        default:
            return .text(404, "known paths: /health/live /health/ready /metrics /status\n")
        }
    }

    private func shards() async -> [MetricsShard] { await fleet.onEachLoop { $0.metrics } }

    /// - Parameter roster: looked at when all was gathered, so that no worker is ahead of it.
    private static func total(_ shards: [MetricsShard], _ roster: Roster) -> MetricsShard {
        var total = MetricsShard(
            clients: roster.clients.count,
            models: roster.models.count,
            endpoints: roster.endpoints.count
        )
        for shard in shards { total.add(shard) }
        return total
    }

    /// As the first event loop knows it; the others know the same.
    private func access() async -> Access.Report {
        guard let worker = fleet.workers.first,
            let report = try? await worker.eventLoop.submit({ worker.access.report }).get()
        else { return Access.Report() }
        return report
    }

    private func routing() async -> RoutingReport? {
        var reports = await fleet.onEachLoop { RoutingReport($0) }[...]
        guard var total = reports.popFirst() else { return nil }
        for report in reports { total.add(report) }
        return total
    }

    private func seen() async -> MetricsPage.Seen {
        var seen = MetricsPage.Seen(redis: await fleet.coordinating.latencies())
        seen.access = await access()
        for cooling in await fleet.onEachLoop({ $0.cooling() }) { seen.cooling.merge(cooling, uniquingKeysWith: max) }
        for counts in await fleet.onEachLoop({ $0.tracer?.exporter.counts ?? TraceCounts() }) {
            seen.traces.add(counts)
        }
        return seen
    }

    /// Running and waiting transfers by the endpoints' numbers.
    private func origins() async -> [(running: Int, waiting: Int)] {
        let workers = await fleet.onEachLoop { worker in
            worker.edition.origins.map { [$0?.running ?? 0, $0?.waitingCount ?? 0] }
        }
        let count = workers.reduce(0) { max($0, $1.count) }
        var totals = [(running: Int, waiting: Int)](repeating: (0, 0), count: count)
        for worker in workers {
            for (index, counts) in worker.enumerated() {
                totals[index].running += counts[0]
                totals[index].waiting += counts[1]
            }
        }
        return totals
    }
}

/// One admin connection: GET and HEAD without a body.
private final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let admin: AdminServer
    private var head: HTTPRequestHead?

    init(admin: AdminServer) { self.admin = admin }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
        guard head.method == .GET || head.method == .HEAD else {
            return Self.write(.text(405, "only GET and HEAD\n"), head, context.channel)
        }
        Self.answer(head, admin, context.channel)
    }

    private static func answer(_ head: HTTPRequestHead, _ admin: AdminServer, _ channel: any Channel) {
        let path = String(head.uri.prefix { $0 != "?" })
        Task {
            let answer = await admin.answer(to: path)
            write(answer, head, channel)
        }
    }

    private static func write(_ answer: AdminServer.Answer, _ head: HTTPRequestHead, _ channel: any Channel) {
        let (status, type, text) =
            switch answer {
            case .text(let status, let text): (status, "text/plain; charset=utf-8", text)
            case .json(let text): (200, "application/json", text)
            case .metrics(let text): (200, "text/plain; version=0.0.4; charset=utf-8", text)
            }
        var headers = HTTPHeaders([
            ("content-type", type), ("content-length", "\(text.utf8.count)"), ("cache-control", "no-store"),
        ])
        if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
        let responseHead = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        let isHead = head.method == .HEAD
        let closes = !head.isKeepAlive
        channel.eventLoop.execute {
            channel.write(HTTPServerResponsePart.head(responseHead), promise: nil)
            if !isHead {
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
            }
            let end = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
            if closes { end.whenComplete { _ in channel.close(promise: nil) } }
        }
    }
}
