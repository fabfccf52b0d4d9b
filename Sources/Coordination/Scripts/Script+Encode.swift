internal import NIOCore

/// Writes the calls of the scripts; the layout of keys and arguments stands at the top of each script.
package struct ScriptEncoder: Sendable {
    let keys: KeySpace

    package init(keys: KeySpace) { self.keys = keys }

    package func call(_ admission: Admission) -> RedisScriptCall {
        let (scopes, candidates) = (admission.scopes, admission.candidates)
        var call = RedisScriptCall(Script.admit)
        call.lease(keys, admission.lease)
        call.states(keys, scopes, candidates)
        call.slots(keys, scopes, candidates)
        call.argument(integers: 4 + ClientLimits.width * scopes.count + Candidate.width * candidates.count) {
            $0.write(admission.terms.slot, admission.terms.probe, admission.estimate, scopes.countWithShadows)
            for scope in scopes { $0.write(scope.limits) }
            for candidate in candidates { $0.write(candidate) }
        }
        call.argument(Int(admission.terms.lease))
        call.argument(admission.terms.slotKeyTerm)
        return call
    }

    package func call(_ reroute: Reroute) -> RedisScriptCall {
        let (failed, failure, candidates) = (reroute.failed, reroute.failure, reroute.candidates)
        var call = RedisScriptCall(Script.reroute)
        call.lease(keys, reroute.lease)
        call.states(keys, [], [failed])
        call.states(keys, [], candidates)
        call.slots(keys, [], [failed])
        call.slots(keys, [], candidates)
        call.argument(integers: 10 + DeploymentLimits.width + Candidate.width * candidates.count) {
            $0.write(reroute.terms.slot, reroute.terms.probe, reroute.estimate)
            $0.write(failure.countsTowardsStreak ? 1 : 0, failure.refundsCharge ? 1 : 0)
            $0.write(failure.cooldown ?? -1, failure.jitter)
            $0.write(failure.feedback)
            $0.write(failed.limits)
            for candidate in candidates { $0.write(candidate) }
        }
        call.argument(Int(reroute.terms.lease))
        call.argument(reroute.terms.slotKeyTerm)
        return call
    }

    package func call(_ settlement: Settlement) -> RedisScriptCall {
        let scopes = settlement.scopes
        let deployment = settlement.deployment
        var call = RedisScriptCall(Script.settle)
        call.lease(keys, settlement.lease)
        call.states(keys, scopes, [])
        if let deployment { call.key(keys.deployment, deployment.id.name) }
        call.slots(keys, scopes, [])
        if let deployment, deployment.limits.concurrency != nil {
            call.key(keys.deploymentSlots, deployment.id.name)
        }
        let usage = settlement.usage
        if let usage { call.usageKey(keys, usage) }
        let width = deployment == nil ? 0 : DeploymentLimits.width
        call.argument(integers: 10 + ClientLimits.width * scopes.count + width) {
            $0.write(settlement.isApart ? 4 : settlement.attempt > 1 ? 2 : settlement.isBeingRenewed ? 1 : 0)
            $0.write(settlement.estimate, settlement.actual ?? -1, settlement.admitted)
            $0.write(settlement.refundsDeployment ? 1 : 0, settlement.succeeded ? 1 : 0)
            $0.write(settlement.feedback)
            $0.write(Int64(scopes.count))
            for scope in scopes { $0.write(scope.limits) }
            if let deployment { $0.write(deployment.limits) }
        }
        call.argument(Int(Settlement.markerTerm))
        if let usage {
            let line = usage.line
            usage.counts.visit { name, count in
                call.field(line, name)
                call.argument(Int(count))
            }
        }
        return call
    }

    package func call(_ cancellation: Cancellation) -> RedisScriptCall {
        let (scopes, candidates) = (cancellation.scopes, cancellation.candidates)
        var call = RedisScriptCall(Script.settle)
        call.lease(keys, cancellation.lease)
        call.states(keys, scopes, candidates)
        call.slots(keys, scopes, candidates)
        call.argument(integers: 10 + ClientLimits.width * scopes.count + DeploymentLimits.width * candidates.count) {
            $0.write(3, cancellation.estimate, 0, 0, 1, 0)
            $0.write(Feedback.none)
            $0.write(Int64(scopes.count))
            for scope in scopes { $0.write(scope.limits) }
            for candidate in candidates { $0.write(candidate.limits) }
        }
        call.argument(Int(Settlement.markerTerm))
        return call
    }

    package func call(_ beat: Beat) -> RedisScriptCall {
        var call = RedisScriptCall(Script.beat)
        call.key(keys.instances)
        for renewal in beat.leases {
            call.lease(keys, renewal.lease)
            call.states(keys, [], [renewal.deployment])
            call.slots(keys, renewal.scopes, [renewal.deployment])
        }
        call.argument(integers: 2 + 4 * beat.leases.count) {
            $0.write(beat.term, beat.terms.slot)
            for renewal in beat.leases {
                let ofScopes = renewal.scopes.count { $0.limits.concurrency != nil }
                $0.write(renewal.restores ? 1 : 0, renewal.admitted, Int64(ofScopes))
                $0.write(renewal.deployment.limits.concurrency == nil ? 0 : 1)
            }
        }
        call.argument(LeaseID.hex(beat.instance))
        call.argument(Int(5 * beat.term))
        call.argument(Int(beat.terms.lease))
        call.argument(beat.terms.slotKeyTerm)
        return call
    }
}

extension [ClientScope] {
    /// How many, and which of them are a shadow.
    fileprivate var countWithShadows: Int64 {
        var count = Int64(self.count)
        for (index, scope) in enumerated() where scope.limits.isShadow { count += 4 << Int64(index) }
        return count
    }
}

extension LeaseTerms {
    /// How long a set of slots is kept: longer than any slot in it.
    fileprivate var slotKeyTerm: Int { Int(2 * slot) }
}
