extension LimiterState {
    /// `Scripts/beat.lua`.
    mutating func beat(_ beat: Beat, now: Int64) -> BeatOutcome {
        instances = instances.filter { $1 > now }
        instances[beat.instance] = now + beat.term
        var restored: Int64 = 0
        var lost: [Int] = []
        for (index, renewal) in beat.leases.enumerated() {
            if leases[renewal.lease] == nil, renewal.restores {
                let phase = LeaseState.Phase.held(charged: renewal.admitted, trial: 0, home: renewal.deployment.id)
                leases[renewal.lease] = LeaseState(phase: phase, keptUntil: 0)
                restored += 1
            }
            guard let lease = leases[renewal.lease], case .held(_, _, let home) = lease.phase else {
                lost.append(index)
                continue
            }
            leases[renewal.lease] = LeaseState(phase: lease.phase, keptUntil: now + beat.terms.lease)
            let until = now + beat.terms.slot
            for scope in renewal.scopes where scope.limits.concurrency != nil {
                scopeSlots[scope.id, default: Slots()].renew(renewal.lease, until: until, now: now)
            }
            if renewal.deployment.limits.concurrency != nil, renewal.deployment.id == home {
                deploymentSlots[renewal.deployment.id, default: Slots()].renew(renewal.lease, until: until, now: now)
            }
        }
        return BeatOutcome(time: now, instances: Int64(instances.count), restored: restored, lost: lost)
    }
}

extension Slots {
    /// Also frees what has run out, which admissions leave to the beats.
    fileprivate mutating func renew(_ lease: LeaseID, until: Int64, now: Int64) {
        trim(now: now)
        hold(lease, until: until)
    }
}
