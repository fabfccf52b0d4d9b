internal import NIOCore
internal import Synchronization

/// One line per exchange, gathered by the event loop and written by `LogWriter`'s thread. Confined to its loop.
final class AccessLog {
    private let writer: LogWriter
    private let isOn: Bool
    private let level: GatewayConfiguration.Log.AccessLevel
    private var sampler: RatioSampler
    private let eventLoop: any EventLoop
    private var lines: LogLines
    private var flushIsScheduled = false
    private var clock = WallClock()
    private var offset = WallOffset()

    /// Lines wait no longer than this, and no more bytes than `maxPending`.
    private static let maxDelay = TimeAmount.milliseconds(100)
    private static let maxPending = 64 * 1024

    init(_ log: GatewayConfiguration.Log, writer: LogWriter, eventLoop: any EventLoop) {
        self.writer = writer
        lines = LogLines(format: log.format, capacity: Self.maxPending + 4096)
        isOn = log.access
        level = log.accessLevel
        sampler = RatioSampler(ratio: log.accessSamplingRatio, seed: .random(in: .min ... .max))
        self.eventLoop = eventLoop
    }

    func write(_ record: borrowing ExchangeRecord, endpointName: String?) {
        guard isOn, has(line: record.status) else { return }
        lines.begin()
        lines.addTime(clock.time(offset.nanoseconds(at: record.end)))
        lines.add("level", raw: Self.level(record.status).rawValue)
        lines.add("message", raw: "exchange")
        lines.add("id", hexadecimal: record.id.value)
        lines.add("status", record.status)
        lines.add("method", text: record.method)
        lines.add("path", text: record.path)
        if let address = record.address { lines.add("client_address", address) }
        if let client = record.clientName { lines.add("client", raw: client) }
        if let identity = record.identity {
            if let application = identity.application { lines.add("azp", application) }
            if let principal = identity.objectID { lines.add("oid", principal) }
            if identity.tokenID != TokenID() { lines.add("uti", raw: identity.tokenID.description) }
        }
        if let model = record.modelName { lines.add("model", text: model) }
        if let endpointName { lines.add("endpoint", raw: endpointName) }
        if let deployment = record.deployment { lines.add("deployment", text: deployment) }
        if let error = record.error {
            lines.add("error", raw: error.code)
            lines.add("error_source", raw: error.source.rawValue)
            if let reason = error.reason { lines.add("error_reason", raw: reason) }
        }
        lines.add("stream", record.isStream)
        lines.add("attempts", record.attempts)
        if let shadow = record.shadow.client {
            lines.add("shadow_limit", raw: shadow.kind.name)
            lines.add("shadow_scope", raw: shadow.isOfModel ? "model" : "client")
        }
        if let kind = record.shadow.deployment { lines.add("shadow_deployment_limit", raw: kind.name) }
        if record.usage.total > 0 {
            lines.add("input_tokens", record.usage.input)
            lines.add("output_tokens", record.usage.output)
            if record.usage.cached > 0 { lines.add("cached_tokens", record.usage.cached) }
            if record.usage.isEstimated { lines.add("tokens_estimated", true) }
        }
        lines.add("request_bytes", record.requestBytes)
        lines.add("response_bytes", record.responseBytes)
        if let first = record.firstByte { lines.add("first_byte_us", Int((first - record.start).nanoseconds / 1000)) }
        lines.add("duration_us", Int((record.end - record.start).nanoseconds / 1000))
        if let id = record.upstreamRequestID { lines.add("upstream_request_id", text: id) }
        if let reference = record.frontDoorReference { lines.add("front_door_ref", text: reference) }
        if let trace = record.trace { lines.add("trace_id", raw: trace.description) }
        lines.end()
        if lines.count >= Self.maxPending { flush() } else { scheduleFlush() }
    }

    private func has(line status: Int) -> Bool {
        switch Self.level(status) {
        case .info: level == .info && sampler.draws()
        case .warning: level != .error
        case .error: true
        }
    }

    static func level(_ status: Int) -> GatewayConfiguration.Log.AccessLevel {
        status < 400 ? .info : status < 500 ? .warning : .error
    }

    func flush() {
        guard lines.count > 0 else { return }
        writer.write(lines.take())
        offset.forget()
    }

    private func scheduleFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.maxDelay) {
            self.flushIsScheduled = false
            self.flush()
        }
    }
}
