internal import Glibc
internal import Logging
internal import NIOCore
internal import Transport

/// Traces the exchanges of one event loop, as far as they are sampled. Confined to its event loop.
final class Tracer {
    private var sampler: TraceSampler
    private let encoder = SpanEncoder()
    let exporter: SpanExporter
    private var random = SystemRandomNumberGenerator()

    /// - Parameter instance: names this process among the replicas.
    init(
        _ tracing: GatewayConfiguration.Tracing,
        instance: UInt64,
        transfers: TransferLoop,
        logger: Logger
    ) {
        var random = SystemRandomNumberGenerator()
        sampler = TraceSampler(
            ratio: tracing.samplingRatio,
            followsCallers: tracing.followCallers,
            seed: random.next()
        )
        exporter = SpanExporter(
            collector: tracing.otlp,
            caFile: tracing.caFile,
            service: tracing.service,
            instance: TraceID.text(instance),
            transfers: transfers,
            logger: logger
        )
    }

    /// - Parameter caller: `nil` for none, or one that is malformed.
    /// - Returns: `nil` for an exchange that is not traced.
    func begin(caller: TraceContext?) -> ExchangeTrace? {
        guard sampler.samples(caller: caller) else { return nil }
        let id = caller?.id ?? TraceID(high: random.next(), low: random.next() | 1)
        let context = TraceContext(id: id, parent: caller?.parent, isSampled: true, state: caller?.state)
        return ExchangeTrace(context: context, span: nextSpan())
    }

    func nextSpan() -> UInt64 { random.next() | 1 }

    func end(_ trace: ExchangeTrace, _ record: borrowing ExchangeRecord) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let wall = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        let epoch = wall - Int64(bitPattern: NIODeadline.now().uptimeNanoseconds)
        exporter.export(encoder.spans(trace, record, epoch: epoch))
    }
}
