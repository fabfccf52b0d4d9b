internal import Histogram

/// Times of many requests, in milliseconds, as a report keeps them.
struct Quantiles: Codable, Equatable, Sendable {
    let count: Int
    let mean: Double
    let min: Double
    let max: Double
    let p50: Double
    let p75: Double
    let p90: Double
    let p95: Double
    let p99: Double
    let p999: Double
    let p9999: Double
    /// Percentile and milliseconds, denser towards the end: what a percentile curve is drawn from.
    let curve: [[Double]]

    /// Steps of the curve for each halving of what is left above it.
    private static let stepsPerHalving = 5
    /// Of 100 %: beyond it a point is one request in ten million.
    private static let lastPercentile = 99.999_99

    /// nil when nothing was recorded.
    init?(_ latencies: Latencies) {
        guard latencies.totalCount > 0 else { return nil }
        func at(_ percentile: Double) -> Double { Double(latencies.valueAtPercentile(percentile)) / 1e6 }
        count = Int(latencies.totalCount)
        mean = latencies.mean / 1e6
        min = Double(latencies.min) / 1e6
        max = Double(latencies.max) / 1e6
        (p50, p75, p90, p95) = (at(50), at(75), at(90), at(95))
        (p99, p999, p9999) = (at(99), at(99.9), at(99.99))
        var curve: [[Double]] = []
        for value in latencies.percentiles(ticksPerHalfDistance: Self.stepsPerHalving) {
            curve.append([Swift.min(value.percentile, Self.lastPercentile), Double(value.value) / 1e6])
            if value.percentile >= 100 { break }
        }
        self.curve = curve
    }

    subscript(_ percentile: FailCondition.Percentile) -> Double {
        switch percentile {
        case .mean: mean
        case .min: min
        case .max: max
        case .p50: p50
        case .p75: p75
        case .p90: p90
        case .p95: p95
        case .p99: p99
        case .p999: p999
        case .p9999: p9999
        }
    }
}
