internal import Coordination
internal import NIOCore

/// A request that is ready to be sent: what it asked of the coordinator, what it was given, and what it has tried.
struct Passage {
    let route: ModelRoute
    /// How many deployments this request may use.
    let choices: Int
    var admission: Admission
    let payload: Exchange.Payload
    /// Indices of the route's deployments in this request's order.
    let order: [Int]
    /// What is reserved; `nil` before it is admitted, and once it is settled.
    private(set) var reserved: Reserved?
    /// Indices of the route's deployments that have not failed yet, in this request's order.
    private(set) var left: [Int]
    /// When one of those that have failed may be free again, as far as they said.
    private(set) var soonest: NIODeadline?
    /// The coordinator is asked for another deployment, and until it answers nobody knows which one is reserved.
    var isRerouting = false
    /// The last one has failed, and no other was free: the lease holds none.
    var hasNoDeployment = false

    struct Reserved {
        /// Index of one of the route's deployments.
        var deployment: Int
        /// The exchange decides whether the deployment is back in service.
        var isProbe: Bool
        /// When the admission was granted, by the coordinator's clock: a part of the settlement.
        let admitted: Int64
        let authority: Authority
        /// What was left of the deployment's limits then.
        var levels: Levels
    }

    init(route: ModelRoute, order: [Int], admission: Admission, payload: Exchange.Payload) {
        self.route = route
        choices = order.count
        self.order = order
        self.admission = admission
        self.payload = payload
        left = order
    }

    /// The deployment that is reserved.
    var deployment: ModelRoute.Deployment? { reserved.map { route.deployments[$0.deployment] } }
    var isProvisioned: Bool { reserved.map { route.deployments[$0.deployment].isProvisioned } ?? false }
    var candidate: Candidate? { reserved.map { route.candidates[$0.deployment] } }
    /// What the books call it.
    var line: String? { reserved.map { route.lines[$0.deployment] } }
    var candidatesLeft: [Candidate] { left.map { route.candidates[$0] } }

    /// Whether the end of this request can make room for another before time does.
    var mayGiveBack: Bool { candidate?.limits.concurrency != nil || isProvisioned }

    mutating func admitted(_ reservation: Reservation) {
        reserved = Reserved(
            deployment: left[reservation.candidate],
            isProbe: reservation.isProbe,
            admitted: reservation.time,
            authority: reservation.authority,
            levels: reservation.deployment
        )
    }

    /// Milliseconds until one of those that have failed may be free: no more than any of them asked for.
    func wait(_ wait: Int64, now: NIODeadline) -> Int64 {
        guard let soonest else { return wait }
        return min(wait, max(1, (soonest - now).nanoseconds / 1_000_000))
    }

    /// Where a deployment does not say for how long it is to be left alone, the first time it is this long, in milliseconds.
    private static let shortestBackoff: Int64 = 1000

    /// The deployment that was reserved has failed: it is not asked for again.
    mutating func strikeOut(cooldown: Int64?, now: NIODeadline) {
        // One that does not cool is no reason to come back at once.
        let wait = cooldown.map { $0 > 0 ? $0 : Self.shortestBackoff } ?? Self.shortestBackoff
        let free = now + .milliseconds(wait)
        soonest = min(soonest ?? free, free)
        if let reserved { left.removeAll { $0 == reserved.deployment } }
    }

    mutating func rerouted(_ reservation: Reservation) {
        reserved?.deployment = left[reservation.candidate]
        reserved?.isProbe = reservation.isProbe
        reserved?.levels = reservation.deployment
    }

    /// The lease is over, and what it held is no longer this exchange's.
    mutating func release() { reserved = nil }
}
