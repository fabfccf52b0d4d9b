internal import NIOCore

/// How long to wait before the next attempt to connect: exponential with full jitter. Pure.
///
/// Azure limits the rate of new connections, and after a failover a whole fleet comes back at once; drawing from the whole
/// interval spreads it best (AWS Architecture Blog, "Exponential Backoff And Jitter").
struct Backoff {
    var first = TimeAmount.milliseconds(50)
    var longest = TimeAmount.seconds(5)
    /// A connection that stayed usable so long ends the row of attempts. One that breaks sooner does not: a server that
    /// takes connections and then cannot serve would otherwise see a reconnect every few milliseconds.
    var steadyAfter = TimeAmount.seconds(5)

    private(set) var attempts = 0

    /// - Parameter chance: uniform in 0..<1.
    mutating func next(chance: Double) -> TimeAmount {
        let interval = min(first * (1 << min(attempts, 20)), longest)
        attempts += 1
        return .nanoseconds(Int64(Double(interval.nanoseconds) * chance))
    }

    mutating func connectionEnded(after lifetime: TimeAmount) {
        if lifetime >= steadyAfter { attempts = 0 }
    }
}
