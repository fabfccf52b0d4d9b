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
    var candidate: Candidate? { reserved.map { route.candidates[$0.deployment] } }
    /// What the books call it.
    var line: String? { reserved.map { route.lines[$0.deployment] } }
    var candidatesLeft: [Candidate] { left.map { route.candidates[$0] } }

    /// Whether the end of this request can make room for another before time does.
    var mayGiveBack: Bool { candidate?.limits.concurrency != nil || deployment?.isProvisioned ?? false }

    mutating func admitted(_ reservation: Reservation) {
        reserved = Reserved(
            deployment: left[reservation.candidate],
            isProbe: reservation.isProbe,
            admitted: reservation.time,
            authority: reservation.authority
        )
    }

    /// The deployment that was reserved has failed: it is not asked for again.
    mutating func strikeOut() {
        if let reserved { left.removeAll { $0 == reserved.deployment } }
    }

    mutating func rerouted(_ reservation: Reservation) {
        reserved?.deployment = left[reservation.candidate]
        reserved?.isProbe = reservation.isProbe
    }

    /// The lease is over, and what it held is no longer this exchange's.
    mutating func release() { reserved = nil }
}
