import Testing

@testable import LoadTool

@Suite("The comparison of two runs")
struct ComparisonTests {
    @Test("has the published probability and shift")
    func mannWhitney() throws {
        // The first has ranks 1, 2, 4, 5, 10: U = 22 - 15 = 7; z = (5.5 - 0.5) / sqrt(25 * 11 / 12) = 1.0445.
        let test = try #require(MannWhitney([1, 2, 3, 4, 9], [5, 6, 7, 8, 2.5]))
        #expect(abs(test.probability - 0.2963) < 0.0005)
        let apart = try #require(MannWhitney([1, 2, 3, 4, 5], [11, 12, 13, 14, 15]))
        #expect(apart.shift == 10)
        #expect(abs(apart.probability - 0.0122) < 0.0005)
        #expect(try #require(MannWhitney([1, 1, 1, 1, 1], [1, 1, 1, 1, 1])).probability == 1)
        #expect(MannWhitney([1, 2, 3, 4], [5, 6, 7, 8, 9]) == nil)
    }

    @Test("finds no difference where there is none more often than chance allows")
    func falseAlarms() throws {
        var random = SplitMix(seed: 5)
        var alarms = 0
        for _ in 0..<1_000 {
            let first = (0..<20).map { _ in random.normal() }
            let second = (0..<20).map { _ in random.normal() }
            if try #require(MannWhitney(first, second)).probability < 0.05 { alarms += 1 }
        }
        #expect((25...75).contains(alarms))
    }

    @Test("judges parts of totals")
    func proportions() throws {
        let same = try #require(Proportions.probability(10, of: 1_000, 12, of: 1_000))
        #expect(same > 0.5)
        let other = try #require(Proportions.probability(10, of: 1_000, 40, of: 1_000))
        #expect(other < 0.001)
        #expect(Proportions.probability(0, of: 0, 1, of: 10) == nil)
        #expect(Proportions.probability(0, of: 10, 0, of: 10) == 1)
    }

    private func run(rate: Int, milliseconds: Double, noise: Int, seed: UInt64, errors: Int = 0) -> RunResult {
        var random = SplitMix(seed: seed)
        let seconds = (0..<10).map { _ in
            (
                rate: rate + Int.random(in: -noise...noise, using: &random),
                milliseconds: milliseconds * (1 + random.unit() / 10)
            )
        }
        var tally = Tally()
        for second in seconds {
            for _ in 0..<second.rate { tally.record(outcome(milliseconds: second.milliseconds, status: 200)) }
        }
        for _ in 0..<errors { tally.record(outcome(milliseconds: 1, status: 500)) }
        return result(tally: tally, timeline: timeline(seconds))
    }

    private func verdicts(_ before: RunResult, _ after: RunResult) -> [String: RunComparison.Verdict] {
        let rows = RunComparison(before: before, after: after).rows
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.verdict) })
    }

    @Test("says what is worse, better, and only noise")
    func judging() {
        let base = run(rate: 1_000, milliseconds: 10, noise: 50, seed: 1)
        let again = verdicts(base, run(rate: 1_000, milliseconds: 10, noise: 50, seed: 2))
        #expect(again["throughput (2xx/s)"] == .same)
        #expect(again["latency p50"] == .same)
        let slower = verdicts(base, run(rate: 800, milliseconds: 13, noise: 50, seed: 3, errors: 200))
        #expect(slower["throughput (2xx/s)"] == .worse)
        #expect(slower["latency p50"] == .worse)
        #expect(slower["errors (part of all)"] == .worse)
        let faster = verdicts(base, run(rate: 1_300, milliseconds: 7, noise: 50, seed: 4))
        #expect(faster["throughput (2xx/s)"] == .better)
        #expect(faster["latency p99"] == .better)
    }

    @Test("tells what makes it doubtful")
    func remarks() {
        let base = run(rate: 10, milliseconds: 1, noise: 1, seed: 1)
        let comparison = RunComparison(before: base, after: result(name: "y", tally: Tally()))
        #expect(comparison.remarks == ["the scenarios differ: x and y"])
        #expect(comparison.text.contains("Note: the scenarios differ"))
    }
}
