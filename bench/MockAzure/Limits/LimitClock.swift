import NIOCore

/// The clock that limits are kept by, shared by all loops.
struct LimitClock: Sendable {
    private let read: @Sendable () -> Int

    /// Milliseconds; from where does not matter.
    init(_ read: @escaping @Sendable () -> Int) {
        self.read = read
    }

    var now: Int { self.read() }

    static let monotonic = LimitClock { Int(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
}
