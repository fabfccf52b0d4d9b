internal import Glibc

/// The SplitMix64 generator (Steele, Lea, Flood 2014): small, seedable, the same on every machine.
struct SplitMix: RandomNumberGenerator {
    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A generator of its own for the `index`th draw, so that a draw never depends on who drew before.
    init(seed: UInt64, index: Int) {
        var outer = SplitMix(seed: seed ^ (UInt64(bitPattern: Int64(index)) &* 0xD1B5_4A32_D192_ED03))
        state = outer.next()
    }

    mutating func next() -> UInt64 {
        state &+= Self.increment
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// Uniform in [0, 1), with 53 bits.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Exponential with mean 1.
    mutating func exponential() -> Double { -log1p(-unit()) }

    /// Normal with mean 0 and standard deviation 1 (Box-Muller; the second value is not kept, to stay repeatable).
    mutating func normal() -> Double {
        let radius = (2 * exponential()).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
}
