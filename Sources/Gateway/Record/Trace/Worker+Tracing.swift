internal import Logging
internal import NIOCore

extension Worker {
    /// Begins to trace, if the configuration says so. To be called on the event loop, before the first exchange.
    func startTracing(logger: Logger) {
        tracer = snapshot.configuration.tracing.map {
            Tracer($0, instance: processID, transfers: transfers, logger: logger)
        }
    }
}

extension Fleet {
    /// The longest that a shutdown waits for the collector.
    private static var longestSpanDrain: TimeAmount { .seconds(2) }

    /// Sends the spans that wait.
    func drainSpans() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in workers {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        worker.eventLoop.execute {
                            guard let tracer = worker.tracer else { return continuation.resume() }
                            tracer.exporter.drain(limit: Self.longestSpanDrain) { continuation.resume() }
                        }
                    }
                }
            }
        }
    }
}
