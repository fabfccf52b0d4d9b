/// Reads scenario files. Keys that are not known are refused, so that a slip never runs another load than was meant.
extension Scenario {
    /// Phases, clients, request kinds and failure conditions: more than a person writes.
    private static let maximumItems = 10_000

    /// - Parameters:
    ///   - file: how errors name it; paths in it start from its folder.
    ///   - files: reads a file that the scenario names.
    ///   - environment: where `${NAME}` is looked up.
    static func read(_ text: String, file: String, from source: ScenarioSource) throws(ScenarioError) -> Scenario {
        var map = try ScenarioNode.parse(text, file: file, environment: source.environment).mapping()
        let load = try map.required("load").mode()
        let name = try map.optional("name")?.string() ?? ScenarioSource.name(of: file)
        var scenario = Scenario(name: name, mode: load, targets: [], clients: [], requests: [])
        if let node = map.optional("seed") { scenario.seed = UInt64(try node.integer(in: 0...Int(1e15))) }
        if let node = map.optional("warm_up") { scenario.warmUp = try node.seconds() }
        if let node = map.optional("max_requests") {
            scenario.maximumRequests = try node.integer(in: 1...Self.maximumRequests)
        }
        if let node = map.optional("loops") { scenario.loops = try node.integer(in: 1...256) }
        for node in map.optional("targets")?.list() ?? [] { scenario.targets.append(try node.httpAddress()) }
        if let node = map.optional("tls") { try scenario.readTLS(node, source) }
        if let node = map.optional("connections") { scenario.connections = try node.integer(in: 1...100_000) }
        if let node = map.optional("timeouts") { try scenario.readTimeouts(node) }
        if let node = map.optional("max_in_flight") { scenario.maximumInFlight = try node.integer(in: 1...1_000_000) }
        if let node = map.optional("retry") { try scenario.readRetry(node) }
        scenario.clients = try Self.readClients(map.required("clients"), source)
        let requests = try map.required("requests")
        for node in try Self.bounded(requests) { scenario.requests.append(try node.requestKind(source)) }
        if let node = map.optional("windows") {
            scenario.windows = []
            for window in try Self.bounded(node) { scenario.windows.append(try window.seconds(in: 0.001...86_400)) }
        }
        if let node = map.optional("books") { scenario.books = try Self.readBooks(node) }
        for node in try map.optional("fail_if").map(Self.bounded) ?? [] {
            scenario.failIf.append(try node.read("a condition such as p99>50ms", FailCondition.init))
        }
        try map.finish()
        guard scenario.warmUp < load.seconds else { throw map.node.fail("warm_up is not shorter than the load") }
        return scenario
    }

    private static func bounded(_ node: ScenarioNode) throws(ScenarioError) -> [ScenarioNode] {
        let list = node.list()
        guard (1...maximumItems).contains(list.count) else { throw node.fail("expected 1 to \(maximumItems) of them") }
        return list
    }

    private mutating func readTLS(_ node: ScenarioNode, _ source: ScenarioSource) throws(ScenarioError) {
        var map = try node.mapping()
        certificateAuthority = try map.optional("ca_file").map { node throws(ScenarioError) in
            source.path(try node.string())
        }
        if let node = map.optional("verify") { verifiesCertificates = try node.flag() }
        try map.finish()
    }

    private mutating func readTimeouts(_ node: ScenarioNode) throws(ScenarioError) {
        var map = try node.mapping()
        if let node = map.optional("connect") { connectTimeout = try node.seconds(in: 0.001...600) }
        if let node = map.optional("request") { requestTimeout = try node.seconds(in: 0.001...86_400) }
        if let node = map.optional("drain") { drain = try node.seconds(in: 0...86_400) }
        try map.finish()
    }

    private mutating func readRetry(_ node: ScenarioNode) throws(ScenarioError) {
        var map = try node.mapping()
        if let node = map.optional("times") { retries = try node.integer(in: 0...100) }
        if let node = map.optional("honour_retry_after") { honoursRetryAfter = try node.flag() }
        try map.finish()
    }

    private static func readClients(
        _ node: ScenarioNode,
        _ source: ScenarioSource
    ) throws(ScenarioError) -> [Scenario.Client] {
        var clients: [Scenario.Client] = []
        for item in try bounded(node) {
            let client = try item.client(source)
            guard !clients.contains(where: { $0.name == client.name }) else {
                throw item.fail("there are two clients '\(client.name)'")
            }
            clients.append(client)
        }
        return clients
    }

    private static func readBooks(_ node: ScenarioNode) throws(ScenarioError) -> Books {
        var map = try node.mapping()
        var books = Books()
        for node in map.optional("mock")?.list() ?? [] { books.mocks.append(try node.httpAddress()) }
        if let node = map.optional("redis") {
            books.redis = try node.read("redis://[USER:PASSWORD@]HOST[:PORT]", RedisAddress.init)
        }
        if let node = map.optional("namespace") { books.namespace = try node.string() }
        try map.finish()
        return books
    }
}

/// Where a scenario finds what is not in it.
struct ScenarioSource {
    /// The text of a file.
    let read: (String) throws(ScenarioError) -> String
    /// What relative paths start from; empty for the current folder.
    let folder: String
    let environment: [String: String]

    func path(_ path: String) -> String { path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)" }

    /// `quota` of `bench/scenarios/quota.yaml`.
    static func name(of file: String) -> String {
        let last = file.split(separator: "/").last ?? "scenario"
        return String(last.split(separator: ".").first ?? last)
    }
}
