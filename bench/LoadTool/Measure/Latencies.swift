internal import Histogram

/// Times in nanoseconds, to three digits, from 1 ns to an hour. It grows with the greatest value: 200 KB at most.
typealias Latencies = Histogram<UInt64>

extension Latencies {
    private static let maximum: Int64 = 3_600_000_000_000

    static func empty() -> Latencies { Latencies(numberOfSignificantValueDigits: .three) }

    /// Less than nothing counts as nothing, more than an hour as an hour.
    mutating func record(nanoseconds: Int64) {
        record(UInt64(Swift.min(Swift.max(nanoseconds, 0), Self.maximum)))
    }

    /// In milliseconds; nil when nothing was recorded.
    func milliseconds(atPercentile percentile: Double) -> Double? {
        totalCount == 0 ? nil : Double(valueAtPercentile(percentile)) / 1e6
    }

    /// What a closed loop would have measured had its callers not waited: while one waits for longer than `interval`, the
    /// requests that it would have sent meanwhile are put in with what they would have waited (HdrHistogram's correction for
    /// coordinated omission, which wrk applies as well).
    func corrected(interval nanoseconds: UInt64) -> Latencies {
        guard nanoseconds > 0 else { return self }
        var corrected = Latencies.empty()
        for value in recordedValues() {
            corrected.recordCorrectedValue(value.value, count: value.count, expectedInterval: nanoseconds)
        }
        return corrected
    }
}
