/// What is left of a pair of rates, in the units of `Bucket`. A level means nothing where there is no limit.
package struct Levels: Hashable, Sendable {
    package let requests: Int64
    package let tokens: Int64

    package init(requests: Int64, tokens: Int64) {
        self.requests = requests
        self.tokens = tokens
    }
}

/// Tokens of a client's quotas that are used; zero where there is no such quota.
package struct Spent: Hashable, Sendable {
    package let day: Int64
    package let month: Int64

    package init(day: Int64, month: Int64) {
        self.day = day
        self.month = month
    }
}

/// What the `x-ratelimit-*` headers say about one limit.
package struct Allowance: Hashable, Sendable {
    /// Requests or tokens per minute.
    package let limit: Int64
    /// Whole requests or tokens that could be had at once; zero while in debt.
    package let remaining: Int64
    /// Milliseconds until the bucket is full.
    package let reset: Int64

    init(_ rate: Rate, level: Int64) {
        let bucket = Bucket(rate)
        limit = rate.perMinute
        remaining = max(0, level / Bucket.unit)
        reset = bucket.timeToFull(from: level)
    }

    /// The one that leaves the least, as that is the one that a client hits first. A limit in the shadow is hit by nobody.
    package static func requests(_ scopes: [ClientScope], _ levels: [Levels]) -> Allowance? {
        tightest(
            zip(scopes, levels).lazy.compactMap { scope, left in
                scope.limits.isShadow ? nil : scope.limits.requests.map { Allowance($0, level: left.requests) }
            }
        )
    }

    /// The one that leaves the least, as that is the one that a client hits first. A limit in the shadow is hit by nobody.
    package static func tokens(_ scopes: [ClientScope], _ levels: [Levels]) -> Allowance? {
        tightest(
            zip(scopes, levels).lazy.compactMap { scope, left in
                scope.limits.isShadow ? nil : scope.limits.tokens.map { Allowance($0, level: left.tokens) }
            }
        )
    }

    private static func tightest(_ allowances: some Sequence<Allowance>) -> Allowance? {
        allowances.min { $0.remaining < $1.remaining }
    }
}
