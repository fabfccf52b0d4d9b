internal import NIOCore

// What becomes of answers, errors among them: handed out, sent again, counted.
extension RedisClient {
    func answered(_ call: RedisCall, _ reply: RESPReply, isLate: Bool, on connection: RedisConnection) {
        guard case .error(let text) = reply else {
            guard isLate else { return succeed(call, reply) }
            counters.answeredLate += 1
            return call.finish(.success(reply))
        }
        let error = RedisError(reply: text)
        if error.connectionRemedy == .replace, call.purpose == .request { replace(connection, because: error) }
        if isLate { return call.finish(.failure(error)) }
        if sendAgain(call, error, on: connection) {
            counters.sentAgain += 1
        } else {
            fail(call, error)
        }
    }

    func unanswered(_ call: RedisCall, _ error: RedisError, isLate: Bool) {
        if isLate { return call.finish(.failure(error)) }
        fail(call, error)
    }

    /// - Returns: whether the call is under way again, or will be in time.
    private func sendAgain(_ call: RedisCall, _ error: RedisError, on connection: RedisConnection) -> Bool {
        let now = NIODeadline.now()
        switch error.remedy {
        case .none:
            return false
        case .sendText:
            guard !call.isByText, case .script(let script) = call.command else { return false }
            call.isByText = true
            loadAgain(script.script)
            return connection.submit(call, now: now) == nil
        case .retryShortly:
            let pause = TimeAmount.milliseconds(.random(in: 10...20))
            guard call.retries < 2, now + pause < call.deadline else { return false }
            call.retries += 1
            eventLoop.assumeIsolated().scheduleTask(in: pause) { self.submit(call, now: .now()) }
            return true
        case .retryOnFreshConnection:
            guard call.purpose == .request, !call.hasChangedConnection, now - call.sentAt < call.deadline - now else {
                return false
            }
            call.hasChangedConnection = true
            park(call)
            return true
        }
    }

    /// The server has lost its scripts, or had never seen this one. The text that the call is sent with makes it known, but
    /// from Redis 7.4 scripts that came with EVAL are forgotten again; those that were loaded are not.
    private func loadAgain(_ script: RedisScript) {
        guard reloading.insert(script.digest).inserted else { return }
        upkeep(.plain(script.load), deadline: .now() + configuration.preparationTimeout) { _ in
            self.reloading.remove(script.digest)
        }
    }

    // MARK: parked calls

    private func park(_ call: RedisCall) {
        parked.append(call)
        eventLoop.assumeIsolated().scheduleTask(deadline: call.deadline) {
            guard let index = self.parked.firstIndex(where: { $0 === call }) else { return }
            self.parked.remove(at: index)
            self.fail(call, .timedOut(mayHaveRun: false))
        }
    }

    func takeParked() -> [RedisCall] {
        defer { parked = [] }
        return parked
    }

    // MARK: breaker

    func countFailure(_ error: RedisError) {
        guard error.isFailure, let opened = breaker.failed(now: .now(), chance: .random(in: 0..<1)) else { return }
        follow(opened, because: error)
    }

    /// A PING, and a script that does nothing: both must be answered as fast as a user's command must be.
    func probe() {
        let deadline = NIODeadline.now() + configuration.probeDeadline
        upkeep(.plain(.ping), deadline: deadline) { outcome in
            if case .failure(let error) = outcome { self.probeFailed(error) }
        }
        upkeep(.script(RedisScriptCall(.probe)), deadline: deadline) { outcome in
            switch outcome {
            case .failure(let error): self.probeFailed(error)
            case .success:
                // Answers come in order: the PING's is there, and if it was a failure the breaker is open again.
                if let closed = self.breaker.probeSucceeded(now: .now()) { self.follow(closed, because: nil) }
            }
        }
    }

    private func probeFailed(_ error: RedisError) {
        guard let opened = breaker.probeFailed(now: .now(), chance: .random(in: 0..<1)) else { return }
        follow(opened, because: error)
    }

    private func follow(_ transition: Breaker.Transition, because error: RedisError?) {
        switch transition {
        case .opened(let duration):
            observe(.breakerOpened(for: duration, because: error ?? .notConnected))
            eventLoop.assumeIsolated().scheduleTask(in: duration) {
                if self.breaker.probeDue(now: .now()) { self.probe() }
            }
        case .closed:
            observe(.breakerClosed)
        }
    }
}
