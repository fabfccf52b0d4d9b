internal import Coordination
internal import NIOCore
internal import NIOPosix

/// What was used, from the counters that all replicas keep in Redis: the source of `sluice usage`.
package struct UsageReport: Sendable {
    /// What rows can be told apart by.
    package enum Column: String, CaseIterable, Sendable {
        case day, client, model, endpoint, deployment
    }

    package struct Row: Sendable, Equatable {
        /// The values of the columns asked for, in their order.
        package var names: [String] = []
        package var requests: Int64 = 0
        package var input: Int64 = 0
        /// Of the input: read from the cache.
        package var cached: Int64 = 0
        package var output: Int64 = 0
        /// Of the output: never shown.
        package var reasoning: Int64 = 0
        package var milliseconds: Int64 = 0
        /// Tokens that Azure did not report.
        package var estimated: Int64 = 0
        /// Answers 429 and 5xx.
        package var errors: Int64 = 0
        /// Millionths of the currency; `nil` without a price.
        package var cost: Int64?
    }

    package let columns: [Column]
    /// Sorted by their names.
    package let rows: [Row]
    package let total: Row
    package let currency: String?

    /// Reads the counters of a range of UTC days, given in digits like 20260331.
    ///
    /// - Throws: `UsageReportError`.
    package static func read(
        _ configuration: GatewayConfiguration,
        days: ClosedRange<Int>,
        by columns: [Column],
        prices: PriceList?
    ) async throws -> UsageReport {
        guard let coordination = configuration.coordination else {
            throw UsageReportError("the configuration names no Redis (key 'coordination'), so nobody keeps counters")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let ledger = try UsageLedger(
            CoordinationConfiguration(coordination, instance: 0),
            eventLoop: group.next()
        )
        let found: Result<[UsageLedgerRow], any Error>
        do {
            found = .success(try await ledger.rows(of: days))
        } catch {
            found = .failure(UsageReportError("cannot read the counters from Redis: \(error)"))
        }
        await ledger.close()
        try await group.shutdownGracefully()
        return UsageReport(try found.get(), by: columns, prices: prices)
    }

    init(_ found: [UsageLedgerRow], by columns: [Column], prices: PriceList?) {
        var sums: [[String]: Row] = [:]
        var total = Row()
        if prices != nil { total.cost = 0 }
        for row in found {
            let names = columns.map { row.name($0) }
            // Rounded for each of Redis' rows, so that every grouping adds up to the same total.
            let cost = prices?.cost(row)
            sums[names, default: Row(names: names)].add(row, cost: cost)
            total.add(row, cost: cost)
        }
        self.columns = columns
        self.total = total
        rows = sums.values.sorted { $0.names.lexicographicallyPrecedes($1.names) }
        currency = prices?.currency
    }
}

/// Why there is no report, in a sentence for the operator.
package struct UsageReportError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension UsageLedgerRow {
    fileprivate func name(_ column: UsageReport.Column) -> String {
        switch column {
        case .day:
            let digits = String(day)
            return digits.utf8.count == 8
                ? "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))" : digits
        case .client: return client
        case .model: return model
        case .endpoint: return endpoint
        case .deployment: return endpoint.isEmpty ? deployment : "\(endpoint)/\(deployment)"
        }
    }
}

extension UsageReport.Row {
    fileprivate mutating func add(_ row: UsageLedgerRow, cost: Int64?) {
        func count(_ name: String) -> Int64 { row.counts[name] ?? 0 }
        requests += count("req")
        input += count("in")
        cached += count("cached")
        output += count("out")
        reasoning += count("reason")
        milliseconds += count("ms")
        estimated += count("est")
        errors += count("429") + count("5xx")
        if let cost { self.cost = (self.cost ?? 0) + cost }
    }
}
