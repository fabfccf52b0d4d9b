// A replica's part of a limit while the replicas cannot ask each other: never nothing, and together at most the limit, but for
// what is too small to be divided.

extension Rate {
    func divided(by replicas: Int64) -> Rate {
        guard let share = Rate(perMinute: max(1, perMinute / replicas), burst: max(1, burst / replicas)) else {
            preconditionFailure("a part of a rate, and at least one, is in range")
        }
        return share
    }
}

extension ClientLimits {
    func divided(by replicas: Int64) -> ClientLimits {
        ClientLimits(
            requests: requests?.divided(by: replicas),
            tokens: tokens?.divided(by: replicas),
            concurrency: concurrency.map { slots($0, dividedBy: replicas) },
            tokensPerDay: tokensPerDay.map { max(1, $0 / replicas) },
            tokensPerMonth: tokensPerMonth.map { max(1, $0 / replicas) },
            isShadow: isShadow
        )
    }
}

extension ClientScope {
    func divided(by replicas: Int64) -> ClientScope { ClientScope(id: id, limits: limits.divided(by: replicas)) }
}

extension Candidate {
    func divided(by replicas: Int64) -> Candidate {
        let share = DeploymentLimits(
            requests: limits.requests?.divided(by: replicas),
            tokens: limits.tokens?.divided(by: replicas),
            concurrency: limits.concurrency.map { slots($0, dividedBy: replicas) },
            isShadow: limits.isShadow
        )
        return Candidate(id: id, limits: share, isProbed: isProbed)
    }
}

extension Feedback {
    func divided(by replicas: Int64) -> Feedback {
        Feedback(
            requests: requests.map { $0 / replicas },
            tokens: tokens.map { $0 / replicas },
            tokenLimit: tokenLimit.map { max(1, $0 / replicas) }
        )
    }
}

extension Failure {
    func divided(by replicas: Int64) -> Failure {
        Failure(kind: kind, cooldown: cooldown, jitter: jitter, feedback: feedback.divided(by: replicas))
    }
}

/// Rounded up: a limit of one must not become none.
private func slots(_ count: Int64, dividedBy replicas: Int64) -> Int64 { (count - 1) / replicas + 1 }
