extension GatewayConfiguration {
    /// Where the usage of every exchange is written.
    package enum UsageSink: Sendable, Equatable {
        /// Standard output, one line for an exchange.
        case console
        /// Files in this folder, resolved like `TLSFiles`.
        case csv(directory: String, columns: CSVColumns = .powerProxy)
        /// Files with one JSON object a line in this folder, resolved like `TLSFiles`.
        case jsonl(directory: String)
        case logAnalytics(LogAnalytics)

        /// The words that name them in the file.
        enum Kind: String, CaseIterable {
            case console, csv, jsonl
            case logAnalytics = "log_analytics"
        }
    }

    package enum CSVColumns: String, Sendable, CaseIterable {
        /// Those of PowerProxy's LogUsageToCsvFile.
        case powerProxy = "powerproxy"
        /// All that is known of an exchange.
        case extended
    }

    /// Where usage events are kept until every sink has them: as configured, else beside the first sink's files.
    package var spoolDirectory: String {
        if let spool { return spool }
        for sink in self.sinks {
            switch sink {
            case .csv(let directory, _), .jsonl(let directory): return directory + "/spool"
            case .console, .logAnalytics: continue
            }
        }
        return "/var/lib/sluice/spool"
    }

    /// A table of a Log Analytics workspace, reached through a data collection rule.
    package struct LogAnalytics: Sendable, Equatable {
        /// The ingestion endpoint of the rule or of a data collection endpoint. HTTPS, or plain HTTP on loopback.
        package var endpoint: EndpointURL
        /// The rule's immutable id: `dcr-` and 32 hexadecimal digits.
        package var rule: String
        /// The rule's name for the table, such as `Custom-AzureOpenAIUsage_PP_CL`.
        package var stream: String
        package var identity: AzureIdentity
    }

    package struct Tracing: Sendable, Equatable {
        /// Where spans are sent by OTLP over HTTP.
        package var otlp: EndpointURL
        /// Of the requests whose caller has not decided, 0 to 1, default 0.01.
        package var samplingRatio = 0.01
        /// A caller that sends a valid `traceparent` decides whether its request is traced. Default true.
        package var followCallers = true
        /// The spans' `service.name`. Default sluice.
        package var service = "sluice"
        /// PEM file of the authorities to trust instead of the system's, resolved like `TLSFiles`.
        package var caFile: String?

        package init(otlp: EndpointURL) { self.otlp = otlp }
    }

    /// An answer given to every request, to measure everything but Azure.
    package struct Mock: Sendable, Equatable {
        /// 0s to 1h, default 0s.
        package var delay = Duration.zero
        /// A JSON document, sent as it is.
        package var body: String
    }
}
