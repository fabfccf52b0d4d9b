internal import Glibc

/// How a size or a pause is drawn.
struct Distribution: Equatable, Sendable {
    enum Shape: Equatable, Sendable {
        case fixed(Double)
        case uniform(Double, Double)
        case exponential(mean: Double)
        case normal(mean: Double, deviation: Double)
        /// By what people know of their load: half is below `median`, 95 % below `p95`.
        case logNormal(median: Double, p95: Double)
        case choice([Double])
    }

    /// The 95th percentile of the standard normal distribution.
    private static let p95OfNormal = 1.644_853_626_951_472_7

    let shape: Shape
    /// What is drawn outside is moved to the nearer end.
    let bounds: ClosedRange<Double>

    init(_ shape: Shape, within bounds: ClosedRange<Double> = 0...1e9) {
        self.shape = shape
        self.bounds = bounds
    }

    /// The one value it can have, if it can have but one.
    var constant: Double? {
        if case .fixed(let value) = shape { return clamp(value) }
        return nil
    }

    func draw(_ random: inout SplitMix) -> Double {
        switch shape {
        case .fixed(let value): clamp(value)
        case .uniform(let low, let high): clamp(low + (high - low) * random.unit())
        case .exponential(let mean): clamp(mean * random.exponential())
        case .normal(let mean, let deviation): clamp(mean + deviation * random.normal())
        case .logNormal(let median, let p95):
            clamp(median * exp(random.normal() * log(p95 / median) / Self.p95OfNormal))
        case .choice(let values): clamp(values[Int(random.unit() * Double(values.count))])
        }
    }

    func drawInteger(_ random: inout SplitMix) -> Int { Int(draw(&random).rounded()) }

    private func clamp(_ value: Double) -> Double { min(max(value, bounds.lowerBound), bounds.upperBound) }
}
