internal import FoundationEssentials
internal import NIOCore

/// Reads the books that a scenario names.
struct BookReader: Sendable {
    /// Settlement comes after the last byte of an answer: so long the books may still move.
    private static let patience = Duration.seconds(10)
    private static let pause = Duration.milliseconds(100)
    private static let scanCount = "1000"

    let books: Scenario.Books
    let probe: HTTPProbe

    /// What the books say, by their name.
    func read() async throws(ScenarioError) -> [String: BookEntry] {
        var entries: [String: BookEntry] = [:]
        if !books.mocks.isEmpty {
            var sum = BookEntry()
            for address in books.mocks { sum += try await readMock(address) }
            entries["mock-azure"] = sum
        }
        if let address = books.redis {
            do {
                entries["redis"] = try await readRedis(address)
            } catch {
                throw ScenarioError("the books in Redis at \(address.host):\(address.port) cannot be read: \(error)")
            }
        }
        return entries
    }

    /// The same, once nothing moves any more.
    func readSettled() async throws(ScenarioError) -> [String: BookEntry] {
        let end = ContinuousClock.now + Self.patience
        var last = try await read()
        while ContinuousClock.now < end {
            do { try await Task.sleep(for: Self.pause) } catch { return last }
            let next = try await read()
            if next == last { return next }
            last = next
        }
        return last
    }

    private func readMock(_ address: HTTPAddress) async throws(ScenarioError) -> BookEntry {
        do {
            let answer = try await probe.get("/mock/stats", from: address)
            guard answer.status == 200 else { throw ScenarioError("it answered \(answer.status)") }
            return try JSONDecoder().decode(MockStats.self, from: Data(answer.body.readableBytesView)).entry
        } catch {
            throw ScenarioError("the books of mock-azure at \(address.name) cannot be read: \(error)")
        }
    }

    private func readRedis(_ address: RedisAddress) async throws -> BookEntry {
        let redis = try await RedisConnection.open(address, on: probe.group)
        var sum = BookEntry()
        var cursor = "0"
        var keys = Set<String>()
        repeat {
            let pattern = RedisUsage.pattern(namespace: books.namespace)
            let reply = try await redis.send(["SCAN", cursor, "MATCH", pattern, "COUNT", Self.scanCount])
            guard case .array(let parts) = reply, parts.count == 2, case .bulk(let next) = parts[0] else {
                throw RedisConnection.Failure(description: "SCAN answered \(reply)")
            }
            keys.formUnion(parts[1].strings ?? [])
            cursor = next
        } while cursor != "0"
        for key in keys { sum += RedisUsage.entry(try await redis.send(["HGETALL", key]).strings ?? []) }
        try await redis.close()
        return sum
    }
}

/// Puts what was seen beside what was booked.
enum BookComparison {
    static func lines(
        seen: Tally,
        before: [String: BookEntry],
        after: [String: BookEntry]
    ) -> [RunResult.BookLine] {
        after.sorted { $0.key < $1.key }.flatMap { name, entry in
            let booked = entry - (before[name] ?? BookEntry())
            let served = (200...299).reduce(0) { $0 + seen.statuses[$1] }
            var lines = [
                RunResult.BookLine(book: name, what: "answers 2xx", seen: served, booked: booked.served)
            ]
            // A stream that was given up costs what was sent of it, which only its sender knows.
            if seen.aborted == 0 {
                lines.append(
                    .init(
                        book: name,
                        what: "prompt tokens",
                        seen: seen.usage.prompt,
                        booked: booked.usage.prompt
                    )
                )
                lines.append(
                    .init(
                        book: name,
                        what: "completion tokens",
                        seen: seen.usage.completion,
                        booked: booked.usage.completion
                    )
                )
            }
            return lines
        }
    }
}
