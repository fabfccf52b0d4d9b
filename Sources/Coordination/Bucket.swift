/// The arithmetic of one token bucket, in integers.
///
/// A token is 60,000 units, so a limit per minute is the refill in units per millisecond: nothing is divided, nothing is
/// rounded, and Lua's doubles and Swift's `Int64` agree to the bit below 2^53. A level below zero is debt.
package struct Bucket: Hashable, Sendable {
    /// Units in one request or token; also the milliseconds in a minute.
    package static let unit: Int64 = 60_000
    /// The level that stands for full where no limit says how much that is: above every capacity.
    package static let full: Int64 = 1 << 53
    /// Debt ends at this many capacities, so that one absurd settlement does not lock a client out for days.
    static let mostDebt: Int64 = 10
    /// An admission that a limit in the shadow would have refused makes no more debt than so many capacities: a burst that is over
    /// is forgotten as soon as a full bucket would be, and so is what is owed when the limit starts to hold.
    package static let mostShadowDebt: Int64 = 1

    /// Units per millisecond.
    let refill: Int64
    /// Units in a full bucket.
    let capacity: Int64

    package init(_ rate: Rate) {
        refill = rate.perMinute
        capacity = rate.burst * Self.unit
    }

    /// The level after so many milliseconds. A lowered limit takes effect at once.
    func refilled(_ level: Int64, elapsed: Int64) -> Int64 {
        if level >= capacity || elapsed >= timeToFull(from: level) { return capacity }
        return level + elapsed * refill
    }

    /// Milliseconds until so many tokens can be had; zero if at once. More than the bucket holds are had from a full bucket.
    func wait(_ level: Int64, tokens: Int64) -> Int64 {
        let needed = min(tokens * Self.unit, capacity)
        return level >= needed ? 0 : ceilingOfDivision(needed - level, refill)
    }

    /// Takes tokens out, or puts them back if negative; no fuller than full, no deeper than the most debt.
    func debited(_ level: Int64, tokens: Int64, mostDebt: Int64 = mostDebt) -> Int64 {
        tokens == 0 ? level : min(capacity, max(level - tokens * Self.unit, -mostDebt * capacity))
    }

    /// Lowers the level to what someone else says is left.
    func lowered(_ level: Int64, remaining: Int64) -> Int64 { min(level, remaining * Self.unit) }

    func timeToFull(from level: Int64) -> Int64 {
        level >= capacity ? 0 : ceilingOfDivision(capacity - level, refill)
    }
}

/// Both are positive.
private func ceilingOfDivision(_ dividend: Int64, _ divisor: Int64) -> Int64 { (dividend - 1) / divisor + 1 }

/// Two buckets that are always refilled together, and so share one time.
struct Meter: Hashable, Sendable {
    /// When the levels were true, in milliseconds since 1970. Behind the clock it refills; ahead of it (the clock went back)
    /// it waits.
    var stamp: Int64
    var requests: Int64
    var tokens: Int64

    /// A clock that went back further than this is believed.
    private static let mostRegression: Int64 = 2 * Bucket.unit

    /// Full.
    init(now: Int64, requests: Rate?, tokens: Rate?) {
        stamp = now
        self.requests = requests.map { Bucket($0).capacity } ?? Bucket.full
        self.tokens = tokens.map { Bucket($0).capacity } ?? Bucket.full
    }

    init(stamp: Int64, requests: Int64, tokens: Int64) {
        self.stamp = stamp
        self.requests = requests
        self.tokens = tokens
    }

    /// Takes the time from a clock that went back by much.
    ///
    /// - Returns: by how many milliseconds it went back; `nil` where there is nothing to correct.
    mutating func rebase(now: Int64) -> Int64? {
        guard stamp - now > Self.mostRegression else { return nil }
        defer { stamp = now }
        return stamp - now
    }

    var levels: Levels { Levels(requests: requests, tokens: tokens) }

    /// A level without a limit stays as it is.
    mutating func refill(now: Int64, requests requestRate: Rate?, tokens tokenRate: Rate?) {
        let elapsed = max(0, now - stamp)
        if let requestRate { requests = Bucket(requestRate).refilled(requests, elapsed: elapsed) }
        if let tokenRate { tokens = Bucket(tokenRate).refilled(tokens, elapsed: elapsed) }
        stamp = max(stamp, now)
    }

    func waitForRequest(now: Int64, rate: Rate?) -> Int64 {
        guard let rate else { return 0 }
        return delayed(Bucket(rate).wait(requests, tokens: 1), now: now)
    }

    func wait(forTokens count: Int64, now: Int64, rate: Rate?) -> Int64 {
        guard let rate else { return 0 }
        return delayed(Bucket(rate).wait(tokens, tokens: count), now: now)
    }

    /// Refilling starts when the clock has caught up with the stamp.
    private func delayed(_ wait: Int64, now: Int64) -> Int64 { wait == 0 ? 0 : wait + max(0, stamp - now) }

    /// Takes one request and so many tokens.
    mutating func debit(tokens count: Int64, requests requestRate: Rate?, tokens tokenRate: Rate?, isShadow: Bool) {
        adjust(
            requests: 1,
            tokens: count,
            requestRate: requestRate,
            tokenRate: tokenRate,
            mostDebt: isShadow ? Bucket.mostShadowDebt : Bucket.mostDebt
        )
    }

    /// Takes out, or puts back what is negative.
    mutating func adjust(
        requests requestCount: Int64,
        tokens tokenCount: Int64,
        requestRate: Rate?,
        tokenRate: Rate?,
        mostDebt: Int64 = Bucket.mostDebt
    ) {
        if let requestRate {
            requests = Bucket(requestRate).debited(requests, tokens: requestCount, mostDebt: mostDebt)
        }
        if let tokenRate { tokens = Bucket(tokenRate).debited(tokens, tokens: tokenCount, mostDebt: mostDebt) }
    }

    /// Lowers the levels to what a deployment said is left.
    mutating func lower(_ feedback: Feedback, requests requestRate: Rate?, tokens tokenRate: Rate?) {
        if let requestRate, let left = feedback.requests {
            requests = Bucket(requestRate).lowered(requests, remaining: left)
        }
        if let tokenRate, let left = feedback.tokens { tokens = Bucket(tokenRate).lowered(tokens, remaining: left) }
    }

    /// Milliseconds after which everything is full again, and nobody can tell it from a bucket that was never used.
    func timeToFull(now: Int64, requests requestRate: Rate?, tokens tokenRate: Rate?) -> Int64 {
        let requestTime = requestRate.map { Bucket($0).timeToFull(from: requests) } ?? 0
        let tokenTime = tokenRate.map { Bucket($0).timeToFull(from: tokens) } ?? 0
        return max(requestTime, tokenTime) + max(0, stamp - now)
    }
}
