internal import Coordination
internal import NIOCore

/// The counters of one event loop. Only that loop writes them; a scrape copies them on the loop and adds the copies up.
struct MetricsShard {
    /// Exchanges by client, model and status class. Labels come from the configuration, so their number is bounded.
    private(set) var requests: [Int]
    private(set) var firstByte: [Histogram]
    private(set) var attempts: [AttemptCounts]
    private(set) var receivedBytes = 0
    private(set) var sentBytes = 0
    var inFlight = 0
    var connections = 0
    var acceptedConnections = 0
    var heartbeats = 0
    /// Answers that say that the gateway's credentials or names are wrong at an endpoint.
    var misconfigured = 0
    /// Requests whose caller was not let in, by reason; the reasons are words of the code.
    private(set) var refusals: [String: Int] = [:]
    var lag = Histogram(bounds: Histogram.lagBounds)
    /// What models were asked for, what that cost and how long it took.
    private(set) var generation: GenerationMetrics
    var admission: AdmissionMetrics

    let clients: Int
    let models: Int

    /// 1xx to 5xx, with 4xx's 499 apart: the client left.
    static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx", "499"]

    struct AttemptCounts {
        /// By status class, without 499.
        var answered = [Int](repeating: 0, count: 5)
        var failed = 0
        var cancelled = 0
    }

    /// One client and one model more than are configured: requests of unknown clients, and without a listed model.
    init(clients: Int, models: Int, endpoints: Int) {
        self.clients = clients
        self.models = models
        requests = [Int](repeating: 0, count: (clients + 1) * (models + 1) * Self.classes.count)
        firstByte = [Histogram](repeating: Histogram(bounds: Histogram.timeBounds), count: models + 1)
        generation = GenerationMetrics(clients: clients, models: models)
        admission = AdmissionMetrics(clients: clients, endpoints: endpoints)
        attempts = [AttemptCounts](repeating: AttemptCounts(), count: endpoints)
    }

    mutating func count(_ record: borrowing ExchangeRecord) {
        let model = record.model ?? models
        requests[index(client: record.client ?? clients, model: model, statusClass: Self.statusClass(record.status))] +=
            1
        if let first = record.firstByte { firstByte[model].observe(first - record.start) }
        generation.count(record)
        if let reason = record.error?.reason { refusals[reason, default: 0] += 1 }
        receivedBytes += record.requestBytes
        sentBytes += record.responseBytes
    }

    mutating func countAttempt(endpoint: Int, status: Int) {
        guard status != 0 else {
            attempts[endpoint].failed += 1
            return
        }
        attempts[endpoint].answered[max(0, min(4, status / 100 - 1))] += 1
    }

    mutating func countCancelled(endpoint: Int) { attempts[endpoint].cancelled += 1 }

    /// Room for what a new configuration names besides. What was counted stays.
    mutating func grow(clients: Int, models: Int, endpoints: Int) {
        guard clients > self.clients || models > self.models || endpoints > attempts.count else { return }
        var grown = Self(
            clients: max(clients, self.clients),
            models: max(models, self.models),
            endpoints: max(endpoints, attempts.count)
        )
        grown.add(self)
        self = grown
    }

    /// - Parameter other: of as many clients, models and endpoints, or of fewer.
    mutating func add(_ other: Self) {
        MetricsRows.each(clients: (other.clients, clients), models: (other.models, models), width: Self.classes.count) {
            requests[$1] += other.requests[$0]
        }
        MetricsRows.each(of: other.models, in: models) { firstByte[$1].add(other.firstByte[$0]) }
        generation.add(other.generation)
        admission.add(other.admission)
        for index in other.attempts.indices {
            for status in attempts[index].answered.indices {
                attempts[index].answered[status] += other.attempts[index].answered[status]
            }
            attempts[index].failed += other.attempts[index].failed
            attempts[index].cancelled += other.attempts[index].cancelled
        }
        receivedBytes += other.receivedBytes
        sentBytes += other.sentBytes
        inFlight += other.inFlight
        connections += other.connections
        acceptedConnections += other.acceptedConnections
        heartbeats += other.heartbeats
        misconfigured += other.misconfigured
        refusals.merge(other.refusals, uniquingKeysWith: +)
        lag.add(other.lag)
    }

    func index(client: Int, model: Int, statusClass: Int) -> Int {
        (client * (models + 1) + model) * Self.classes.count + statusClass
    }

    private static func statusClass(_ status: Int) -> Int {
        if status == 499 { return 5 }
        return max(0, min(4, status / 100 - 1))
    }
}
