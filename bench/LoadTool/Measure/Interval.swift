internal import Histogram

/// What happened in one second, on one loop or on all.
struct Interval: Sendable {
    var sent = 0
    var ended = 0
    var succeeded = 0
    var refused = 0
    var failed = 0
    var events = 0
    var tokens = 0
    var bytesReceived = 0
    var inFlight = 0
    var latency = Latencies.empty()
    /// Requests that ended, by target.
    var byTarget: [Int]
    /// CPU time of the loops' threads.
    var busyNanoseconds: Int64 = 0

    init(targets: Int) { byTarget = [Int](repeating: 0, count: targets) }

    mutating func record(_ outcome: borrowing Outcome) {
        ended += 1
        bytesReceived += outcome.bytesReceived
        tokens += outcome.usage?.total ?? 0
        byTarget[outcome.target] += 1
        switch outcome.verdict {
        case .succeeded:
            succeeded += 1
            latency.record(nanoseconds: outcome.ended - outcome.intended)
        case .aborted: succeeded += 1
        case .refused: refused += 1
        case .rejected: failed += 1
        case .failed:
            failed += 1
            latency.record(nanoseconds: outcome.ended - outcome.intended)
        }
    }

    static func += (sum: inout Interval, other: Interval) {
        sum.sent += other.sent
        sum.ended += other.ended
        sum.succeeded += other.succeeded
        sum.refused += other.refused
        sum.failed += other.failed
        sum.events += other.events
        sum.tokens += other.tokens
        sum.bytesReceived += other.bytesReceived
        sum.inFlight += other.inFlight
        sum.latency.add(other.latency)
        for index in sum.byTarget.indices { sum.byTarget[index] += other.byTarget[index] }
        sum.busyNanoseconds += other.busyNanoseconds
    }
}
