/// What must not be, such as `p99>50ms` or `client.team-a.error_rate>=1%`: the exit status of a run hangs on it.
struct FailCondition: Equatable, Sendable {
    enum Percentile: String, CaseIterable, Sendable {
        case mean, min, max, p50, p75, p90, p95, p99
        case p999 = "p99.9"
        case p9999 = "p99.99"
    }

    enum Times: String, CaseIterable, Sendable {
        case latency
        case service
        case refusal
        case firstToken = "first_token"
        case betweenTokens = "between_tokens"
    }

    enum Count: String, CaseIterable, Sendable {
        case requests, succeeded, aborted, refused, rejected, failed, retries
        /// Rejected and failed.
        case errors
        case brokenStreams = "broken_streams"
        /// A second.
        case throughput, tokens
        /// Parts of all requests, from 0 to 1.
        case errorRate = "error_rate"
        case refusalRate = "refusal_rate"
    }

    enum Whole: String, CaseIterable, Sendable {
        /// The greatest of any window and client; 0.02 is 2 %.
        case overshoot, undershoot
        /// The greatest of the longest windows, over which arrivals by chance even out.
        case sustainedUndershoot = "sustained_undershoot"
        case fairness
        /// The greatest difference to the books.
        case books
        case lag, utilisation, bottlenecks
    }

    enum Scope: Equatable, Sendable {
        case total
        case client(String)
        case model(String)
        case target(String)
    }

    enum Metric: Equatable, Sendable {
        case time(Scope, Times, Percentile)
        case count(Scope, Count)
        case whole(Whole)
    }

    enum Comparison: String, CaseIterable, Sendable {
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case greater = ">"

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .less: left < right
            case .lessOrEqual: left <= right
            case .greater: left > right
            case .greaterOrEqual: left >= right
            case .equal: left == right
            case .notEqual: left != right
            }
        }
    }

    let text: String
    let metric: Metric
    let comparison: Comparison
    /// Milliseconds for times.
    let value: Double

    init?(_ text: String) {
        let compact = text.filter { $0 != " " }
        // The longer ones are looked for first.
        guard let comparison = Comparison.allCases.first(where: { compact.contains($0.rawValue) }),
            let place = compact.firstRange(of: comparison.rawValue),
            let metric = Self.metric(String(compact[..<place.lowerBound]))
        else { return nil }
        let number = String(compact[place.upperBound...])
        switch metric {
        case .time, .whole(.lag):
            guard let seconds = Quantity.seconds(number) else { return nil }
            value = seconds * 1_000
        case .count(_, .errorRate), .count(_, .refusalRate), .whole(.overshoot), .whole(.undershoot),
            .whole(.sustainedUndershoot), .whole(.utilisation):
            guard let fraction = Quantity.fraction(number) else { return nil }
            value = fraction
        case .count, .whole:
            guard let count = Quantity.count(number) else { return nil }
            value = count
        }
        self.text = text
        self.metric = metric
        self.comparison = comparison
    }

    private static func metric(_ name: String) -> Metric? {
        if let whole = Whole(rawValue: name) { return .whole(whole) }
        guard let (scope, rest) = scope(name) else { return nil }
        if let count = Count(rawValue: rest) { return .count(scope, count) }
        if let percentile = Percentile(rawValue: rest) { return .time(scope, .latency, percentile) }
        guard let dot = rest.firstIndex(of: "."), let times = Times(rawValue: String(rest[..<dot])),
            let percentile = Percentile(rawValue: String(rest[rest.index(after: dot)...]))
        else { return nil }
        return .time(scope, times, percentile)
    }

    /// `client.NAME.` and the like, and what follows; a name may have dots, so the metric is sought from the end.
    private static func scope(_ name: String) -> (Scope, String)? {
        let kinds: [(String, (String) -> Scope)] = [
            ("client.", Scope.client), ("model.", Scope.model), ("target.", Scope.target),
        ]
        guard let (prefix, make) = kinds.first(where: { name.hasPrefix($0.0) }) else { return (.total, name) }
        let rest = name.dropFirst(prefix.count)
        for metric in names where rest.hasSuffix("." + metric) {
            let owner = rest.dropLast(metric.count + 1)
            if !owner.isEmpty { return (make(String(owner)), metric) }
        }
        return nil
    }

    /// All that may stand behind a scope, the longest first.
    private static let names: [String] = {
        let times = Times.allCases.flatMap { times in Percentile.allCases.map { "\(times.rawValue).\($0.rawValue)" } }
        let all = times + Percentile.allCases.map(\.rawValue) + Count.allCases.map(\.rawValue)
        return all.sorted { $0.count > $1.count }
    }()
}
