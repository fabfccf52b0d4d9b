/// Usage in the forms of PowerProxy's plugins LogUsageToConsole, LogUsageToCsvFile and LogUsageToLogAnalytics, for the tables and
/// workbooks that read them.
///
/// PowerProxy writes what Azure answered: an exchange that no deployment answered has no place in them.
struct PowerProxyUsage {
    private let event: UsageEvent

    /// `nil` for an exchange that PowerProxy would not write.
    init?(_ event: UsageEvent) {
        guard let last = event.attempts.last, last.status > 0 else { return nil }
        self.event = event
    }

    private var received: String { UsageTime.text(event.received, separator: UInt8(ascii: " "), zone: "+00:00") }

    /// Milliseconds: to the end of an answer in one piece, to the beginning of a stream.
    private var roundtrip: Int64 { (event.isStream ? event.firstByte ?? event.duration : event.duration) / 1000 }

    // MARK: console

    func append(toConsole bytes: inout [UInt8]) {
        let lines = [
            ("Request Received UTC", received), ("Client", event.client),
            ("Is Streaming", event.isStream ? "True" : "False"), ("Prompt Tokens", "\(event.usage.input)"),
            ("Completion Tokens", "\(event.usage.output)"), ("Total Tokens", "\(event.usage.total)"),
            ("Azure OpenAI Roundtrip Time", "\(roundtrip) ms"), ("Azure OpenAI Region", Self.known(event.region)),
            ("Azure OpenAI Endpoint", event.endpoint),
            ("Azure OpenAI Virtual Deployment", Self.known(event.model)),
            ("Azure OpenAI Standin Deployment", Self.known(event.deployment)),
            ("Azure OpenAI API Version", Self.known(event.apiVersion)),
        ]
        bytes.append(contentsOf: "---\n".utf8)
        for (name, value) in lines {
            bytes.append(contentsOf: name.utf8)
            for _ in name.utf8.count..<32 { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: ": ".utf8)
            // A line break in a name that a client chose would make a line of its own.
            bytes.append(contentsOf: value.utf8.map { $0 < 0x20 ? UInt8(ascii: "?") : $0 })
            bytes.append(UInt8(ascii: "\n"))
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// As Python prints what is not there.
    private static func known(_ text: String) -> String { text.isEmpty ? "None" : text }

    // MARK: CSV

    static let columns = [
        "request_received_utc", "client", "is_streaming", "prompt_tokens", "completion_tokens", "total_tokens",
        "aoai_roundtrip_time_ms", "aoai_region", "aoai_endpoint", "aoai_virtual_deployment", "aoai_standin_deployment",
        "aoai_api_version",
    ]

    func append(toCSV rows: inout CSVRows) {
        rows.add(time: event.received, separator: UInt8(ascii: " "), zone: "+00:00")
        rows.add(event.client)
        rows.add(event.isStream)
        rows.add(event.usage.input)
        rows.add(event.usage.output)
        rows.add(event.usage.total)
        rows.add(Int(roundtrip))
        rows.add(event.region)
        rows.add(event.endpoint)
        rows.add(event.model)
        rows.add(event.deployment)
        rows.add(event.apiVersion)
        rows.end()
    }

    // MARK: Log Analytics

    /// An object of the Logs Ingestion API. Columns that a rule does not declare are passed over by Azure, so the names of older
    /// tables, and the event's id, by which a query leaves out what came twice, are there as well.
    func append(toLogs bytes: inout [UInt8]) {
        var row = JSONRow(bytes: bytes)
        bytes = []
        let received = UsageTime.text(event.received)
        row.add("TimeGenerated", received)
        row.add("RequestReceivedUtc", received)
        row.add("Client", event.client)
        row.add("IsStreaming", event.isStream)
        row.add("PromptTokens", event.usage.input)
        row.add("CompletionTokens", event.usage.output)
        row.add("TotalTokens", event.usage.total)
        row.add("AoaiRoundtripTimeMS", Int(roundtrip))
        row.add("AoaiRegion", event.region)
        row.add("AoaiEndpoint", event.endpoint)
        row.add("AoaiEndpointName", event.endpoint)
        row.add("AoaiVirtualDeployment", event.model)
        row.add("AoaiStandinDeployment", event.deployment)
        row.add("AoaiApiVersion", event.apiVersion)
        row.add("EventId", event.idText)
        row.add("Status", event.status)
        row.add("CachedTokens", event.usage.cached)
        row.add("ReasoningTokens", event.usage.reasoning)
        row.add("IsEstimated", event.usage.isEstimated)
        row.add("Identity", event.identity)
        bytes = row.ended()
    }
}
