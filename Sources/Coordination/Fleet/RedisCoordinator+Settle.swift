internal import NIOCore

/// The end of a lease, on its way to Redis.
struct LeaseEnd {
    enum Kind {
        case settlement(Settlement)
        /// Of a lease that Redis never knew: the usage is counted, and charged to the limits.
        case usage(Settlement)
        case cancellation(Cancellation)
    }

    let kind: Kind
    let then: ((SettlementOutcome) -> Void)?

    init(_ kind: Kind, then: ((SettlementOutcome) -> Void)? = nil) {
        self.kind = kind
        self.then = then
    }

    var lease: LeaseID {
        switch kind {
        case .settlement(let settlement), .usage(let settlement): settlement.lease
        case .cancellation(let cancellation): cancellation.lease
        }
    }
}

extension RedisCoordinator {
    /// - Parameter then: called when Redis has acknowledged it, however long Redis is away; `dropped` when it is given up.
    func settle(_ settlement: Settlement, then: @escaping (SettlementOutcome) -> Void) {
        switch settlement.authority {
        case .shared:
            if live[settlement.lease]?.isHere == true { fleet.fallback.settle(settlement, charged: []) { _ in } }
            live[settlement.lease]?.isEnding = true
            if let deployment = settlement.givesBackTo { refusals.capacityReturned(deployment) }
            enqueue(LeaseEnd(.settlement(settlement), then: then))
        case .local:
            enqueueUsage(of: settlement)
            fleet.fallback.settle(settlement, then: then)
        case .nobody:
            enqueueUsage(of: settlement)
            then(.applied)
        }
    }

    /// - Parameter then: as for settlements.
    func cancel(_ cancellation: Cancellation, then: @escaping (SettlementOutcome) -> Void) {
        switch cancellation.authority {
        case .shared:
            if live[cancellation.lease]?.isHere == true { fleet.fallback.cancel(cancellation, charged: []) { _ in } }
            live[cancellation.lease]?.isEnding = true
            for candidate in cancellation.candidates { refusals.capacityReturned(candidate.id) }
            fleet.counters.cancellations.increment()
            enqueue(LeaseEnd(.cancellation(cancellation), then: then))
        case .local:
            fleet.fallback.cancel(cancellation, then: then)
        case .nobody:
            then(.alreadyApplied)
        }
    }

    private func enqueueUsage(of settlement: Settlement) {
        guard settlement.usage != nil else { return }
        enqueue(LeaseEnd(.usage(settlement)))
    }

    // MARK: the queue

    func enqueue(_ end: LeaseEnd) {
        fleet.counters.queueDepth.increment()
        if let dropped = queue.add(end) { drop(dropped) }
        sendQueue()
    }

    func resumeQueue() {
        queue.resume()
        sendQueue()
    }

    private func sendQueue() {
        guard isUsable else { return }
        while let sending = queue.next() { send(sending) }
    }

    private func send(_ sending: SettleQueue<LeaseEnd>.Sending) {
        run(call(for: sending)) { reply throws(ScriptDecoder.UnexpectedReply) in
            try ScriptDecoder.outcome(reply)
        } completion: { outcome in
            // Not sent again before it is certain that no answer comes: a slow Redis is not asked twice.
            if case .failure(let error) = outcome, error.code == .timedOut, error.mayHaveRun { return }
            self.answered(sending.ticket, outcome)
        } late: { outcome in
            self.answered(sending.ticket, outcome)
        }
    }

    private func call(for sending: SettleQueue<LeaseEnd>.Sending) -> RedisScriptCall {
        switch sending.entry.kind {
        case .settlement(var settlement):
            settlement.attempt = sending.attempt
            settlement.isBeingRenewed = live[settlement.lease]?.isBeingRenewed ?? false
            return encoder.call(settlement)
        case .usage(let settlement):
            return encoder.call(settlement.apart(now: LocalCoordinator.wallClock()))
        case .cancellation(let cancellation):
            return encoder.call(cancellation)
        }
    }

    private func answered(_ ticket: UInt64, _ outcome: Result<SettlementOutcome, RedisError>) {
        switch outcome {
        case .success(let outcome):
            guard let end = queue.acknowledged(ticket) else { return }
            queuePause = Backoff()
            ended(end, outcome)
            sendQueue()
        case .failure(let error):
            if let dropped = queue.failed(ticket, SettleQueue<LeaseEnd>.Failure(error)) { drop(dropped) }
            pauseQueue()
        }
    }

    /// A connection that comes up resumes the queue at once; this is for a Redis that answers with errors.
    private func pauseQueue() {
        guard queue.isHeld, !isQueuePausing else { return }
        isQueuePausing = true
        eventLoop.assumeIsolated().scheduleTask(in: queuePause.next(chance: .random(in: 0..<1))) {
            self.isQueuePausing = false
            if self.isUsable { self.resumeQueue() }
        }
    }

    private func drop(_ end: LeaseEnd) {
        fleet.counters.dropped.increment()
        switch end.kind {
        case .settlement(let settlement), .usage(let settlement): fleet.observe(.settlementDropped(settlement))
        case .cancellation: break
        }
        ended(end, .dropped)
    }

    private func ended(_ end: LeaseEnd, _ outcome: SettlementOutcome) {
        switch end.kind {
        case .settlement, .cancellation: live[end.lease] = nil
        case .usage: break
        }
        end.then?(outcome)
        // Last: whoever waits for an empty queue may look at what was told.
        fleet.counters.queueDepth.decrement()
        finishDrainingIfTold()
    }

    // MARK: the end

    /// Waits until no admission is open and all is acknowledged, or the deadline is there, gives up what is left and closes the connection.
    func drain(until deadline: NIODeadline, completion: @escaping () -> Void) {
        guard !queue.isClosed, whenDrained == nil else { return completion() }
        nextBeat?.cancel()
        let isolated = eventLoop.assumeIsolated()
        let timer = isolated.scheduleTask(deadline: deadline) { self.finishDraining() }
        whenDrained = {
            timer.cancel()
            for end in self.queue.close() { self.drop(end) }
            self.client.shutDown(by: deadline, completion: completion)
        }
        finishDrainingIfTold()
    }

    /// What Redis still admits for somebody who is gone has to be taken back first.
    func finishDrainingIfTold() {
        if queue.count == 0, undecided == 0 { finishDraining() }
    }

    private func finishDraining() {
        let finish = whenDrained
        whenDrained = nil
        finish?()
    }
}

extension Settlement {
    /// The deployment that has more room afterwards: a slot, or what was estimated and not used.
    fileprivate var givesBackTo: DeploymentID? {
        guard let deployment else { return nil }
        let returns = refundsDeployment && actual ?? estimate < estimate
        return returns || deployment.limits.concurrency != nil ? deployment.id : nil
    }
}

extension SettleQueue.Failure {
    init(_ error: RedisError) {
        switch error.code {
        case .other, .crossSlot: self = .refused
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .connectionLost, .stalled,
            .backlog, .breakerOpen, .shutDown, .protocolViolation, .readOnly, .masterDown, .loading, .busy,
            .clusterDown, .noReplicas, .notPersisting, .tryAgain, .moved, .ask, .noScript, .outOfMemory,
            .noAuthentication, .wrongPassword, .noPermission, .denied, .tooManyClients:
            self = error.mayHaveRun ? .unknown : .notRun
        }
    }
}
