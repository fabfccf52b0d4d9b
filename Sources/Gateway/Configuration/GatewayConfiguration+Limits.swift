extension GatewayConfiguration {
    /// How much may be used. A limit that is absent is no limit; 0 means blocked.
    ///
    /// The bounds are those of the limiter's arithmetic: 64-bit integers here, Lua's doubles in Redis.
    package struct Limits: Sendable, Equatable {
        /// Requests in a minute. 0 to 150G.
        package var requestsPerMinute: Int?
        /// Tokens in a minute, prompt and completion. 0 to 150G.
        package var tokensPerMinute: Int?
        /// Requests at the same time. 0 to 1M.
        package var concurrentRequests: Int?
        /// Tokens in a UTC day. 0 to 1,000,000G. Not for a deployment.
        package var tokensPerDay: Int?
        /// Tokens in a UTC calendar month. 0 to 1,000,000G. Not for a deployment.
        package var tokensPerMonth: Int?
        /// Counted and reported, but nothing is refused. Default false.
        package var isShadow = false

        package static let mostPerMinute = 150_000_000_000
        package static let mostAtOnce = 1_000_000
        package static let mostPerPeriod = 1_000_000_000_000_000

        /// Nothing is limited.
        package var isEmpty: Bool { self == Limits(isShadow: self.isShadow) }

        /// One of the limits is 0: nothing passes, and nobody needs to be asked. In the shadow everything passes.
        package var isBlocked: Bool { !isShadow && blocks }

        /// One of the limits is 0, whether or not it is enforced.
        package var blocks: Bool {
            [requestsPerMinute, tokensPerMinute, concurrentRequests, tokensPerDay, tokensPerMonth].contains(0)
        }
    }

    /// What a client may use at once after a quiet time. Absent: one minute's worth, at most `most`.
    package struct Burst: Sendable, Equatable {
        /// 1 to 13G; only beside `Limits.requestsPerMinute`.
        package var requests: Int?
        /// 1 to 13G; only beside `Limits.tokensPerMinute`.
        package var tokens: Int?

        /// A larger bucket could not be told apart from its neighbours in Redis, where levels are doubles.
        package static let most = 13_000_000_000
    }
}
