extension FailCondition {
    /// Whether the run fails by this condition; nil when the run has no such figure.
    func isMet(by result: RunResult) -> Bool? {
        figure(in: result).map { comparison.holds($0, value) }
    }

    func figure(in result: RunResult) -> Double? {
        switch metric {
        case .time(let scope, let times, let percentile):
            guard let group = group(scope, in: result) else { return nil }
            let quantiles =
                switch times {
                case .latency: group.latency
                case .service: group.service
                case .refusal: group.refusal
                case .firstToken: group.firstToken
                case .betweenTokens: group.betweenTokens
                }
            return quantiles?[percentile]
        case .count(let scope, let count): return group(scope, in: result).flatMap { Self.figure(count, of: $0) }
        case .whole(let whole): return Self.figure(whole, of: result)
        }
    }

    private func group(_ scope: Scope, in result: RunResult) -> RunResult.Group? {
        switch scope {
        case .total: result.total
        case .client(let name): result.clients.first { $0.name == name }
        case .model(let name): result.models.first { $0.name == name }
        case .target(let name): result.byTarget.first { $0.name == name }
        }
    }

    private static func figure(_ count: Count, of group: RunResult.Group) -> Double? {
        let errors = group.rejected + group.failed
        func part(_ count: Int) -> Double? { group.requests > 0 ? Double(count) / Double(group.requests) : nil }
        switch count {
        case .requests: return Double(group.requests)
        case .succeeded: return Double(group.succeeded)
        case .aborted: return Double(group.aborted)
        case .refused: return Double(group.refused)
        case .rejected: return Double(group.rejected)
        case .failed: return Double(group.failed)
        case .retries: return Double(group.retries)
        case .errors: return Double(errors)
        case .brokenStreams: return Double(group.brokenStreams.values.reduce(0, +))
        case .throughput: return group.requestsPerSecond
        case .tokens: return group.tokensPerSecond
        case .errorRate: return part(errors)
        case .refusalRate: return part(group.refused)
        }
    }

    private static func figure(_ whole: Whole, of result: RunResult) -> Double? {
        switch whole {
        case .overshoot: result.windows.map(\.overshoot).max()
        case .undershoot: result.windows.map(\.undershoot).max()
        case .sustainedUndershoot:
            result.windows.filter { $0.seconds == result.windows.map(\.seconds).max() }.map(\.undershoot).max()
        case .fairness: result.fairness
        case .books: result.books.map { Double(abs($0.difference)) }.max()
        case .lag: result.lag?.p99
        case .utilisation: result.utilisation
        case .bottlenecks: Double(result.bottlenecks.count)
        }
    }
}
