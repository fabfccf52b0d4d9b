/// How much may be used per minute, and how much of it at once.
package struct Rate: Hashable, Sendable {
    /// Requests or tokens per minute; 1 ... `Rate.most`.
    package let perMinute: Int64
    /// What a full bucket holds; 1 ... `Rate.mostBurst`.
    package let burst: Int64

    /// A larger burst could not be told apart from its neighbours in Redis: levels are integers in Lua's doubles, exact up to
    /// 2^53, at 60,000 units a token and with room for ten times the burst of debt.
    package static let mostBurst: Int64 = 13_000_000_000
    package static let most: Int64 = 150_000_000_000

    /// - Parameter burst: one minute's worth unless given.
    /// - Returns: `nil` for what is out of range. A limit of zero means blocked and is decided without asking here.
    package init?(perMinute: Int64, burst: Int64? = nil) {
        let burst = burst ?? min(perMinute, Self.mostBurst)
        guard 1...Self.most ~= perMinute, 1...Self.mostBurst ~= burst else { return nil }
        self.perMinute = perMinute
        self.burst = burst
    }
}

/// What a client, or a client with one model, may use. A limit that is absent is no limit.
package struct ClientLimits: Hashable, Sendable {
    package var requests: Rate?
    package var tokens: Rate?
    /// Exchanges at the same time, 1 or more.
    package var concurrency: Int64?
    /// Tokens in a UTC day, 1 or more.
    package var tokensPerDay: Int64?
    /// Tokens in a UTC calendar month, 1 or more.
    package var tokensPerMonth: Int64?
    /// All of it is counted and charged, says what it would have refused, and refuses nothing.
    package var isShadow: Bool

    package init(
        requests: Rate? = nil,
        tokens: Rate? = nil,
        concurrency: Int64? = nil,
        tokensPerDay: Int64? = nil,
        tokensPerMonth: Int64? = nil,
        isShadow: Bool = false
    ) {
        self.requests = requests
        self.tokens = tokens
        self.concurrency = concurrency
        self.tokensPerDay = tokensPerDay
        self.tokensPerMonth = tokensPerMonth
        self.isShadow = isShadow
    }

    var hasQuotas: Bool { tokensPerDay != nil || tokensPerMonth != nil }

    /// Nothing is limited: such a scope need not be part of an admission.
    package var isEmpty: Bool { self == ClientLimits(isShadow: isShadow) }
}

/// Client limits and what they are kept under.
package struct ClientScope: Hashable, Sendable {
    package let id: ScopeID
    package let limits: ClientLimits

    package init(id: ScopeID, limits: ClientLimits) {
        self.id = id
        self.limits = limits
    }
}

/// What a deployment can take.
package struct DeploymentLimits: Hashable, Sendable {
    package var requests: Rate?
    package var tokens: Rate?
    /// Exchanges at the same time, 1 or more.
    package var concurrency: Int64?
    /// All of it is counted and charged, and passes the deployment over for nothing but its cooldown. A limit that the deployment
    /// names itself is then counted likewise: its 429 says when it is meant.
    package var isShadow: Bool

    package init(
        requests: Rate? = nil,
        tokens: Rate? = nil,
        concurrency: Int64? = nil,
        isShadow: Bool = false
    ) {
        self.requests = requests
        self.tokens = tokens
        self.concurrency = concurrency
        self.isShadow = isShadow
    }
}

/// A deployment that could take the exchange.
package struct Candidate: Hashable, Sendable {
    package let id: DeploymentID
    package let limits: DeploymentLimits
    /// After failures that count towards its streak, one exchange at a time tries it until one succeeds.
    package let isProbed: Bool

    package init(id: DeploymentID, limits: DeploymentLimits, isProbed: Bool = true) {
        self.id = id
        self.limits = limits
        self.isProbed = isProbed
    }
}
