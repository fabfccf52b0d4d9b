/// The limits of a standard deployment: estimated tokens of a minute, and requests of a second or of ten (azure.md 5.3).
///
/// Pure: `now` is in milliseconds of a clock that may start anywhere. A clock that goes back stands still. A minute
/// begins with the first request after the end of the last one, and the windows for requests are laid out from there.
struct StandardLimit: Equatable {
    /// Milliseconds in which the tokens, and all requests, are counted.
    static let minute = 60_000

    /// Estimated tokens that may be asked for in a minute; `nil`: as many as you like.
    var tokensPerMinute: Int?
    /// Taken in the place of `tokensPerMinute` while the pool is under pressure.
    var effectiveTokensPerMinute: Int?
    var requestsPerMinute: Int?
    /// Milliseconds over which requests are judged; a divisor of a minute. `nil`: a second if that holds a request.
    var requestWindow: Int?

    private var minuteStart: Int?
    /// The latest time that was told.
    private var latest = Int.min
    /// Tokens admitted in the minute.
    private var tokens = 0
    /// Requests that came in the minute, refused ones too: who does not wait, waits longer.
    private var requests = 0
    private var windowIndex = 0
    /// Requests that came in the window.
    private var windowRequests = 0

    init(
        tokensPerMinute: Int? = nil,
        effectiveTokensPerMinute: Int? = nil,
        requestsPerMinute: Int? = nil,
        requestWindow: Int? = nil
    ) {
        self.tokensPerMinute = tokensPerMinute
        self.effectiveTokensPerMinute = effectiveTokensPerMinute
        self.requestsPerMinute = requestsPerMinute
        self.requestWindow = requestWindow
    }

    var tokenLimit: Int? { self.effectiveTokensPerMinute ?? self.tokensPerMinute }

    /// Milliseconds over which requests are judged: unless told otherwise 1 s for a request a second or more, else 10 s.
    var window: Int { self.requestWindow ?? ((self.requestsPerMinute ?? 0) >= 60 ? 1_000 : 10_000) }

    /// Counts a request that is to cost so many tokens, and refuses it if that is more than there may be.
    ///
    /// A request counts whatever becomes of it; its tokens count once it is admitted, also if it fails later.
    mutating func admit(tokens cost: Int, now: Int) -> Refusal? {
        self.advance(to: now)
        self.requests += 1
        self.windowRequests += 1
        if let limit = self.requestsPerMinute {
            if self.requests > limit { return Refusal(kind: .calls, retryAfter: self.untilNextMinute) }
            if self.windowRequests > self.share(of: self.windowIndex, limit) {
                return Refusal(kind: .calls, retryAfter: self.untilNextShare(limit))
            }
        }
        if let limit = self.tokenLimit, cost > limit - self.tokens {
            return Refusal(kind: .tokens, retryAfter: self.untilNextMinute)
        }
        self.tokens += cost
        return nil
    }

    /// The figures for the headers of an answer.
    mutating func report(now: Int) -> LimitReport {
        self.advance(to: now)
        return LimitReport(
            requests: self.requestsPerMinute.map { limit in
                .init(limit: limit, remaining: max(0, limit - self.requests), reset: self.untilNextMinute)
            },
            tokens: self.tokenLimit.map { limit in
                .init(limit: limit, remaining: max(0, limit - self.tokens), reset: self.untilNextMinute)
            }
        )
    }

    /// Forgets every count, not the limits.
    mutating func restart() {
        self.minuteStart = nil
    }

    // MARK: Time

    private mutating func advance(to now: Int) {
        self.latest = max(self.latest, now)
        let start = self.minuteStart ?? self.latest
        if self.minuteStart == nil || self.latest - start >= Self.minute {
            self.minuteStart = self.latest
            self.tokens = 0
            self.requests = 0
            self.windowIndex = 0
            self.windowRequests = 0
            return
        }
        let index = (self.latest - start) / self.window
        if index != self.windowIndex {
            self.windowIndex = index
            self.windowRequests = 0
        }
    }

    private var untilNextMinute: Int { (self.minuteStart ?? self.latest) + Self.minute - self.latest }

    /// Milliseconds to the next window that holds a request, or to the next minute.
    private func untilNextShare(_ limit: Int) -> Int {
        var index = self.windowIndex + 1
        while index < Self.minute / self.window, self.share(of: index, limit) == 0 { index += 1 }
        return (self.minuteStart ?? self.latest) + index * self.window - self.latest
    }

    /// How many requests a window holds: as even as whole numbers can be, and `limit` in all windows of a minute.
    private func share(of index: Int, _ limit: Int) -> Int {
        let windows = Self.minute / self.window
        return Self.quotient(limit * (index + 1), windows) - Self.quotient(limit * index, windows)
    }

    /// Rounded up.
    private static func quotient(_ number: Int, _ divisor: Int) -> Int { (number + divisor - 1) / divisor }
}
