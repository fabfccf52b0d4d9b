import NIOCore
import Testing

/// A condition that did not come true in time; the text says which one.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Waits until the condition holds. Looks often and gives up after `seconds`, so that no test waits longer than it must.
func eventually(_ what: String, within seconds: Int64 = 10, _ condition: () throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(seconds)
    while try !condition() {
        guard NIODeadline.now() < deadline else { throw TimedOut(description: "not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// A small generator of random numbers with a seed, so that a failing run can be had again (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Bytes that look random and are the same in every run.
func patternBytes(count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}
