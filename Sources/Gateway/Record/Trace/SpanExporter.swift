internal import DequeModule
internal import Logging
internal import NIOCore
internal import Transport

/// Sends the spans of one event loop to a collector by OTLP over HTTP, in the background. Confined to its event loop.
final class SpanExporter {
    private let origin: Origin
    private let service: String
    private let instance: String
    private let logger: Logger
    private let timer: DeadlineTimer
    private var machine = SpanExportStateMachine()
    private var queue = Deque<[UInt8]>()
    private var transfer: DocumentTransfer?
    private var whenDrained: (() -> Void)?
    /// One line for the log until it works again.
    private var hasComplained = false

    private static let timeouts = TransferTimeouts(
        connect: .seconds(5),
        firstByte: .seconds(10),
        idle: .seconds(5),
        total: .seconds(10)
    )
    /// Bytes of an answer that are read: a partial success, or a reason.
    private static let mostAnswer = 64 << 10

    /// - Parameter collector: its URL without a path.
    init(
        collector: EndpointURL,
        caFile: String?,
        service: String,
        instance: String,
        transfers: TransferLoop,
        logger: Logger
    ) {
        var configuration = OriginConfiguration(base: collector.description, timeouts: Self.timeouts)
        configuration.maxConnections = 1
        configuration.caFile = caFile
        origin = Origin(loop: transfers, configuration: configuration)
        self.service = service
        self.instance = instance
        self.logger = logger
        timer = DeadlineTimer(eventLoop: transfers.eventLoop)
        timer.attach(self)
    }

    deinit { timer.stop() }

    var counts: TraceCounts {
        TraceCounts(
            exported: machine.exported,
            dropped: machine.dropped,
            failures: machine.failures,
            waiting: machine.waiting
        )
    }

    func export(_ spans: [[UInt8]]) {
        for span in spans where machine.takes(bytes: span.count) { queue.append(span) }
        perform(machine.added(now: .now()))
    }

    // MARK: the end

    /// Sends what waits; `whenDrained` is called when it is away, or after `limit`.
    func drain(limit: TimeAmount, whenDrained: @escaping () -> Void) {
        self.whenDrained = whenDrained
        timer.stop()
        perform(machine.drain())
        if self.whenDrained != nil { timer.set(.now() + limit) }
    }

    func stop() {
        timer.stop()
        transfer?.cancel()
        transfer = nil
        machine.giveUp()
        queue.removeAll()
        finish()
    }

    private func finish() {
        guard let whenDrained else { return }
        self.whenDrained = nil
        timer.stop()
        whenDrained()
    }

    // MARK: sending

    private func perform(_ action: SpanExportStateMachine.Action) {
        switch action {
        case .none: break
        case .wait: if let deadline = machine.deadline { timer.set(deadline) }
        case .send(let count): send(count)
        case .finish: finish()
        }
    }

    private func send(_ count: Int) {
        let spans = queue.prefix(count)
        let bytes = spans.reduce(0) { $0 + $1.count }
        let encoded = SpanEncoder.request(spans, service: service, instance: instance)
        let body = BodyStorage(expected: encoded.count)
        encoded.withUnsafeBytes { body.append($0) }
        let headers = HeaderArena()
        headers.add("Content-Type", "application/x-protobuf")
        headers.add(line: "Accept:")
        headers.add(line: "User-Agent:")
        headers.add(line: "Expect:")
        transfer = DocumentTransfer.start(
            TransferRequest(method: "POST", target: "/v1/traces", headers: headers, body: .memory(body)),
            at: origin,
            maxBytes: Self.mostAnswer
        ) { result in
            self.transfer = nil
            self.answered(result, bytes: bytes)
        }
    }

    private func answered(_ result: Result<Document, DocumentError>, bytes: Int) {
        let outcome = SpanExportStateMachine.Outcome(result)
        complain(of: outcome, result)
        let (action, done) = machine.ended(outcome, bytes: bytes, now: .now(), chance: .random(in: 0..<1))
        queue.removeFirst(done)
        perform(action)
    }

    private func complain(of outcome: SpanExportStateMachine.Outcome, _ result: Result<Document, DocumentError>) {
        guard outcome != .taken else {
            hasComplained = false
            return
        }
        if hasComplained { return }
        hasComplained = true
        let reason =
            switch result {
            case .success(let document): "status \(document.status)"
            case .failure(let error): error.reason
            }
        logger.warning("spans are not taken", metadata: ["reason": "\(reason)"])
    }
}

extension SpanExporter: DeadlineHandler {
    func deadlineReached(_ timer: DeadlineTimer) {
        if machine.isDraining { stop() } else { perform(machine.timeReached(now: .now())) }
    }
}

extension SpanExportStateMachine.Outcome {
    /// OTLP: 200 is taken, these four are worth another attempt, everything else is not
    /// (opentelemetry.io, "OTLP specification", "Failures").
    init(_ result: Result<Document, DocumentError>) {
        switch result {
        case .success(let document):
            switch document.status {
            case 200..<300: self = .taken
            case 429, 502, 503, 504: self = .refusedForNow(retryAfter: document.retryAfterSeconds)
            default: self = .refused
            }
        case .failure(.transfer): self = .refusedForNow(retryAfter: nil)
        case .failure(.tooLarge): self = .taken
        }
    }
}

/// What became of spans.
struct TraceCounts: Sendable, Equatable {
    var exported = 0
    var dropped = 0
    var failures = 0
    var waiting = 0

    mutating func add(_ other: Self) {
        exported += other.exported
        dropped += other.dropped
        failures += other.failures
        waiting += other.waiting
    }
}
