internal import Coordination
internal import NIOCore
internal import Transport

/// Waiting for capacity where the model's configuration says so (`queue.max_wait`).
extension Exchange {
    // MARK: wait

    /// Whether others of the model are ahead: the request then waits behind them without being asked for.
    func waitsBehindOthers() -> Bool {
        guard let room = waitingRoom, let client, room.isAhead(ofPriority: client.priority) else { return false }
        if enter(room, wait: nil) {
            room.run()
        } else {
            perform(machine.refused(refusal(wait: room.waitLeft)))
        }
        return true
    }

    /// Has a request wait that every deployment refused; returns whether it does.
    func waits(for refusal: Refusal) -> Bool {
        guard case .deployments = refusal.reason else { return false }
        // One that waits already stays where it is; `WaitingRoom` is told what it was answered.
        if ticket != nil {
            machine.mustWait()
            return true
        }
        guard let room = waitingRoom, enter(room, wait: refusal.wait) else { return false }
        room.run()
        return true
    }

    private var waitingRoom: WaitingRoom? {
        guard let model = passage?.route.model, let bounds = snapshot.queues[model] else { return nil }
        return worker.waitingRooms.room(ofModel: snapshot.roster.models.names[model], bounds)
    }

    private func enter(_ room: WaitingRoom, wait: Int64?) -> Bool {
        guard let client,
            let ticket = room.enter(self, priority: client.priority, bytes: body?.count ?? 0, wait: wait)
        else { return false }
        self.ticket = ticket
        waitsSince = .now()
        machine.mustWait()
        return true
    }

    /// It is this one's turn.
    func askAgain(_ ticket: UInt64) {
        guard let room = waitingRoom, let passage, machine.asksAgain() else { return }
        // The outcome of the last question may be unknown to whoever answered it: each has a lease of its own.
        let admission = passage.admission.again(worker.lease(of: worker.nextID()))
        self.passage = Passage(
            route: passage.route,
            order: passage.order,
            admission: admission,
            payload: passage.payload
        )
        askedForAdmission = nil
        defer { if machine.isAdmitting { askedForAdmission = .now() } }
        traceAdmission()
        worker.coordinator.admit(admission) { [self] decision in
            let waited = NIODeadline.now() - waitsSince
            decided(decision, admission)
            room.answered(ticket, AdmissionQueue.Answer(decision), waited: waited)
        }
    }

    /// The time is over, or someone of a higher priority needs the place.
    func waitedInVain(wait: Int64) { waitIsOver(refusal(wait: wait)) }

    func waitIsOver(_ error: GatewayError) { perform(machine.refused(error)) }

    private func refusal(wait: Int64) -> GatewayError {
        worker.metrics.admission.countRefusal(.deployments, client: client?.index)
        let wait = wait + worker.jitter(of: wait)
        let refusal = Refusal(reason: .deployments, wait: wait, time: 0, levels: [], cooldowns: [])
        return .refused(refusal, scopes: [], model: record.modelName)
    }

    /// The exchange has ended otherwise.
    func leaveQueue() {
        guard let ticket, let model = passage?.route.model else { return }
        worker.waitingRooms.room(ofModel: snapshot.roster.models.names[model])?.leave(ticket)
        self.ticket = nil
    }

    // MARK: give up an attempt for the queue

    /// After a failed attempt without another free deployment: gives everything back and waits, if it may and can be sent again.
    func waitsInsteadOfStopping(_ refusal: Refusal) -> Bool {
        guard ticket == nil, let room = waitingRoom, let passage, let reserved = passage.reserved, canBeSentAgain,
            enter(room, wait: refusal.wait)
        else { return false }
        held = nil
        usage = nil
        self.passage?.release()
        worker.coordinator.cancel(Cancellation(passage.admission, authority: reserved.authority)) { _ in }
        room.run()
        return true
    }
}

extension AdmissionQueue.Answer {
    init(_ decision: AdmissionDecision) {
        self =
            switch decision {
            case .admitted: .admitted
            case .refused(let refusal):
                if case .deployments = refusal.reason { .refused(wait: refusal.wait) } else { .ended }
            case .duplicate, .unavailable: .ended
            }
    }
}

extension Admission {
    /// The same question under another lease.
    fileprivate func again(_ lease: LeaseID) -> Admission {
        Admission(lease: lease, estimate: estimate, scopes: scopes, candidates: candidates, terms: terms)
    }
}
