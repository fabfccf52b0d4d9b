internal import Glibc
internal import TestSupport

/// Goes up once; whoever waits for it on another thread goes on.
final class Flag: Sendable {
    private let time = Mutex<ContinuousClock.Instant?>(nil)

    func raise() { time.withLock { $0 = $0 ?? .now } }

    /// When it went up.
    var raisedAt: ContinuousClock.Instant? { time.withLock { $0 } }
    var isUp: Bool { raisedAt != nil }

    func await(_ what: String, until deadline: Deadline = .soon) throws {
        while !isUp {
            if deadline.hasPassed { throw TimedOut(awaited: what) }
            usleep(100)
        }
    }
}

/// A value that several threads change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    var current: Value { value.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { value.withLock { body(&$0) } }
}
