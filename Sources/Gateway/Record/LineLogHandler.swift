package import Logging

/// swift-log's back end: one line per message through `LogWriter`, in the form of the access log.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let format: GatewayConfiguration.Log.Format
    private let writer: LogWriter

    package init(label: String, log: GatewayConfiguration.Log, writer: LogWriter) {
        self.label = label
        self.writer = writer
        format = log.format
        logLevel =
            switch log.level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var clock = WallClock()
        var lines = LogLines(format: format)
        lines.begin()
        lines.addTime(clock.now())
        lines.add("level", raw: event.level.rawValue)
        lines.add("logger", raw: label)
        lines.add("message", text: "\(event.message)")
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { lines.add(name: key, text: "\(value)") }
        lines.end()
        writer.write(lines.take())
    }
}
