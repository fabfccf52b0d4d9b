internal import NIOCore
internal import Transport

/// A table of a Log Analytics workspace, through the Logs Ingestion API of Azure Monitor (learn.microsoft.com, "Logs Ingestion
/// API overview"): JSON arrays, compressed, 204 when they are taken.
final class LogAnalyticsSink: UsageSink {
    private let ingestion: LogIngestion

    /// Azure takes 1 MB per call, before and after compression.
    static let mostBytes = 900_000

    init(_ ingestion: LogIngestion) { self.ingestion = ingestion }

    func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress {
        var progress = SinkProgress()
        try send(events.compactMap { PowerProxyUsage($0) }[...], &progress)
        return progress
    }

    /// In as many calls as needed: what is too large goes in halves.
    private func send(_ rows: ArraySlice<PowerProxyUsage>, _ progress: inout SinkProgress) throws(SinkFailure) {
        guard !rows.isEmpty else { return }
        var body: [UInt8] = []
        for row in rows {
            body.append(body.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            row.append(toLogs: &body)
        }
        body.append(UInt8(ascii: "]"))
        if body.count <= Self.mostBytes, try post(body) { return }
        guard rows.count > 1 else {
            progress.refused += 1
            return
        }
        let middle = rows.startIndex + rows.count / 2
        try send(rows[..<middle], &progress)
        try send(rows[middle...], &progress)
    }

    /// Returns whether it was taken; it is not if it is too large.
    private func post(_ body: [UInt8]) throws(SinkFailure) -> Bool {
        guard let compressed = Gzip.compressed(body) else { throw SinkFailure(reason: "no memory") }
        switch ingestion.post(compressed) {
        case .taken: return true
        case .tooLarge: return false
        case .failed(let failure): throw failure
        }
    }
}

/// The calls of the Logs Ingestion API, made on an event loop of their own; asked for on the sink's thread, which waits.
final class LogIngestion: @unchecked Sendable {  // but for `post` confined to its event loop
    enum Answer {
        case taken
        case tooLarge
        case failed(SinkFailure)
    }

    private let eventLoop: any EventLoop
    private let origin: Origin
    private let target: String
    private let credential: CredentialView
    private var transfer: DocumentTransfer?
    private var ticket: CredentialView.Ticket?
    private var renewal: CredentialView.Ticket?

    /// Milliseconds: longer than a token and a transfer may take together.
    private static let patience = 60_000
    private static let mostAnswerBytes = 64 * 1024

    /// To be called on the loop of `transfers`.
    ///
    /// - Parameter credential: on the same loop.
    init(_ table: GatewayConfiguration.LogAnalytics, transfers: TransferLoop, credential: CredentialView) {
        eventLoop = transfers.eventLoop
        var configuration = OriginConfiguration(
            base: table.endpoint.description,
            timeouts: DocumentTransfer.timeouts
        )
        configuration.maxConnections = 1
        origin = Origin(loop: transfers, configuration: configuration)
        target = "/dataCollectionRules/\(table.rule)/streams/\(table.stream)?api-version=2023-01-01"
        self.credential = credential
    }

    /// The audience of the Logs Ingestion API in the cloud that a host is in.
    static func audience(ofHost host: String) -> String {
        for (suffix, audience) in [
            (".azure.us", "https://monitor.azure.us"), (".azure.cn", "https://monitor.azure.cn"),
        ] where host.hasSuffix(suffix) {
            return audience
        }
        return "https://monitor.azure.com"
    }

    /// Sends one gzip member. Blocks, up to a minute.
    func post(_ body: [UInt8]) -> Answer {
        let answer = Watched<Answer?>(nil)
        eventLoop.execute { self.start(body) { result in answer.change { $0 = result } } }
        return answer.wait(milliseconds: Self.patience) { $0 }
            ?? .failed(SinkFailure(reason: "no answer from the event loop"))
    }

    func stop() {
        transfer?.cancel()
        transfer = nil
        if let ticket { credential.cancel(ticket) }
        if let renewal { credential.cancelRenewal(renewal) }
    }

    private func start(_ body: [UInt8], then tell: @escaping (Answer) -> Void) {
        switch credential.current {
        case .authorization(let authorization):
            send(body, authorization, then: tell)
        case .pending:
            ticket = credential.wait { current in
                self.ticket = nil
                guard case .authorization(let authorization) = current else {
                    return tell(.failed(SinkFailure(reason: "no access token")))
                }
                self.send(body, authorization, then: tell)
            }
            if ticket == nil { tell(.failed(SinkFailure(reason: "no access token"))) }
        case .unavailable, .apiKey:
            tell(.failed(SinkFailure(reason: "no access token")))
        }
    }

    private func send(_ body: [UInt8], _ authorization: String, then tell: @escaping (Answer) -> Void) {
        let headers = HeaderArena()
        headers.add("Authorization", authorization)
        headers.add("Content-Type", "application/json")
        headers.add("Content-Encoding", "gzip")
        headers.add(line: "Accept:")
        headers.add(line: "User-Agent:")
        headers.add(line: "Expect:")
        let storage = BodyStorage(expected: body.count)
        body.withUnsafeBytes { storage.append($0) }
        transfer = DocumentTransfer.start(
            TransferRequest(method: "POST", target: target, headers: headers, body: .memory(storage)),
            at: origin,
            maxBytes: Self.mostAnswerBytes
        ) { result in
            self.transfer = nil
            tell(self.answer(result, authorization))
        }
    }

    private func answer(_ result: Result<Document, DocumentError>, _ authorization: String) -> Answer {
        switch result {
        case .failure(let error):
            return .failed(SinkFailure(reason: error.reason))
        case .success(let document):
            switch document.status {
            case 200..<300: return .taken
            case 413: return .tooLarge
            default:
                if document.status == 401 { renewal = credential.renew(authorization) { _ in self.renewal = nil } }
                return .failed(
                    SinkFailure(
                        reason: "status \(document.status)",
                        // A day would be a mistake of the server's.
                        retryAfter: document.retryAfterSeconds.map { min($0, 3600) }
                    )
                )
            }
        }
    }
}
