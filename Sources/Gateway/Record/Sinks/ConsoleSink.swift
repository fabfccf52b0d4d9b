/// Standard output, as PowerProxy writes it; between whole lines of the log.
final class ConsoleSink: UsageSink {
    private let writer: LogWriter
    /// What was still waiting when the last batch was given up, with the id of the batch's first event: it is there already when
    /// the same batch comes again.
    private var waiting: (first: UInt64, place: LogWriter.Place)?

    private let patience: Int

    /// - Parameter patience: milliseconds that a reader of standard output may take for a batch before the sink counts as failing.
    init(writer: LogWriter, patience: Int = 10_000) {
        self.writer = writer
        self.patience = patience
    }

    func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress {
        guard let place = try place(of: events) else { return SinkProgress() }
        switch writer.wait(for: place, milliseconds: patience) {
        case .written:
            waiting = nil
            return SinkProgress()
        case .waiting:
            waiting = events.first.map { ($0.id, place) }
        case .refused:
            waiting = nil
        }
        throw SinkFailure(reason: "standard output takes nothing")
    }

    /// Where its text is queued; `nil` if it has none.
    private func place(of events: [UsageEvent]) throws(SinkFailure) -> LogWriter.Place? {
        if let waiting, waiting.first == events.first?.id { return waiting.place }
        var text: [UInt8] = []
        for event in events { PowerProxyUsage(event)?.append(toConsole: &text) }
        if text.isEmpty { return nil }
        guard let place = writer.queued(text) else { throw SinkFailure(reason: "standard output takes nothing") }
        return place
    }
}
