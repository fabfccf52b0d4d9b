internal import Glibc

/// Whether two sets of samples come from the same source (Mann, Whitney 1947; normal approximation, corrected for
/// ties).
///
/// It looks at ranks only, so that one slow second does not decide, and needs no shape of the distribution.
struct MannWhitney: Equatable, Sendable {
    /// Fewer samples on a side can hardly ever prove anything.
    static let minimumSamples = 5

    /// How likely such a difference is when there is none: 0 to 1, both directions.
    let probability: Double
    /// By how much the second is greater: the median of all differences (Hodges, Lehmann 1963).
    let shift: Double

    init?(_ first: [Double], _ second: [Double]) {
        guard min(first.count, second.count) >= Self.minimumSamples else { return nil }
        let all = (first.map { ($0, true) } + second.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var ranksOfFirst = 0.0
        var ties = 0.0
        var start = 0
        while start < all.count {
            var end = start
            while end < all.count, all[end].0 == all[start].0 { end += 1 }
            let size = Double(end - start)
            // All of a tie share the middle of their ranks.
            let rank = Double(start + end + 1) / 2
            for index in start..<end where all[index].1 { ranksOfFirst += rank }
            ties += size * size * size - size
            start = end
        }
        let n = Double(first.count)
        let m = Double(second.count)
        let u = ranksOfFirst - n * (n + 1) / 2
        let variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
        // With the continuity correction.
        let distance = max(0, abs(u - n * m / 2) - 0.5)
        probability = variance > 0 ? Normal.twoSided(distance / variance.squareRoot()) : 1
        let differences = second.flatMap { right in first.map { right - $0 } }.sorted()
        let middle = differences.count / 2
        shift = differences.count % 2 == 1 ? differences[middle] : (differences[middle - 1] + differences[middle]) / 2
    }
}

/// Whether two parts of two totals differ (two-proportion z test).
enum Proportions {
    static func probability(_ first: Int, of firstTotal: Int, _ second: Int, of secondTotal: Int) -> Double? {
        guard firstTotal > 0, secondTotal > 0 else { return nil }
        let n = Double(firstTotal)
        let m = Double(secondTotal)
        let pooled = Double(first + second) / (n + m)
        let variance = pooled * (1 - pooled) * (1 / n + 1 / m)
        guard variance > 0 else { return 1 }
        return Normal.twoSided(abs(Double(first) / n - Double(second) / m) / variance.squareRoot())
    }
}

enum Normal {
    /// How likely a standard normal value is at least that far from 0.
    static func twoSided(_ distance: Double) -> Double { erfc(distance / 2.0.squareRoot()) }
}
