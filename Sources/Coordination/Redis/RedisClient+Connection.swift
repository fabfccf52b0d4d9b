package import NIOCore

extension RedisClient: RedisConnectionOwner {
    func connect() {
        let preparation = RedisPreparation(configuration, credentials: credentials, scripts: scripts)
        let connection = RedisConnection(configuration, preparation: preparation, eventLoop: eventLoop, owner: self)
        phase = .connecting(connection)
        counters.connections += 1
        connection.open()
    }

    /// After a pause: nobody waits for the connection, and Azure limits how many are made in a second.
    func reconnect() {
        let pause = backoff.next(chance: .random(in: 0..<1))
        phase = .waiting(eventLoop.assumeIsolated().scheduleTask(in: pause) { self.connect() })
    }

    func connectionReady(_ connection: RedisConnection) {
        guard case .connecting(connection) = phase else { return connection.drain(until: .now()) }
        phase = .ready(connection)
        lastConnectFailure = nil
        reported.removeAll()
        observe(.ready)
        if breaker.connectionReady() { probe() }
        let now = NIODeadline.now()
        for call in takeParked() { submit(call, now: now) }
    }

    func connectionEnded(_ connection: RedisConnection, _ error: RedisError) {
        if retiring.removeValue(forKey: ObjectIdentifier(connection)) != nil { return finishShutDown() }
        switch phase {
        case .connecting(connection):
            if lastConnectFailure != error.code {
                lastConnectFailure = error.code
                observe(.connectFailed(error))
            }
            countFailure(error)
            reconnect()
            for call in takeParked() { fail(call, .notConnected) }
        case .ready(connection):
            backoff.connectionEnded(after: connection.lifetime)
            observe(.lost(error))
            reconnect()
        case .idle, .waiting, .connecting, .ready, .shutDown:
            finishShutDown()
        }
    }

    /// Takes a connection out of use: its commands get their answers, and new ones go to another connection.
    func replace(_ connection: RedisConnection, because error: RedisError) {
        guard case .ready(connection) = phase else { return }
        backoff.connectionEnded(after: connection.lifetime)
        observe(.lost(error))
        reconnect()
        retire(connection, until: .now() + .seconds(1))
    }

    private func retire(_ connection: RedisConnection, until deadline: NIODeadline) {
        retiring[ObjectIdentifier(connection)] = connection
        connection.drain(until: deadline)
    }

    // MARK: credentials

    /// Shows new credentials, such as a fresh Entra token, on the connection in use, and takes them for all to come.
    ///
    /// A connection on which they are refused is kept: it works until the server closes it.
    package func authenticate(_ credentials: RedisCredentials) {
        self.credentials = credentials
        guard isReady else { return }
        upkeep(.plain(credentials.command), deadline: .now() + configuration.preparationTimeout) { _ in }
    }

    // MARK: distrust and shutdown

    /// An answer that made no sense to its reader: nothing on this connection can be believed.
    package func distrust(_ cause: String) {
        guard case .ready(let connection) = phase else { return }
        connection.end(.violation(cause))
    }

    /// Takes no more calls, waits for the answers to those that are on their way, and closes.
    ///
    /// - Parameter completion: called on the event loop, by the deadline.
    package func shutDown(by deadline: NIODeadline, completion: @escaping () -> Void) {
        let last = phase
        phase = .shutDown
        whenShutDown = completion
        for call in takeParked() { fail(call, .shutDown) }
        switch last {
        case .idle, .shutDown: break
        case .waiting(let task): task.cancel()
        case .connecting(let connection), .ready(let connection): retire(connection, until: deadline)
        }
        for connection in Array(retiring.values) { connection.drain(until: deadline) }
        finishShutDown()
    }

    private func finishShutDown() {
        guard case .shutDown = phase, retiring.isEmpty, let whenShutDown else { return }
        self.whenShutDown = nil
        whenShutDown()
    }
}

extension RedisConnection {
    /// For how long it has been ready.
    var lifetime: TimeAmount { readySince.map { .now() - $0 } ?? .zero }

    static func ~= (pattern: RedisConnection, value: RedisConnection) -> Bool { pattern === value }
}
