package import NIOCore

/// The counters of one client, model and deployment on one day, as Redis has them.
package struct UsageLedgerRow: Hashable, Sendable {
    /// The UTC day in digits, like 20260331.
    package var day: Int
    package var client: String
    /// As it was asked for; empty where a request names none.
    package var model: String
    package var endpoint: String
    package var deployment: String
    /// By the names of `Usage.Counts.fields`.
    package var counts: [String: Int64]

    package init(
        day: Int,
        client: String,
        model: String,
        endpoint: String,
        deployment: String,
        counts: [String: Int64]
    ) {
        self.day = day
        self.client = client
        self.model = model
        self.endpoint = endpoint
        self.deployment = deployment
        self.counts = counts
    }
}

/// Reads the usage counters that settlements leave in Redis. It changes nothing.
package final class UsageLedger: @unchecked Sendable {  // confined to the client's event loop
    private let client: RedisClient
    private let prefix: String

    private static let patience = TimeAmount.seconds(5)

    /// - Throws: NIOSSL's error when the file of certificates cannot be read.
    package init(_ configuration: CoordinationConfiguration, eventLoop: any EventLoop) throws {
        client = RedisClient(try configuration.makeRedisConfiguration(), scripts: [], eventLoop: eventLoop) { _ in }
        prefix = KeySpace(namespace: configuration.namespace).usage
    }

    /// The rows of all days of a range, in no order.
    ///
    /// - Throws: `RedisError`.
    package func rows(of days: ClosedRange<Int>) async throws -> [UsageLedgerRow] {
        try await connect()
        var keys: Set<String> = []
        var cursor = "0"
        repeat {
            let reply = try await ask("SCAN", cursor, "MATCH", prefix + "*", "COUNT", "500")
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let found = parts[1].array else {
                throw RedisError(.protocolViolation, mayHaveRun: true, cause: "SCAN")
            }
            keys.formUnion(found.compactMap(\.text))
            cursor = next
        } while cursor != "0"
        var rows: [UsageLedgerRow] = []
        for key in keys.sorted() {
            let name = key.dropFirst(prefix.utf8.count).split(separator: ":", maxSplits: 1)
            guard name.count == 2, let day = Int(name[0]), days.contains(day) else { continue }
            rows += Self.rows(day, Self.plain(name[1]), try await ask("HGETALL", key).array?.compactMap(\.text) ?? [])
        }
        return rows
    }

    package func close() async {
        await withCheckedContinuation { continuation in
            client.eventLoop.execute {
                self.client.shutDown(by: .now() + Self.patience) { continuation.resume() }
            }
        }
    }

    // MARK: Redis

    private func connect() async throws {
        try await client.eventLoop.submit { self.client.start() }.get()
        let end = NIODeadline.now() + Self.patience
        while true {
            if try await client.eventLoop.submit({ self.client.isReady }).get() { return }
            guard .now() < end else {
                _ = try await ask("PING")
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func ask(_ words: String...) async throws -> RESPReply {
        try await withCheckedThrowingContinuation { continuation in
            client.eventLoop.execute {
                self.client.upkeep(.plain(RESPCommand(words)), deadline: .now() + Self.patience) {
                    continuation.resume(with: $0)
                }
            }
        }
    }

    // MARK: names

    /// - Parameter fields: of a hash, names and values in turn.
    static func rows(_ day: Int, _ client: String, _ fields: [String]) -> [UsageLedgerRow] {
        var counts: [String: [String: Int64]] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let parts = fields[index].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let value = Int64(fields[index + 1]) else { continue }
            counts[String(parts[0]), default: [:]][String(parts[1])] = value
        }
        return counts.sorted { $0.key < $1.key }.map { line, counts in
            let names = line.split(separator: "/", omittingEmptySubsequences: false).map { plain($0) }
            return UsageLedgerRow(
                day: day,
                client: client,
                model: names.count > 2 ? names[0] : "",
                endpoint: names.count > 1 ? names[names.count - 2] : "",
                deployment: names.last ?? "",
                counts: counts
            )
        }
    }

    /// What `escaped` was given.
    static func plain(_ name: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = name.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
