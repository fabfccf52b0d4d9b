extension Settlement {
    /// For Redis, of what this process decided alone: counts the usage and charges it, however often it is sent. It leaves a mark
    /// each time, under a name of its own, as a cancellation of the same lease may leave one too.
    ///
    /// Quotas are charged all of it. A rate is charged what was used while it could still be missed: had it been charged then, a
    /// bucket that fills within a minute would be full again a minute later. So an outage leaves no debt behind that is older
    /// than the bucket. What the configuration let pass without any limit (`open`) is charged to no rate.
    ///
    /// - Parameter now: milliseconds since 1970.
    func apart(now: Int64) -> Settlement {
        let age = authority == .nobody ? .max : max(0, now - admitted)
        return Settlement(
            lease: LeaseID(instance: lease.instance, start: lease.start, sequence: lease.sequence | 1 << 63),
            estimate: 1,
            actual: actual ?? estimate,
            admitted: admitted,
            scopes: scopes.map { ClientScope(id: $0.id, limits: $0.limits.charged(age: age)) },
            deployment: deployment.map {
                Candidate(
                    id: $0.id,
                    limits: DeploymentLimits(
                        requests: $0.limits.requests?.charged(age: age),
                        tokens: $0.limits.tokens?.charged(age: age)
                    ),
                    isProbed: $0.isProbed
                )
            },
            succeeded: false,
            usage: usage,
            authority: .shared,
            isApart: true
        )
    }
}

extension ClientLimits {
    fileprivate func charged(age: Int64) -> ClientLimits {
        ClientLimits(
            requests: requests?.charged(age: age),
            tokens: tokens?.charged(age: age),
            tokensPerDay: tokensPerDay,
            tokensPerMonth: tokensPerMonth,
            isShadow: isShadow
        )
    }
}

extension Rate {
    /// `nil` once the empty bucket would have filled.
    fileprivate func charged(age: Int64) -> Rate? { age < Bucket(self).timeToFull(from: 0) ? self : nil }
}
