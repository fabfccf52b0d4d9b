internal import Coordination
internal import NIOCore

/// What is kept of one exchange that is traced, until its spans are written. Confined to its event loop.
final class ExchangeTrace {
    /// The caller's trace, or one of our own; `parent` is the caller's span.
    let context: TraceContext
    let span: UInt64
    private(set) var admission: Admission?
    private(set) var attempts: [Attempt] = []

    struct Admission {
        let span: UInt64
        let start: NIODeadline
        var end: NIODeadline?
        var outcome = "unknown"
        /// Which limit refused.
        var limit: String?
        /// Which limit in the shadow would have refused.
        var shadowLimit: String?
        var authority: String?
        /// How often was asked: more than once for a request that waited.
        var questions = 1
    }

    /// One try at one deployment.
    struct Attempt {
        let span: UInt64
        let start: NIODeadline
        let endpoint: String
        let address: EndpointURL
        let deployment: String?
        var end: NIODeadline?
        var status: Int?
        var error: String?
    }

    /// More are not kept; there are at most as many as deployments of a model, and a few renewals.
    private static let mostAttempts = 32

    init(context: TraceContext, span: UInt64) {
        self.context = context
        self.span = span
    }

    func askedForAdmission(span: UInt64, at time: NIODeadline) {
        if admission == nil { admission = Admission(span: span, start: time) } else { admission?.questions += 1 }
    }

    func admissionDecided(_ decision: AdmissionDecision, at time: NIODeadline) {
        admission?.end = time
        switch decision {
        case .admitted(let reservation):
            admission?.outcome = "admitted"
            admission?.limit = nil
            admission?.shadowLimit = reservation.shadow.client.map { $0.kind.name }
            admission?.authority =
                switch reservation.authority {
                case .shared: "shared"
                case .local: "local"
                case .nobody: "nobody"
                }
        case .refused(let refusal):
            admission?.outcome = "refused"
            admission?.limit = AdmissionMetrics.limits[AdmissionMetrics.limit(refusal.reason)]
        case .unavailable: admission?.outcome = "unavailable"
        case .duplicate: admission?.outcome = "duplicate"
        }
    }

    func attemptStarted(
        span: UInt64,
        endpoint: GatewayConfiguration.Endpoint,
        deployment: String?,
        at time: NIODeadline
    ) {
        guard attempts.count < Self.mostAttempts else { return }
        attempts.append(
            Attempt(
                span: span,
                start: time,
                endpoint: endpoint.name,
                address: endpoint.url,
                deployment: deployment
            )
        )
    }

    /// The head of the last attempt's answer is there.
    func attemptAnswered(status: Int) {
        guard !attempts.isEmpty else { return }
        attempts[attempts.count - 1].status = status
    }

    /// The last attempt is over.
    func attemptEnded(error: String?, at time: NIODeadline) {
        guard !attempts.isEmpty, attempts[attempts.count - 1].end == nil else { return }
        attempts[attempts.count - 1].end = time
        attempts[attempts.count - 1].error = error
    }
}
