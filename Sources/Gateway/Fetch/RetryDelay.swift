internal import NIOCore

/// How long to rest after a failure: twice as long after each, and by chance up to half of it less, so that a fleet does not
/// come back at once.
struct RetryDelay: Sendable {
    let first: TimeAmount
    let longest: TimeAmount

    /// - Parameters:
    ///   - failures: those in a row, at least one.
    ///   - chance: uniform in 0..<1.
    func delay(failures: Int, chance: Double) -> TimeAmount {
        let full = min(first * (1 << min(failures - 1, 20)), longest)
        return .nanoseconds(full.nanoseconds - Int64(Double(full.nanoseconds) / 2 * chance))
    }
}
