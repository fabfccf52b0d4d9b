/// Draws a part of what comes, at random. Pure but for its seed.
struct RatioSampler {
    private let threshold: UInt64
    private var random: SplitMix64

    /// - Parameters:
    ///   - ratio: 0 ... 1.
    ///   - seed: any number.
    init(ratio: Double, seed: UInt64) {
        threshold = ratio >= 1 ? .max : UInt64(max(0, ratio) * 0x1p64)
        random = SplitMix64(seed: seed)
    }

    mutating func draws() -> Bool { threshold == .max || random.next() < threshold }
}
