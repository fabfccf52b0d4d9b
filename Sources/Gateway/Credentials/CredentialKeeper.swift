package import Logging
package import NIOCore
internal import NIOPosix
package import Transport

/// Keeps a token for one identity and one audience, on one event loop of the process, and shows it to the others.
///
/// Performs what `CredentialStateMachine` decides.
package final class CredentialKeeper: @unchecked Sendable {  // confined to its event loop
    /// What the configuration says of it.
    package struct Settings: Sendable, Equatable {
        package let source: CredentialSource
        /// The audience, such as `https://cognitiveservices.azure.com`.
        package let resource: String
        /// PEM file of trusted roots instead of the system's.
        package var caFile: String?
        /// Where instance metadata is; another place is for tests.
        package var instanceMetadataBase = ManagedIdentity.instanceMetadataBase

        package init(source: CredentialSource, resource: String) {
            self.source = source
            self.resource = resource
        }

        /// Whether both are given tokens for the same one, with the same secret or another.
        func isSameIdentity(as other: Self) -> Bool {
            guard case .clientSecret(let own) = source, case .clientSecret(var others) = other.source else {
                return self == other
            }
            others.secret = own.secret
            return own == others && resource == other.resource && caFile == other.caFile
        }
    }

    private let settings: Settings
    private let transfers: TransferLoop
    private let logger: Logger
    private var machine = CredentialStateMachine()
    private let timer: DeadlineTimer
    private var origin: Origin?
    private var transfer: DocumentTransfer?
    private var views: [(view: CredentialViewBox, eventLoop: any EventLoop)] = []
    private var isStopped = false

    private var eventLoop: any EventLoop { transfers.eventLoop }

    /// To be called on the loop of `transfers`.
    package init(_ settings: Settings, transfers: TransferLoop, logger: Logger) {
        self.settings = settings
        self.transfers = transfers
        self.logger = logger
        timer = DeadlineTimer(eventLoop: transfers.eventLoop)
        timer.attach(self)
    }

    /// Asks for the first token. To be called on its event loop, as `stop`, which comes before the transfers' shutdown.
    ///
    /// - Parameter earlier: kept a token of the same identity, which is good whatever has become of the secret: it serves until
    ///   another comes, so that a new secret that is wrong, or a service that throttles, fails no request.
    package func start(after earlier: CredentialKeeper? = nil) {
        perform(machine.start(with: earlier?.machine.held))
    }

    package func stop() {
        isStopped = true
        timer.stop()
        transfer?.cancel()
        transfer = nil
        // Nobody waits for a keeper that is gone.
        for (box, viewLoop) in views {
            viewLoop.execute {
                if box.view?.current == .pending { box.view?.update(to: .unavailable) }
                box.view?.settled()
            }
        }
        views = []
    }

    /// Keeps a view up to date from now on. To be called on the view's event loop.
    package func show(_ view: CredentialView, on viewLoop: any EventLoop) {
        let box = CredentialViewBox(view: view)
        view.tellRefused = { [eventLoop, weak self] authorization in
            eventLoop.execute { [weak self] in
                guard let self, !self.isStopped else { return }
                self.perform(self.machine.refused(authorization, now: .now()))
                // Another token is here already, or none was asked for: there is nothing to wait for.
                if !self.machine.isAsking { self.settle() }
            }
        }
        eventLoop.execute {
            self.views.append((box, viewLoop))
            let current = self.current
            viewLoop.execute { box.view?.update(to: current) }
        }
    }

    private var current: CredentialView.Current {
        if let held = machine.held { return .authorization(held.authorization) }
        return switch machine.state {
        case .idle, .asking(_, failures: 0): .pending
        case .asking, .resting: .unavailable
        }
    }

    private func perform(_ action: CredentialStateMachine.Action) {
        switch action {
        case .none:
            break
        case .ask:
            ask()
            publish()
        case .serve, .unavailable:
            publish()
        case .keep:
            break
        }
        timer.set(machine.deadline)
    }

    /// A request for a token has ended, or was none.
    private func settle() {
        let current = current
        for (box, viewLoop) in views {
            viewLoop.execute {
                box.view?.update(to: current)
                box.view?.settled()
            }
        }
    }

    private func publish() {
        let current = current
        for (box, viewLoop) in views { viewLoop.execute { box.view?.update(to: current) } }
    }

    // MARK: asking

    private func ask() {
        switch settings.source {
        case .apiKey:
            preconditionFailure("an API key needs no keeper")
        case .managedIdentity(let identity):
            send(.managedIdentity(identity, resource: settings.resource))
        case .clientSecret(let secret):
            send(.clientSecret(secret, resource: settings.resource))
        case .workloadIdentity(let identity):
            // The file may be anywhere, and reading it must not hold up the loop.
            let file = identity.tokenFile
            NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { FederatedToken.read(file) }
                .assumeIsolated().whenComplete { result in
                    guard !self.isStopped else { return }
                    switch result {
                    case .success(let assertion?):
                        self.send(
                            .workloadIdentity(identity, resource: self.settings.resource, assertion: assertion)
                        )
                    case .success(nil), .failure:
                        self.failed(.configuration(reason: "federated_token_unreadable"))
                    }
                }
        }
    }

    private func send(_ request: TokenRequest?) {
        guard let request, let origin = origin(for: request) else {
            return failed(.configuration(reason: "endpoint_not_a_url"))
        }
        let headers = HeaderArena()
        headers.add("Accept", "application/json")
        headers.add(line: "User-Agent:")
        headers.add(line: "Expect:")
        for (name, value) in request.headers { headers.add(name, value) }
        var body = TransferRequest.Body.none
        if let form = request.form {
            let storage = BodyStorage(expected: form.utf8.count)
            Array(form.utf8).withUnsafeBytes { storage.append($0) }
            body = .memory(storage)
        }
        transfer = DocumentTransfer.start(
            TransferRequest(method: request.method, target: request.target, headers: headers, body: body),
            at: origin,
            maxBytes: AccessToken.maxAnswerBytes
        ) { result in
            self.transfer = nil
            self.received(result)
        }
    }

    private func received(_ result: Result<Document, DocumentError>) {
        do throws(CredentialFailure) {
            switch result {
            case .failure(let error):
                throw .transfer(reason: error.reason)
            case .success(let document):
                guard document.status == 200 else {
                    throw .status(document.status, retryAfterSeconds: document.retryAfterSeconds)
                }
                let token = try AccessToken(document.body, now: UnixTime.now())
                logger.debug("upstream token received", metadata: ["lifetime_s": "\(token.lifetime)"])
                perform(machine.received(token, now: .now(), chance: .random(in: 0..<1)))
                settle()
            }
        } catch {
            failed(error)
        }
    }

    private func failed(_ failure: CredentialFailure) {
        logger.warning(
            "no upstream token",
            metadata: ["reason": "\(failure.reason)", "resource": "\(settings.resource)"]
        )
        perform(machine.failed(failure, now: .now(), chance: .random(in: 0..<1)))
        settle()
    }

    /// The same for every request: the base comes from the configuration.
    private func origin(for request: TokenRequest) -> Origin? {
        if let origin { return origin }
        let base = request.base == ManagedIdentity.instanceMetadataBase ? settings.instanceMetadataBase : request.base
        guard let url = try? EndpointURL.parse(base) else { return nil }
        var configuration = OriginConfiguration(base: url.description, timeouts: DocumentTransfer.timeouts)
        configuration.maxConnections = 1
        configuration.caFile = settings.caFile
        let made = Origin(loop: transfers, configuration: configuration)
        origin = made
        return made
    }
}

extension CredentialKeeper: DeadlineHandler {
    package func deadlineReached(_ timer: DeadlineTimer) { perform(machine.timeReached(now: .now())) }
}

/// A view on its way between event loops; touched on its own only, and not kept alive: it holds the way back to its keeper.
private struct CredentialViewBox: @unchecked Sendable {
    weak var view: CredentialView?
}
