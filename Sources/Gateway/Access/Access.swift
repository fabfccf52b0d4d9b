internal import NIOCore

/// Who calls, and who the gateway is to Azure, as one event loop knows it. `Keepers` keeps it up to date.
final class Access {
    /// `nil` where no access tokens are validated.
    private(set) var authenticator: TokenAuthenticator?
    private var keyKeeper: KeyKeeper?
    /// By endpoint.
    private var credentials: [CredentialView?] = []
    private var matchers: [HeaderNameMatcher?] = []
    private var views: [ObjectIdentifier: (keeper: CredentialKeeper, view: CredentialView)] = [:]
    private var failures: AuthenticationFailures?
    private var failureLimit: Int?

    /// From now on another configuration counts.
    ///
    /// To be called on the event loop, in the turn in which it takes up the snapshot.
    func adopt(_ snapshot: Snapshot, _ kept: Keepers.Kept, on eventLoop: any EventLoop) {
        adoptKeys(snapshot, kept, on: eventLoop)
        let earlier = views
        views = [:]
        credentials = kept.credentials.map { keeper in
            guard let keeper else { return nil }
            let id = ObjectIdentifier(keeper)
            let known = (views[id] ?? earlier[id])?.view
            let view = known ?? CredentialView()
            if known == nil { keeper.show(view, on: eventLoop) }
            views[id] = (keeper, view)
            return view
        }
        matchers = snapshot.endpoints.map { endpoint in endpoint.headersMatching.flatMap { HeaderNameMatcher($0) } }
        if failureLimit != snapshot.failureLimit {
            failureLimit = snapshot.failureLimit
            failures = failureLimit.map { AuthenticationFailures(limit: .init(count: $0)) }
        }
    }

    private func adoptKeys(_ snapshot: Snapshot, _ kept: Keepers.Kept, on eventLoop: any EventLoop) {
        guard let policy = snapshot.tokenPolicy, let keeper = kept.keys else {
            (authenticator, keyKeeper) = (nil, nil)
            return
        }
        if keyKeeper === keeper, let authenticator { return authenticator.adopt(policy) }
        let view = KeyView(tenants: policy.tenants.count)
        keeper.show(view, on: eventLoop)
        keyKeeper = keeper
        authenticator = TokenAuthenticator(policy: policy, keys: view)
    }

    // MARK: who calls

    /// The error to answer before a request is looked at, if its address has failed too often.
    func refusal(of address: CallerAddress?, now: NIODeadline) -> GatewayError? {
        guard let address else { return nil }
        return failures?.refusal(of: address, now: now)
    }

    /// A request from there had credentials that prove nothing.
    func failed(_ address: CallerAddress?, now: NIODeadline) {
        guard let address else { return }
        failures?.failed(address, now: now)
    }

    // MARK: who the gateway is

    /// `nil` for an endpoint that needs no token.
    func credential(of endpoint: Int) -> CredentialView? { credentials[endpoint] }

    func matcher(of endpoint: Int) -> HeaderNameMatcher? { matchers[endpoint] }

    // MARK: metrics

    struct Report: Sendable {
        struct Keys: Sendable {
            let tenant: GUID
            /// 1 or 2.
            let version: Int
            let count: Int
            let isFailing: Bool
        }

        var keys: [Keys] = []
        /// Whether there is a token, by endpoint; `nil` where none is needed.
        var tokens: [Bool?] = []
    }

    var report: Report {
        var report = Report()
        if let authenticator {
            report.keys = authenticator.keys.report.map { id, count, isFailing in
                Report.Keys(
                    tenant: authenticator.policy.tenants[id.tenant].id,
                    version: id.version.rawValue + 1,
                    count: count,
                    isFailing: isFailing
                )
            }
        }
        report.tokens = credentials.map { view in
            view.map { if case .authorization = $0.current { true } else { false } }
        }
        return report
    }
}
