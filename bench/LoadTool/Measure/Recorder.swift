internal import Histogram

/// Everything that one loop measured. Added up over the loops, it is the result of a run.
struct Recorder: Sendable {
    /// Spans kept for one client; above it the accounting of its limits stops, and the report says so.
    static let maximumSpans = 4_000_000

    private(set) var total = Tally()
    private(set) var clients: [Tally]
    private(set) var models: [Tally]
    private(set) var targets: [Tally]
    private(set) var interval: Interval
    /// Warm-up included: what the books of others have seen, too.
    private(set) var everything = Tally()
    /// Admitted requests of clients that have limits, by client; warm-up included.
    private(set) var spans: [[AdmissionSpan]]
    private(set) var droppedSpans = 0
    /// How long after the intended time a request was begun: the fault of this tool or of the machine, never of the
    /// server.
    private(set) var lag = Latencies.empty()
    /// How long requests waited for a free connection.
    private(set) var connectionWait = Latencies.empty()
    var connectionsOpened = 0

    private let hasLimits: [Bool]
    private let warmUp: Int64

    init(scenario: Scenario, models: Int) {
        clients = scenario.clients.map { _ in Tally() }
        self.models = (0..<models).map { _ in Tally() }
        targets = scenario.targets.map { _ in Tally() }
        interval = Interval(targets: scenario.targets.count)
        spans = scenario.clients.map { _ in [] }
        hasLimits = scenario.clients.map { $0.limits.requests != nil || $0.limits.tokens != nil }
        warmUp = Int64(scenario.warmUp * 1e9)
    }

    mutating func began(lag nanoseconds: Int64, intended: Int64) {
        interval.sent += 1
        if intended >= warmUp { lag.record(nanoseconds: nanoseconds) }
    }

    mutating func waited(nanoseconds: Int64, intended: Int64) {
        if intended >= warmUp { connectionWait.record(nanoseconds: nanoseconds) }
    }

    /// Text came, so long after the last.
    mutating func token(_ nanoseconds: Int64, client: Int, model: Int, target: Int, intended: Int64) {
        guard intended >= warmUp else { return }
        total.betweenTokens.record(nanoseconds: nanoseconds)
        clients[client].betweenTokens.record(nanoseconds: nanoseconds)
        models[model].betweenTokens.record(nanoseconds: nanoseconds)
        targets[target].betweenTokens.record(nanoseconds: nanoseconds)
    }

    mutating func events(_ count: Int) { interval.events += count }

    /// A 429 said how long to wait.
    mutating func toldToWait(client: Int, model: Int, target: Int, intended: Int64) {
        everything.retryAfters += 1
        guard intended >= warmUp else { return }
        total.retryAfters += 1
        clients[client].retryAfters += 1
        models[model].retryAfters += 1
        targets[target].retryAfters += 1
    }

    mutating func ended(_ outcome: borrowing Outcome) {
        interval.record(outcome)
        everything.record(outcome)
        if hasLimits[outcome.client], outcome.isAdmitted, let head = outcome.head { admitted(outcome, head: head) }
        guard outcome.intended >= warmUp else { return }
        total.record(outcome)
        clients[outcome.client].record(outcome)
        models[outcome.model].record(outcome)
        targets[outcome.target].record(outcome)
    }

    private mutating func admitted(_ outcome: borrowing Outcome, head: Int64) {
        guard spans[outcome.client].count < Self.maximumSpans else {
            droppedSpans += 1
            return
        }
        spans[outcome.client].append(.init(from: outcome.sent, to: head, tokens: outcome.usage?.total ?? 0))
    }

    /// The second that ends now; the next begins empty.
    mutating func takeInterval(inFlight: Int, busyNanoseconds: Int64) -> Interval {
        var taken = interval
        taken.inFlight = inFlight
        taken.busyNanoseconds = busyNanoseconds
        interval = Interval(targets: targets.count)
        return taken
    }

    static func += (sum: inout Recorder, other: Recorder) {
        sum.total += other.total
        sum.everything += other.everything
        for index in sum.clients.indices { sum.clients[index] += other.clients[index] }
        for index in sum.models.indices { sum.models[index] += other.models[index] }
        for index in sum.targets.indices { sum.targets[index] += other.targets[index] }
        for index in sum.spans.indices { sum.spans[index] += other.spans[index] }
        sum.droppedSpans += other.droppedSpans
        sum.lag.add(other.lag)
        sum.connectionWait.add(other.connectionWait)
        sum.connectionsOpened += other.connectionsOpened
    }
}
