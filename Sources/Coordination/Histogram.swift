package import NIOCore

/// Counts of values in buckets, as Prometheus has them. Pure.
package struct Histogram: Equatable, Sendable {
    /// Upper bounds in nanoseconds, or in what else is counted, ascending; one bucket more takes what lies above.
    package let bounds: [Int64]
    package private(set) var counts: [Int]
    package private(set) var sum: Int64 = 0

    /// 1 ms to 10 minutes: answers of models.
    package static let timeBounds: [Int64] = [
        1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    ].map { $0 * 1_000_000 }

    /// 100 us to 1 s: how late an event loop is, how long Redis takes.
    package static let lagBounds: [Int64] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 1_000_000]
        .map { $0 * 1_000 }

    package init(bounds: [Int64]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    package var total: Int { counts.reduce(0, +) }

    package mutating func observe(_ time: TimeAmount) { observe(time.nanoseconds) }

    package mutating func observe(_ value: Int64) {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum &+= value
    }

    package mutating func add(_ other: Self) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum &+= other.sum
    }
}
