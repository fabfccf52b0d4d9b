internal import Coordination
internal import NIOCore

/// What the coordinator decided for the exchanges of one event loop, and what it was told of deployments.
struct AdmissionMetrics {
    private(set) var admitted = 0
    private(set) var refused = 0
    private(set) var unavailable = 0
    private(set) var duplicates = 0
    /// Refusals by client and limit, in the order of `limits`.
    private(set) var refusals: [Int]
    /// Requests that limits in the shadow would have refused, likewise.
    private(set) var shadowRefusals: [Int]
    /// From the question to its answer; zero where the answer is at hand.
    private(set) var wait = Histogram(bounds: Histogram.lagBounds)
    /// Failures that made a deployment cool, by endpoint and kind.
    private(set) var cooldowns: [Int]
    /// Requests that went on at another deployment, and that had none to go on at.
    private(set) var reroutes = 0
    private(set) var reroutesRefused = 0

    private let clients: Int

    static let limits = [
        "requests_per_minute", "tokens_per_minute", "tokens_per_day", "tokens_per_month", "concurrent_requests",
        "deployments",
    ]
    static let kinds: [(kind: Failure.Kind, name: String)] = [
        (.quota, "quota"), (.overload, "overload"), (.serverError, "server_error"), (.timeout, "timeout"),
        (.connection, "connection"),
    ]

    init(clients: Int, endpoints: Int) {
        self.clients = clients
        refusals = [Int](repeating: 0, count: (clients + 1) * Self.limits.count)
        shadowRefusals = refusals
        cooldowns = [Int](repeating: 0, count: endpoints * Self.kinds.count)
    }

    mutating func count(_ decision: AdmissionDecision, after wait: TimeAmount) {
        self.wait.observe(wait)
        switch decision {
        case .admitted: admitted += 1
        case .unavailable: unavailable += 1
        case .duplicate: duplicates += 1
        case .refused: refused += 1
        }
    }

    /// A client is told that it is refused: not each time that a request that waits is.
    mutating func countRefusal(_ reason: Refusal.Reason, client: Int?) {
        refusals[index(client: client ?? clients, limit: Self.limit(reason))] += 1
    }

    mutating func countShadow(_ kind: LimitKind, client: Int?) {
        shadowRefusals[index(client: client ?? clients, limit: kind.rawValue - 1)] += 1
    }

    /// Index of the limit that refused.
    static func limit(_ reason: Refusal.Reason) -> Int {
        switch reason {
        case .client(_, let kind): kind.rawValue - 1
        case .deployments: limits.count - 1
        }
    }

    mutating func count(_ decision: RerouteDecision) {
        switch decision {
        case .rerouted: reroutes += 1
        case .refused: reroutesRefused += 1
        case .reported, .leaseLost, .unavailable: break
        }
    }

    mutating func countFailure(_ failure: Failure, endpoint: Int) {
        // One that passes cools nothing.
        guard failure.cooldown != 0 else { return }
        cooldowns[Self.index(endpoint: endpoint, kind: failure.kind)] += 1
    }

    /// - Parameter other: of as many clients and endpoints, or of fewer.
    mutating func add(_ other: Self) {
        admitted += other.admitted
        refused += other.refused
        unavailable += other.unavailable
        duplicates += other.duplicates
        MetricsRows.each(of: other.clients, in: clients, width: Self.limits.count) {
            refusals[$1] += other.refusals[$0]
            shadowRefusals[$1] += other.shadowRefusals[$0]
        }
        wait.add(other.wait)
        for index in other.cooldowns.indices { cooldowns[index] += other.cooldowns[index] }
        reroutes += other.reroutes
        reroutesRefused += other.reroutesRefused
    }

    func index(client: Int, limit: Int) -> Int { client * Self.limits.count + limit }

    static func index(endpoint: Int, kind: Failure.Kind) -> Int {
        endpoint * kinds.count + (kinds.firstIndex { $0.kind == kind } ?? 0)
    }
}
