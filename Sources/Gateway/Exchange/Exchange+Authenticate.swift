internal import NIOCore
internal import Transport

/// Who calls: by a key at once, by an access token at once or when its tenant's keys are there.
extension Exchange {
    /// A request whose caller is not known yet.
    struct Unidentified {
        /// Kept alive here: a new configuration may bring another one.
        let authenticator: TokenAuthenticator
        let waiting: TokenAuthenticator.Waiting
    }

    /// How long a request waits for the keys of its tenant.
    private static let longestKeyWait = TimeAmount.seconds(10)

    func authenticate() {
        if let refusal = worker.access.refusal(of: record.address, now: record.start) {
            return refuse(refusal)
        }
        let snapshot = snapshot
        switch snapshot.clients.find(
            apiKey: fields.apiKey,
            authorization: fields.authorization,
            hasher: worker.hasher
        ) {
        case .client(let client):
            identified(client)
            takeTurn()
        case .refused(let error):
            refuse(error)
        case .bearer(let token, let digest):
            if let authenticator = worker.access.authenticator {
                authenticate(token, digest, authenticator)
            } else if let client = snapshot.clients.anyBearer {
                passesCredential = true
                identified(client)
                takeTurn()
            } else {
                refuse(.unknownKey)
            }
        }
    }

    private func authenticate(_ token: Substring, _ digest: KeyDigest, _ authenticator: TokenAuthenticator) {
        if case .failure(let refusal)? = fields.authorization.map(BearerToken.read) {
            return refuse(GatewayError(refusal))
        }
        var text = token
        let outcome = text.withUTF8 {
            authenticator.authenticate(UnsafeRawBufferPointer($0), digest: digest, now: UnixTime.now())
        }
        switch outcome {
        case .identity(let identity):
            identified(identity)
            takeTurn()
        case .refused(let refusal):
            refuse(GatewayError(refusal))
        case .pending(let wish):
            machine.identifying()
            if postponed == nil { postponed = PostponedBody() }
            let waiting = authenticator.wait(
                for: wish,
                token: String(token),
                digest: digest,
                from: record.address ?? .unknown,
                now: UnixTime.now
            ) { [self] in judged($0) }
            switch waiting {
            case .success(let waiting):
                unidentified = Unidentified(authenticator: authenticator, waiting: waiting)
                // What has been read is kept; the rest stays in the socket until it is known whose it is.
                connection.holdReads()
                startTimer(after: Self.longestKeyWait)
            case .failure(let refusal):
                refuse(GatewayError(refusal))
            }
        }
    }

    /// The keys came, or did not.
    private func judged(_ result: Result<TokenIdentity, TokenRefusal>) {
        stopTimer()
        switch result {
        case .failure(let refusal):
            refuse(GatewayError(refusal))
        case .success(let identity):
            guard machine.identified() == .takeBody else { return }
            let unidentified = self.unidentified
            // The identity names its client by the policy that it was judged by.
            if unidentified?.authenticator.policy.epoch != snapshot.tokenPolicy?.epoch { edition = worker.edition }
            identified(identity)
            self.unidentified = nil
            connection.releaseReads()
            takeTurn()
        }
    }

    /// It is known who calls: the body's turn, as far as it has come already.
    private func takeTurn() {
        takeBody()
        guard let postponed else { return }
        self.postponed = nil
        for bytes in postponed.parts { receive(bytes) }
        if postponed.hasEnded { requestEnded() }
    }

    /// The keys have not come in time.
    func stopIdentifying() {
        giveUpIdentifying()
        refuse(GatewayError(.keysUnavailable))
    }

    /// Nobody waits for who it was.
    func giveUpIdentifying() {
        guard let unidentified else { return }
        self.unidentified = nil
        unidentified.authenticator.giveUp(unidentified.waiting)
    }

    private func identified(_ identity: TokenIdentity) {
        record.identity = identity
        identified(snapshot.clients.clients[identity.client])
    }

    private func identified(_ client: ClientDirectory.Client) {
        self.client = client
        record.client = client.index
        record.clientName = client.name
    }

    /// Whoever it is, this does not show it.
    private func refuse(_ error: GatewayError) {
        if error.status == 401 { worker.access.failed(record.address, now: record.start) }
        perform(machine.refused(error))
    }
}

extension CallerAddress {
    /// All that no address is known of.
    static let unknown = CallerAddress(ipv4: 0)
}
