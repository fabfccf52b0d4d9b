/// Holds what was admitted against what the scenario allows.
struct LimitReport: Sendable {
    let scenario: Scenario
    /// Of the load, warm-up included.
    let seconds: Double

    /// - Parameters:
    ///   - spans: the admitted requests of each client.
    ///   - everything: of each client, what it asked for.
    func windows(spans: [[AdmissionSpan]], offered: [Int]) -> [RunResult.Window] {
        var rows: [RunResult.Window] = []
        for (index, client) in scenario.clients.enumerated() {
            for length in scenario.windows where length <= seconds {
                if let bucket = client.limits.requests {
                    // Tokens that were never admitted have no size, so only requests tell what was asked for.
                    let asked = Double(offered[index]) / seconds * length
                    rows.append(row(client.name, "requests", bucket, length, spans[index], asked: asked) { _ in 1 })
                }
                if let bucket = client.limits.tokens {
                    let mean = Double(spans[index].reduce(0) { $0 + $1.tokens }) / Double(max(1, spans[index].count))
                    let asked = Double(offered[index]) * mean / seconds * length
                    rows.append(row(client.name, "tokens", bucket, length, spans[index], asked: asked) { $0.tokens })
                }
            }
        }
        return rows
    }

    private func row(
        _ client: String,
        _ unit: String,
        _ bucket: Scenario.Limits.Bucket,
        _ length: Double,
        _ spans: [AdmissionSpan],
        asked: Double,
        weight: (AdmissionSpan) -> Int
    ) -> RunResult.Window {
        let account = WindowAccount(spans, length: Int64(length * 1e9), end: Int64(seconds * 1e9), weight: weight)
        let allowed = bucket.allowed(in: length)
        let due = min(bucket.perMinute / 60 * length, asked)
        return RunResult.Window(
            client: client,
            unit: unit,
            seconds: length,
            allowed: allowed,
            most: account.most,
            mostAt: Double(account.mostAt) / 1e9,
            least: account.least,
            due: due,
            overshoot: allowed > 0 ? max(0, Double(account.most) / allowed - 1) : Double(account.most),
            undershoot: due > 0 ? max(0, 1 - Double(account.least) / due) : 0
        )
    }

    /// Of the clients, by what each was admitted of what it is due: its limit, or its share of what was asked for.
    func fairness(spans: [[AdmissionSpan]], admitted: [Int], offered: [Int]) -> Double? {
        guard scenario.clients.count > 1 else { return nil }
        var parts: [Double] = []
        for (index, client) in scenario.clients.enumerated() where offered[index] > 0 {
            var due = Double(offered[index])
            if let bucket = client.limits.requests { due = min(due, bucket.allowed(in: seconds)) }
            if let bucket = client.limits.tokens {
                let tokens = spans[index].reduce(0) { $0 + $1.tokens }
                let mean = Double(tokens) / Double(max(1, spans[index].count))
                if mean > 0 { due = min(due, bucket.allowed(in: seconds) / mean) }
            }
            parts.append(due > 0 ? Double(admitted[index]) / due : 0)
        }
        return JainIndex.of(parts)
    }
}
