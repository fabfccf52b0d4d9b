/// Standard output, as PowerProxy writes it; between whole lines of the log.
final class ConsoleSink: UsageSink {
    private let writer: LogWriter

    /// Milliseconds that a reader of standard output may take for a batch before the sink counts as failing.
    private static let patience = 10_000

    init(writer: LogWriter) { self.writer = writer }

    func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress {
        var text: [UInt8] = []
        for event in events { PowerProxyUsage(event)?.append(toConsole: &text) }
        guard text.isEmpty || writer.writeWhole(text, milliseconds: Self.patience) else {
            throw SinkFailure(reason: "standard output takes nothing")
        }
        return SinkProgress()
    }
}
