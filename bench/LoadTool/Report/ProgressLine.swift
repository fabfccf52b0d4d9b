/// One second of a load in one line, for a person who watches.
enum ProgressLine {
    static func text(_ second: RunResult.Second, elapsed: Double) -> String {
        func rate(_ count: Int) -> String { Text.count((Double(count) / second.seconds).rounded()) }
        let columns = [
            Text.padded("\(Text.fixed(elapsed, 0)) s", 7),
            "sent \(Text.padded(rate(second.sent), 6))/s",
            "ok \(Text.padded(rate(second.succeeded), 6))/s",
            "429 \(Text.padded(rate(second.refused), 5))/s",
            "errors \(Text.padded(String(second.failed), 4))",
            "in flight \(Text.padded(String(second.inFlight), 5))",
            "p50 \(Text.padded(Text.milliseconds(second.p50), 7))",
            "p99 \(Text.padded(Text.milliseconds(second.p99), 7))",
        ]
        return columns.joined(separator: "  ")
    }
}
