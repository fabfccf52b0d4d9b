internal import Glibc
internal import NIOCore

/// The time of day at times of the event loop's clock. How far apart the two clocks are is read once and kept until it is forgotten,
/// a few times a second: reading a clock for each line costs more than writing its digits.
struct WallOffset {
    /// Nanoseconds; `nil` until it is asked for.
    private var offset: Int64?

    /// Nanoseconds since 1970.
    mutating func nanoseconds(at time: NIODeadline) -> Int64 {
        let offset = offset ?? Self.read()
        self.offset = offset
        return Int64(time.uptimeNanoseconds) + offset
    }

    /// The clock may have been set meanwhile.
    mutating func forget() { offset = nil }

    private static func read() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - Int64(NIODeadline.now().uptimeNanoseconds)
    }
}
