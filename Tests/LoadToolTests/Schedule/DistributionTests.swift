import Testing

@testable import LoadTool

@Suite("Distributions and shares")
struct DistributionTests {
    private func sample(_ shape: Distribution.Shape, within bounds: ClosedRange<Double> = 0...1e9) -> [Double] {
        var random = SplitMix(seed: 42)
        let distribution = Distribution(shape, within: bounds)
        return (0..<40_000).map { _ in distribution.draw(&random) }.sorted()
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    @Test("have the mean and the spread that they were given")
    func moments() {
        #expect(sample(.fixed(7)).allSatisfy { $0 == 7 })
        let uniform = sample(.uniform(10, 30))
        #expect(abs(mean(uniform) - 20) < 0.2)
        #expect(uniform[0] >= 10 && uniform[39_999] < 30)
        #expect(abs(mean(sample(.exponential(mean: 50))) - 50) < 1.5)
        let normal = sample(.normal(mean: 100, deviation: 10))
        #expect(abs(mean(normal) - 100) < 0.3)
        #expect(abs(normal[33_654] - 110) < 0.7)
        let choice = sample(.choice([1, 5]))
        #expect(abs(mean(choice) - 3) < 0.05)
    }

    @Test("meet median and 95th percentile, if log-normal")
    func logNormal() {
        let values = sample(.logNormal(median: 200, p95: 2_000))
        #expect(abs(values[20_000] / 200 - 1) < 0.05)
        #expect(abs(values[38_000] / 2_000 - 1) < 0.08)
    }

    @Test("stay within their bounds")
    func bounds() {
        let values = sample(.normal(mean: 0, deviation: 100), within: 5...6)
        #expect(values[0] == 5 && values[39_999] == 6)
    }

    @Test("know when they can have but one value")
    func constant() {
        #expect(Distribution(.fixed(9), within: 1...5).constant == 5)
        #expect(Distribution(.uniform(1, 2)).constant == nil)
    }

    @Test("pick in proportion to the shares")
    func shares() {
        let shares = Shares([1, 3, 6])
        var random = SplitMix(seed: 3)
        var counts = [0, 0, 0]
        for _ in 0..<100_000 { counts[shares.pick(&random)] += 1 }
        for (count, expected) in zip(counts, [10_000, 30_000, 60_000]) { #expect(abs(count - expected) < 600) }
        #expect(Shares([5]).pick(&random) == 0)
    }

    @Test("The generator gives the published sequence of SplitMix64")
    func splitMix() {
        // Of the reference implementation (Vigna), seed 1234567.
        var random = SplitMix(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in random.next() } == expected)
    }
}
