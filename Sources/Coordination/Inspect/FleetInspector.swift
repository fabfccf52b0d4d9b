package import NIOCore

/// What an operator sees of a fleet in Redis, and what an operator may change there.
///
/// One connection, for one command of a person or a program: it waits for answers, and fails where there are none. Nothing but
/// `setCooldown`, `reset` and `note` writes.
package final class FleetInspector: Sendable {
    private let client: RedisClient
    private let keys: KeySpace
    private let prefix: String

    /// As long as an answer may take.
    private static let patience = TimeAmount.seconds(5)
    /// Changes that are remembered, and for how long.
    private static let mostChanges = 500
    private static let changesTerm = "7776000000"

    private init(client: RedisClient, namespace: String) {
        self.client = client
        keys = KeySpace(namespace: namespace)
        prefix = KeySpace.prefix(namespace)
    }

    /// Connects.
    ///
    /// - Throws: `RedisError` when Redis cannot be reached or refuses; NIOSSL's error for a file of certificates.
    package static func connect(
        _ configuration: CoordinationConfiguration,
        on eventLoop: any EventLoop
    ) async throws -> FleetInspector {
        let redis = try configuration.makeRedisConfiguration()
        let connected = eventLoop.makePromise(of: Void.self)
        let client = try await eventLoop.submit {
            var isDecided = false
            let client = RedisClient(redis, scripts: [], eventLoop: eventLoop) { event in
                guard !isDecided else { return }
                switch event {
                case .ready: connected.succeed()
                case .connectFailed(let error): connected.fail(error)
                case .lost, .breakerOpened, .breakerClosed, .needsAttention: return
                }
                isDecided = true
            }
            client.start()
            return client
        }.get()
        let inspector = FleetInspector(client: client, namespace: configuration.namespace)
        do {
            try await connected.futureResult.get()
        } catch {
            await inspector.close()
            throw error
        }
        return inspector
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            client.eventLoop.execute { [client] in
                client.shutDown(by: .now() + .seconds(1)) { continuation.resume() }
            }
        }
    }

    // MARK: looking

    /// Reads what is known of scopes and deployments, all at one moment.
    package func look(scopes: [ClientScope], candidates: [Candidate]) async throws -> LimiterView {
        let reply = try await run(LimiterView.call(keys, scopes: scopes, candidates: candidates))
        guard let view = LimiterView(reply, scopes: scopes, candidates: candidates) else {
            throw RedisError.violation("a look at the limiter")
        }
        return view
    }

    /// Replicas that are alive, with what they last said of themselves.
    package func replicas() async throws -> [ReplicaReport] {
        let time = try await command(["TIME"])
        guard let seconds = time.array?.first?.text.flatMap({ Int64($0) }) else {
            throw RedisError.violation("the time: \(time)")
        }
        let instances = try await command(["ZRANGEBYSCORE", keys.instances, "(\(seconds * 1000)", "+inf"])
        let said = try await command(["HGETALL", prefix + KeySpace.announcements])
        var texts: [String: String] = [:]
        let fields = said.array ?? []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let name = fields[index].text, let text = fields[index + 1].text else { continue }
            texts[name] = text.split(separator: " ", maxSplits: 1).last.map(String.init)
        }
        return (instances.array ?? []).compactMap(\.text).sorted().map { name in
            ReplicaReport(instance: name, text: texts[name] ?? "")
        }
    }

    /// What operators changed, the latest first, as it was noted.
    package func changes() async throws -> [String] {
        let reply = try await command(["LRANGE", prefix + KeySpace.changes, "0", "\(Self.mostChanges - 1)"])
        return (reply.array ?? []).compactMap(\.text)
    }

    // MARK: changing

    /// - Parameter milliseconds: how long from now; 0 puts the deployment back into service.
    package func setCooldown(of candidate: Candidate, milliseconds: Int64) async throws {
        var call = RedisScriptCall(InspectionScripts.cool)
        call.key(keys.deployment + candidate.id.name)
        call.argument(Int(milliseconds))
        _ = try await run(call)
    }

    /// Forgets what was used of limits: buckets are full, days and months begin anew. Slots of what runs stay taken.
    package func reset(_ scopes: [ClientScope]) async throws {
        guard !scopes.isEmpty else { return }
        _ = try await command(["DEL"] + scopes.map { keys.scope + $0.id.name })
    }

    /// Writes down who changed what. The list is bounded, and forgotten after 90 days without a change.
    package func note(_ change: String) async throws {
        let key = prefix + KeySpace.changes
        _ = try await command(["LPUSH", key, change])
        _ = try await command(["LTRIM", key, "0", "\(Self.mostChanges - 1)"])
        _ = try await command(["PEXPIRE", key, Self.changesTerm])
    }

    // MARK: calls

    private func run(_ call: RedisScriptCall) async throws -> RESPReply {
        let client = client
        let sent = NIOLoopBoundCall(call)
        return try await withCheckedThrowingContinuation { continuation in
            client.eventLoop.execute {
                client.run(sent.call, deadline: .now() + Self.patience) { continuation.resume(with: $0) }
            }
        }
    }

    private func command(_ arguments: [String]) async throws -> RESPReply {
        let client = client
        return try await withCheckedThrowingContinuation { continuation in
            client.eventLoop.execute {
                client.upkeep(.plain(RESPCommand(arguments)), deadline: .now() + Self.patience) {
                    continuation.resume(with: $0)
                }
            }
        }
    }
}

/// A call on its way to the loop that sends it.
private struct NIOLoopBoundCall: @unchecked Sendable {  // handed over once, and not looked at afterwards
    let call: RedisScriptCall
    init(_ call: RedisScriptCall) { self.call = call }
}

/// What a replica says of itself.
package struct ReplicaReport: Sendable, Equatable {
    /// Eight hexadecimal digits, as in its leases.
    package let instance: String
    /// The hash of its configuration and its version; empty before it has said so.
    package let hash: String
    package let version: String

    init(instance: String, text: String) {
        self.instance = instance
        let parts = text.split(separator: " ", maxSplits: 1)
        hash = parts.first.map(String.init) ?? ""
        version = parts.count > 1 ? String(parts[1]) : ""
    }
}

extension KeySpace {
    static let announcements = "meta"
    static let changes = "ops"

    static func prefix(_ namespace: String) -> String { "{\(escaped(namespace))}:v1:" }
}
