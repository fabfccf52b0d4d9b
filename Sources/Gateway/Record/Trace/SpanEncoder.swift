internal import NIOCore

/// Turns what was kept of an exchange into OTLP's spans (opentelemetry-proto, `trace/v1/trace.proto`), with the attributes of
/// OpenTelemetry's conventions for HTTP and generative AI. Keys, queries, prompts and answers are never among them.
struct SpanEncoder {
    private enum Kind: Int {
        case `internal` = 1
        case server = 2
        case client = 3
    }

    /// Texts that a peer chose are cut at so many bytes.
    private static let mostText = 256

    /// One encoded span each: the exchange, its admission, its attempts.
    ///
    /// - Parameter epoch: what makes a monotonic time a wall-clock time, in nanoseconds.
    func spans(_ trace: ExchangeTrace, _ record: borrowing ExchangeRecord, epoch: Int64) -> [[UInt8]] {
        var spans = [exchange(trace, record, epoch)]
        if let admission = trace.admission { spans.append(span(trace, admission, record, epoch)) }
        for (index, attempt) in trace.attempts.enumerated() {
            let isLast = index == trace.attempts.count - 1
            spans.append(span(trace, attempt, record, epoch, resends: index, isLast: isLast))
        }
        return spans
    }

    private func exchange(_ trace: ExchangeTrace, _ record: borrowing ExchangeRecord, _ epoch: Int64) -> [UInt8] {
        var span = ProtobufWriter()
        begin(&span, trace, id: trace.span, parent: trace.context.parent)
        let operation = GenerationMetrics.Operation(record.operation).name
        name(&span, operation, record.modelName)
        span.varint(6, Kind.server.rawValue)
        times(&span, record.start, record.end, epoch)
        attribute(&span, "http.request.method", record.method)
        attribute(&span, "url.path", record.path)
        attribute(&span, "http.response.status_code", record.status)
        attribute(&span, "gen_ai.operation.name", operation)
        attribute(&span, "gen_ai.provider.name", "azure.ai.openai")
        if let model = record.modelName { attribute(&span, "gen_ai.request.model", model) }
        usage(&span, record.usage)
        attribute(&span, "sluice.exchange.id", record.id.description)
        if let client = record.clientName { attribute(&span, "sluice.client", client) }
        attribute(&span, "sluice.attempts", record.attempts)
        attribute(&span, "sluice.stream", flag: record.isStream)
        if let first = record.firstByte {
            span.message(11) {
                $0.fixed64(1, Self.time(first, epoch))
                $0.string(2, "first byte")
            }
        }
        if let error = record.error {
            attribute(&span, "error.type", error.code)
            attribute(&span, "sluice.error.source", error.source.rawValue)
        }
        // Of a server's span only what is the server's own fault is an error (conventions for HTTP spans, "Status").
        if record.status >= 500 { failed(&span, record.error?.code) }
        return span.bytes
    }

    private func span(
        _ trace: ExchangeTrace,
        _ admission: ExchangeTrace.Admission,
        _ record: borrowing ExchangeRecord,
        _ epoch: Int64
    ) -> [UInt8] {
        var span = ProtobufWriter()
        begin(&span, trace, id: admission.span, parent: trace.span)
        span.string(5, "admission")
        span.varint(6, Kind.internal.rawValue)
        times(&span, admission.start, admission.end ?? record.end, epoch)
        attribute(&span, "sluice.admission.outcome", admission.outcome)
        if let limit = admission.limit { attribute(&span, "sluice.admission.limit", limit) }
        if let limit = admission.shadowLimit { attribute(&span, "sluice.admission.shadow_limit", limit) }
        if let authority = admission.authority { attribute(&span, "sluice.admission.authority", authority) }
        attribute(&span, "sluice.admission.questions", admission.questions)
        if record.estimate > 0 { attribute(&span, "sluice.admission.estimate", record.estimate) }
        return span.bytes
    }

    private func span(
        _ trace: ExchangeTrace,
        _ attempt: ExchangeTrace.Attempt,
        _ record: borrowing ExchangeRecord,
        _ epoch: Int64,
        resends: Int,
        isLast: Bool
    ) -> [UInt8] {
        var span = ProtobufWriter()
        begin(&span, trace, id: attempt.span, parent: trace.span)
        let operation = GenerationMetrics.Operation(record.operation).name
        name(&span, operation, attempt.deployment)
        span.varint(6, Kind.client.rawValue)
        times(&span, attempt.start, attempt.end ?? record.end, epoch)
        attribute(&span, "http.request.method", record.method)
        attribute(&span, "gen_ai.operation.name", operation)
        attribute(&span, "gen_ai.provider.name", "azure.ai.openai")
        if let deployment = attempt.deployment { attribute(&span, "gen_ai.request.model", deployment) }
        attribute(&span, "sluice.endpoint", attempt.endpoint)
        attribute(&span, "server.address", attempt.address.host)
        attribute(&span, "server.port", attempt.address.port ?? (attempt.address.scheme == .https ? 443 : 80))
        if resends > 0 { attribute(&span, "http.request.resend_count", resends) }
        if let status = attempt.status { attribute(&span, "http.response.status_code", status) }
        if isLast {
            usage(&span, record.usage)
            if let id = record.upstreamRequestID { attribute(&span, "azure.service_request_id", id) }
        }
        let failure = attempt.error ?? attempt.status.flatMap { $0 >= 400 ? "\($0)" : nil }
        if let failure {
            attribute(&span, "error.type", failure)
            failed(&span, failure)
        }
        return span.bytes
    }

    // MARK: parts

    private func begin(_ span: inout ProtobufWriter, _ trace: ExchangeTrace, id: UInt64, parent: UInt64?) {
        span.bigEndian(1, trace.context.id.high, trace.context.id.low)
        span.bigEndian(2, id)
        if let state = trace.context.state { span.string(3, state) }
        if let parent { span.bigEndian(4, parent) }
        // The W3C flags; the caller's span is remote, and this is known (trace.proto, `SpanFlags`).
        let isRemote = parent != nil && parent == trace.context.parent
        span.fixed32(16, 0x101 | (isRemote ? 0x200 : 0))
    }

    private func name(_ span: inout ProtobufWriter, _ operation: String, _ model: String?) {
        span.string(5, model.map { "\(operation) \(Self.cut($0))" } ?? operation)
    }

    private func times(_ span: inout ProtobufWriter, _ start: NIODeadline, _ end: NIODeadline, _ epoch: Int64) {
        span.fixed64(7, Self.time(start, epoch))
        span.fixed64(8, Self.time(max(start, end), epoch))
    }

    private func usage(_ span: inout ProtobufWriter, _ usage: TokenUsage) {
        guard usage.total > 0 else { return }
        attribute(&span, "gen_ai.usage.input_tokens", usage.input)
        attribute(&span, "gen_ai.usage.output_tokens", usage.output)
        if usage.cached > 0 { attribute(&span, "gen_ai.usage.cache_read.input_tokens", usage.cached) }
        if usage.isEstimated { attribute(&span, "sluice.usage.estimated", flag: true) }
    }

    private func failed(_ span: inout ProtobufWriter, _ message: String?) {
        span.message(15) {
            if let message { $0.string(2, message) }
            $0.varint(3, 2)
        }
    }

    private func attribute(_ span: inout ProtobufWriter, _ key: String, _ text: some StringProtocol) {
        span.message(9) { Self.attribute(&$0, key) { $0.string(1, Self.cut(text)) } }
    }

    private func attribute(_ span: inout ProtobufWriter, _ key: String, _ number: Int) {
        span.message(9) { Self.attribute(&$0, key) { $0.varint(3, number) } }
    }

    private func attribute(_ span: inout ProtobufWriter, _ key: String, flag: Bool) {
        span.message(9) { Self.attribute(&$0, key) { $0.varint(2, flag ? 1 : 0) } }
    }

    private static func attribute(
        _ pair: inout ProtobufWriter,
        _ key: String,
        _ value: (inout ProtobufWriter) -> Void
    ) {
        pair.string(1, key)
        pair.message(2, value)
    }

    private static func cut(_ text: some StringProtocol) -> String {
        text.utf8.count <= mostText ? String(text) : String(decoding: text.utf8.prefix(mostText), as: UTF8.self)
    }

    private static func time(_ time: NIODeadline, _ epoch: Int64) -> UInt64 {
        UInt64(bitPattern: Int64(bitPattern: time.uptimeNanoseconds) &+ epoch)
    }

    // MARK: the request

    /// An `ExportTraceServiceRequest` of encoded spans, of this process as the resource.
    static func request(_ spans: some Collection<[UInt8]>, service: String, instance: String) -> [UInt8] {
        var resource = ProtobufWriter()
        for (key, value) in [("service.name", service), ("service.instance.id", instance)] {
            resource.message(1) { attribute(&$0, key) { $0.string(1, value) } }
        }
        var scope = ProtobufWriter()
        scope.message(1) { $0.string(1, "sluice") }
        for span in spans { scope.message(2, span) }
        var resourceSpans = ProtobufWriter()
        resourceSpans.message(1, resource.bytes)
        resourceSpans.message(2, scope.bytes)
        var request = ProtobufWriter()
        request.message(1, resourceSpans.bytes)
        return request.bytes
    }
}
