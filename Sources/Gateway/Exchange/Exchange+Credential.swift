internal import Coordination
internal import NIOCore
internal import Transport

/// Who the gateway is to the deployment that was reserved: a key at once, a token when there is one.
extension Exchange {
    /// Whose credential Azure has seen.
    enum ShownCredential {
        case gateways
        /// The gateway's as well, and one that can be replaced: a value of `Authorization`.
        case token(String)
        case clients
    }

    /// Who waits for a token, and where.
    struct TokenWait {
        let view: CredentialView
        let ticket: CredentialView.Ticket
        /// For another than the one that was refused.
        let isRenewal: Bool
    }

    /// How long a request waits for the gateway's own token.
    private static let longestTokenWait = TimeAmount.seconds(10)

    /// What the attempt at an endpoint shows; `nil` where it has to wait, or where there is nothing to show.
    func credential(for index: Int) -> UpstreamCredential? {
        shown = .gateways
        if passesCredential { return ownCredential() }
        switch snapshot.endpoints[index].credential {
        case .none:
            return UpstreamCredential.none
        case .apiKey(let key):
            return .apiKey(key)
        case .passThrough:
            return ownCredential()
        case .token:
            guard let view = worker.access.credential(of: index) else {
                // The exchange is older than a configuration that shows this endpoint something else.
                machine.awaitingToken()
                tokenIsMissing()
                return nil
            }
            switch view.current {
            case .apiKey(let key):
                return .apiKey(key)
            case .authorization(let value):
                shown = .token(value)
                return .authorization(value)
            case .pending:
                machine.awaitingToken()
                waitForToken(view.wait { [self] in tokenCame($0) }, in: view, isRenewal: false)
            case .unavailable:
                machine.awaitingToken()
                tokenIsMissing()
            }
            return nil
        }
    }

    /// The client's, as it came.
    private func ownCredential() -> UpstreamCredential {
        shown = .clients
        if let key = fields.apiKey { return .apiKey(key) }
        return fields.authorization.map { .authorization($0) } ?? UpstreamCredential.none
    }

    private func waitForToken(_ ticket: CredentialView.Ticket?, in view: CredentialView, isRenewal: Bool) {
        guard let ticket else { return tokenIsMissing() }
        tokenWait = TokenWait(view: view, ticket: ticket, isRenewal: isRenewal)
        startTimer(after: Self.longestTokenWait)
    }

    /// The first token, or word that there is none.
    private func tokenCame(_ current: CredentialView.Current) {
        tokenWait = nil
        stopTimer()
        guard case .authorization = current else { return tokenIsMissing() }
        if machine.tokenReceived() == .forward { forward() }
    }

    // MARK: renewal

    /// Whether Azure has refused a token that may have been replaced meanwhile, or can be. Once for each exchange.
    func mayRenew(_ held: HeldAnswer) -> Bool {
        guard case .token = shown else { return false }
        return held.head.status == 401 && !hasRenewed && maySendAgain
    }

    /// Asks for another token.
    func renewToken() {
        guard case .token(let refused) = shown, let index = record.endpoint,
            let view = worker.access.credential(of: index)
        else { return tokenIsMissing() }
        hasRenewed = true
        if case .authorization(let value) = view.current, value != refused { return renewed(view.current, refused) }
        waitForToken(view.renew(refused) { [self] in renewed($0, refused) }, in: view, isRenewal: true)
    }

    private func renewed(_ current: CredentialView.Current, _ refused: String) {
        tokenWait = nil
        stopTimer()
        guard case .authorization(let value) = current, value != refused else { return tokenIsMissing() }
        guard machine.tokenReceived() == .forward else { return }
        held = nil
        forward()
    }

    // MARK: no token

    /// There is none, or none that Azure takes, or it has not come in time.
    func tokenIsMissing() {
        giveUpToken()
        stopTimer()
        let refused = held.flatMap { verdict(on: $0) }
        let failure = refused ?? AttemptFailure(failure: .passing, error: .upstreamTokenUnavailable)
        let error = held == nil ? failure.error : nil
        switch machine.tokenMissing(error, reroutes: held == nil ? mayReroute : refused != nil) {
        case .reroute: reroute(failure)
        case let action: perform(action)
        }
    }

    /// Nobody waits for it any more.
    func giveUpToken() {
        guard let wait = tokenWait else { return }
        tokenWait = nil
        if wait.isRenewal { wait.view.cancelRenewal(wait.ticket) } else { wait.view.cancel(wait.ticket) }
    }
}
