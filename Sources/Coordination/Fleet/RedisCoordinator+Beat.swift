internal import NIOCore

extension RedisCoordinator {
    func beat(_ beat: Beat, then: @escaping (BeatOutcome?) -> Void) {
        guard isUsable else { return then(nil) }
        run(encoder.call(beat)) { reply throws(ScriptDecoder.UnexpectedReply) in
            try ScriptDecoder.outcome(beat, reply)
        } completion: { outcome in
            switch outcome {
            case .success(let outcome):
                self.fleet.fallback.fleetSize = outcome.instances
                then(outcome)
            case .failure:
                then(nil)
            }
        }
    }

    /// All processes that start together would beat together without the jitter.
    func scheduleBeat() {
        let interval = Double(beatInterval.nanoseconds) * .random(in: 0.9...1.1)
        nextBeat = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(interval))) {
            self.beatAll()
            self.scheduleBeat()
        }
    }

    /// Says that this process lives, and renews all that the loop holds, one call after the other: many at once would delay the
    /// admissions that share the connection.
    func beatAll() {
        guard beating == nil else { return }
        beating = Array(live.keys)[...]
        beatNext()
    }

    private func beatNext() {
        guard var rest = beating else { return }
        var renewals: [Renewal] = []
        renewals.reserveCapacity(min(rest.count, Beat.mostLeases))
        while renewals.count < Beat.mostLeases, let id = rest.popFirst() {
            guard let lease = live[id] else { continue }
            let restores = !lease.isEnding
            if restores { live[id]?.isBeingRenewed = true }
            renewals.append(
                Renewal(
                    lease: id,
                    scopes: lease.scopes,
                    deployment: lease.deployment,
                    admitted: lease.admitted,
                    restores: restores
                )
            )
        }
        beating = rest
        beat(Beat(instance: instance, leases: renewals)) { outcome in
            guard outcome != nil else {
                // What was on its way may still arrive: these leases leave a mark at their end.
                self.beating = nil
                return
            }
            for renewal in renewals where renewal.restores { self.live[renewal.lease]?.isBeingRenewed = false }
            if self.beating?.isEmpty == false { self.beatNext() } else { self.beating = nil }
        }
    }
}
