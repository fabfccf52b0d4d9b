internal import Coordination
internal import NIOCore
internal import Transport

/// What an exchange leaves in its trace, if it has one. For one that is not sampled each of these is a test of `nil`.
extension Exchange {
    func beginTrace() {
        guard let tracer = worker.tracer else { return }
        trace = tracer.begin(caller: callerTrace)
        record.trace = trace?.context.id
    }

    /// `nil` for none, and for one that is malformed: then it counts as none.
    private var callerTrace: TraceContext? {
        fields.traceparent.flatMap { TraceContext(traceparent: $0, state: fields.tracestate) }
    }

    func traceAdmission() {
        guard let trace, let tracer = worker.tracer else { return }
        trace.askedForAdmission(span: tracer.nextSpan(), at: .now())
    }

    func traceAttempt(at endpoint: Int) {
        guard let trace, let tracer = worker.tracer,
            let configured = snapshot.configuration.endpoints.first(where: {
                $0.name == snapshot.endpoints[endpoint].name
            })
        else { return }
        trace.attemptStarted(
            span: tracer.nextSpan(),
            endpoint: configured,
            deployment: record.deployment,
            at: .now()
        )
    }

    /// Tells Azure whose part the attempt is, where the endpoint forwards `traceparent`: its span's where it is traced, else
    /// what the caller sent, if that is valid.
    func addTrace(to arena: HeaderArena, withState: Bool) {
        let context: TraceContext
        let span: UInt64
        if let trace, let attempt = trace.attempts.last {
            (context, span) = (trace.context, attempt.span)
        } else if let caller = callerTrace, let parent = caller.parent {
            (context, span) = (caller, parent)
        } else {
            return
        }
        arena.add("traceparent", context.traceparent(span: span))
        if withState, let state = context.state { arena.add("tracestate", state) }
    }

    /// The record is complete.
    func endTrace() {
        guard let trace, let tracer = worker.tracer else { return }
        tracer.end(trace, record)
        self.trace = nil
    }
}
