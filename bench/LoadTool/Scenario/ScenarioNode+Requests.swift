/// Clients and the mix of requests.
extension ScenarioNode {
    /// Of a file with keys or recorded requests, one a line.
    private static let maximumLines = 1_000_000

    func client(_ source: ScenarioSource) throws(ScenarioError) -> Scenario.Client {
        var map = try mapping()
        let name = try map.required("name").string()
        let share = try map.optional("share")?.count(in: 0.000_001...1e9) ?? 1
        var credentials: [String] = []
        if let node = map.optional("key") { credentials.append(try node.headerLine("api-key: ", node.string())) }
        if let node = map.optional("token") {
            credentials.append(try node.headerLine("authorization: Bearer ", node.string()))
        }
        if let node = map.optional("keys_file") {
            for line in try node.lines(source) { credentials.append(try node.headerLine("api-key: ", line)) }
        }
        if let node = map.optional("tokens_file") {
            for line in try node.lines(source) {
                credentials.append(try node.headerLine("authorization: Bearer ", line))
            }
        }
        let limits = try map.optional("limits")?.limits() ?? Scenario.Limits()
        try map.finish()
        return .init(name: name, share: share, credentials: credentials.isEmpty ? [""] : credentials, limits: limits)
    }

    /// A header that could smuggle a second one is refused.
    private func headerLine(_ name: String, _ value: String) throws(ScenarioError) -> String {
        guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw fail("a key or token is printable ASCII")
        }
        return "\(name)\(value)\r\n"
    }

    private func lines(_ source: ScenarioSource) throws(ScenarioError) -> [String] {
        let path = source.path(try string())
        let lines = try source.read(path).split(whereSeparator: \.isNewline).map(String.init)
        guard (1...Self.maximumLines).contains(lines.count) else {
            throw fail("\(path) has \(lines.count) lines; expected 1 to \(Self.maximumLines)")
        }
        return lines
    }

    private func limits() throws(ScenarioError) -> Scenario.Limits {
        var map = try mapping()
        let requests = try map.optional("requests_per_minute")?.count()
        let tokens = try map.optional("tokens_per_minute")?.count()
        var bursts: (requests: Double?, tokens: Double?)
        if let node = map.optional("burst") {
            var burst = try node.mapping()
            bursts = (try burst.optional("requests")?.count(), try burst.optional("tokens")?.count())
            try burst.finish()
        }
        try map.finish()
        // A bucket holds a minute's worth unless told otherwise, as in the gateway's configuration.
        return .init(
            requests: requests.map { .init(perMinute: $0, burst: bursts.requests ?? $0) },
            tokens: tokens.map { .init(perMinute: $0, burst: bursts.tokens ?? $0) }
        )
    }

    func requestKind(_ source: ScenarioSource) throws(ScenarioError) -> RequestKind {
        var map = try mapping()
        let path = try map.optional("path")?.requestTarget()
        let model = try map.optional("model")?.string() ?? ""
        let content = try Self.content(&map, source, path: path)
        var kind = RequestKind(name: "", model: model, content: content)
        if let path { kind.path = path }
        if let node = map.optional("share") { kind.share = try node.count(in: 0.000_001...1e9) }
        if let node = map.optional("verify") { kind.verify = try node.choice() }
        if let node = map.optional("abort") { try node.readAbort(into: &kind) }
        kind.name = try map.optional("name")?.string() ?? (model.isEmpty ? kind.path : model)
        try map.finish()
        if case .chat = content, model.isEmpty { throw fail("the key 'model' is missing") }
        return kind
    }

    private static func content(
        _ map: inout ScenarioMapping,
        _ source: ScenarioSource,
        path: String?
    ) throws(ScenarioError) -> RequestKind.Content {
        if let node = map.optional("recorded") {
            var requests: [RecordedRequest] = []
            for line in try node.lines(source) { requests.append(try node.recorded(line)) }
            return .recorded(requests)
        }
        if let node = map.optional("body") {
            return .fixed(path: path ?? RequestKind.chatPath, body: try node.string())
        }
        if let node = map.optional("get") { return .fixed(path: try node.requestTarget(), body: nil) }
        var chat = RequestKind.Chat()
        let tokens = { (node: ScenarioNode) throws(ScenarioError) -> Double in try node.count(in: 0...1e7) }
        if let node = map.optional("stream") { chat.isStreamed = try node.flag() }
        if let node = map.optional("prompt_tokens") { chat.promptTokens = try node.distribution(of: tokens) }
        if let node = map.optional("max_tokens") { chat.outputTokens = try node.distribution(of: tokens) }
        if let node = map.optional("user") { chat.user = try node.string() }
        return .chat(chat)
    }

    private func requestTarget() throws(ScenarioError) -> String {
        let text = try string()
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw fail("expected a path that begins with '/', not '\(text)'")
        }
        return text
    }

    private func readAbort(into kind: inout RequestKind) throws(ScenarioError) {
        var map = try mapping()
        kind.abortFraction = try map.required("fraction").read("a fraction such as 0.1 or 10%", Quantity.fraction) {
            (0...1).contains($0)
        }
        kind.abortAfter = try map.required("after_events").distribution { node throws(ScenarioError) in
            try node.count(in: 1...1e6)
        }
        try map.finish()
    }
}
