internal import Glibc

/// A point in time by which something must have happened.
struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    static func `in`(_ duration: Duration) -> Self { Self(end: .now + duration) }

    /// For what takes milliseconds on an idle machine: long enough for one that is busy and for sanitizers.
    static var soon: Self { .in(.seconds(20)) }

    var hasPassed: Bool { end <= .now }

    /// For `poll`: at least 0, rounded up.
    var milliseconds: Int32 {
        let left = ContinuousClock.Instant.now.duration(to: end)
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64(left / .milliseconds(1)) + 1)
    }
}

struct DeadlinePassed: Error, CustomStringConvertible {
    let awaited: String
    var description: String { "waited in vain for \(awaited)" }
}

/// Returns when the condition holds; looks every two milliseconds.
func wait(for what: String, until deadline: Deadline = .soon, _ condition: () throws -> Bool) throws {
    while try !condition() {
        if deadline.hasPassed { throw DeadlinePassed(awaited: what) }
        usleep(2_000)
    }
}

/// Returns the first value that is not `nil`.
func wait<Value>(for what: String, until deadline: Deadline = .soon, _ value: () throws -> Value?) throws -> Value {
    while true {
        if let value = try value() { return value }
        if deadline.hasPassed { throw DeadlinePassed(awaited: what) }
        usleep(2_000)
    }
}
