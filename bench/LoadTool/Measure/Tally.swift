internal import Histogram

/// Counts and times of some of the requests: all, a client's, a model's, a target's.
struct Tally: Sendable {
    /// From the intended start, of requests that were answered with 2xx or failed: what a user waits, stalls included.
    var latency = Latencies.empty()
    /// The same from the moment of sending: what the server took.
    var service = Latencies.empty()
    /// Of 429 and other answers that are not 2xx, from sending.
    var refusal = Latencies.empty()
    /// From the intended start to the first text of a stream.
    var firstToken = Latencies.empty()
    var betweenTokens = Latencies.empty()

    var requests = 0
    var succeeded = 0
    var aborted = 0
    var refused = 0
    var rejected = 0
    var failures = [Int](repeating: 0, count: Outcome.Failure.allCases.count)
    var faults = [Int](repeating: 0, count: StreamCheck.Fault.allCases.count)
    var statuses = [Int](repeating: 0, count: 1_000)
    var retries = 0
    /// 429s that said how long to wait.
    var retryAfters = 0
    var bytesSent = 0
    var bytesReceived = 0
    var streams = 0
    var events = 0
    var usage = TokenUsage()

    mutating func record(_ outcome: borrowing Outcome) {
        requests += 1
        retries += outcome.retries
        bytesSent += outcome.bytesSent
        bytesReceived += outcome.bytesReceived
        events += outcome.events
        if outcome.isStream { streams += 1 }
        if (0..<statuses.count).contains(outcome.status), outcome.status > 0 { statuses[outcome.status] += 1 }
        if let usage = outcome.usage { self.usage += usage }
        if let first = outcome.firstToken { firstToken.record(nanoseconds: first - outcome.intended) }
        if let fault = outcome.fault, let index = StreamCheck.Fault.allCases.firstIndex(of: fault) {
            faults[index] += 1
        }
        switch outcome.verdict {
        case .succeeded:
            succeeded += 1
            latency.record(nanoseconds: outcome.ended - outcome.intended)
            service.record(nanoseconds: outcome.ended - outcome.sent)
        case .aborted: aborted += 1
        case .refused:
            refused += 1
            refusal.record(nanoseconds: outcome.ended - outcome.sent)
        case .rejected:
            rejected += 1
            refusal.record(nanoseconds: outcome.ended - outcome.sent)
        case .failed(let failure):
            if let index = Outcome.Failure.allCases.firstIndex(of: failure) { failures[index] += 1 }
            // A request that never got its answer waited all the same; leaving it out would hide the worst.
            latency.record(nanoseconds: outcome.ended - outcome.intended)
        }
    }

    var failed: Int { failures.reduce(0, +) }

    static func += (sum: inout Tally, other: Tally) {
        sum.latency.add(other.latency)
        sum.service.add(other.service)
        sum.refusal.add(other.refusal)
        sum.firstToken.add(other.firstToken)
        sum.betweenTokens.add(other.betweenTokens)
        sum.requests += other.requests
        sum.succeeded += other.succeeded
        sum.aborted += other.aborted
        sum.refused += other.refused
        sum.rejected += other.rejected
        for index in sum.failures.indices { sum.failures[index] += other.failures[index] }
        for index in sum.faults.indices { sum.faults[index] += other.faults[index] }
        for index in sum.statuses.indices { sum.statuses[index] += other.statuses[index] }
        sum.retries += other.retries
        sum.retryAfters += other.retryAfters
        sum.bytesSent += other.bytesSent
        sum.bytesReceived += other.bytesReceived
        sum.streams += other.streams
        sum.events += other.events
        sum.usage += other.usage
    }
}
