/// Draws a part of what comes, at random. Pure but for its seed.
struct RatioSampler {
    private let threshold: UInt64
    private var state: UInt64

    /// - Parameters:
    ///   - ratio: 0 ... 1.
    ///   - seed: any number.
    init(ratio: Double, seed: UInt64) {
        threshold = ratio >= 1 ? .max : UInt64(max(0, ratio) * 0x1p64)
        state = seed
    }

    mutating func draws() -> Bool { threshold == .max || next() < threshold }

    /// Sebastiano Vigna's SplitMix64: a sample is no secret, and the kernel's numbers cost a system call each.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
