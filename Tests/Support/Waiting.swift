internal import Glibc

/// A point in time by which something must have happened.
package struct Deadline: Sendable {
    private let end: ContinuousClock.Instant

    package static func `in`(_ duration: Duration) -> Self { Self(end: .now + duration) }

    /// For what takes milliseconds on an idle machine: long enough for one that is busy and for sanitizers.
    package static var soon: Self { .in(.seconds(20)) }

    package var hasPassed: Bool { end <= .now }

    /// For `poll`: at least 0, rounded up.
    package var milliseconds: Int32 {
        let left = ContinuousClock.Instant.now.duration(to: end)
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64(left / .milliseconds(1)) + 1)
    }
}

/// A condition that did not come true in time.
package struct TimedOut: Error, CustomStringConvertible {
    package let awaited: String
    package init(awaited: String) { self.awaited = awaited }
    package var description: String { "waited in vain: \(awaited)" }
}

/// Something that should have been otherwise.
package struct Unexpected: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Waits until the condition holds. Looks often and gives up after `seconds`, so that no test waits longer than it must.
package func eventually(
    _ what: String,
    within seconds: Int64 = 60,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = Deadline.in(.seconds(seconds))
    while try await !condition() {
        if deadline.hasPassed { throw TimedOut(awaited: what) }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// The same on a thread that may block. Looks every two milliseconds.
package func wait(for what: String, until deadline: Deadline = .soon, _ condition: () throws -> Bool) throws {
    _ = try wait(for: what, until: deadline) { try condition() ? true : nil }
}

/// Returns the first value that is not `nil`.
package func wait<Value>(
    for what: String,
    until deadline: Deadline = .soon,
    _ value: () throws -> Value?
) throws -> Value {
    while true {
        if let value = try value() { return value }
        if deadline.hasPassed { throw TimedOut(awaited: what) }
        usleep(2_000)
    }
}
