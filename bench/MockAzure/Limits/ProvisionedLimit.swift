/// The limit of a provisioned deployment: a leaky bucket of utilisation (azure.md 5.3).
///
/// 100 % is the capacity of one minute. A request is admitted while utilisation is not above that, and then may take it
/// above: a burst. Pure: `now` is in milliseconds of a clock that may start anywhere; one that goes back stands still.
struct ProvisionedLimit: Equatable {
    /// Milliseconds in which a full bucket runs empty.
    private static let minute = 60_000

    /// Tokens that may be processed in a minute; at least 1.
    var tokensPerMinute: Int
    /// Tokens in the bucket times milliseconds of a minute, so that a millisecond's leak is a whole number.
    private var level = 0
    private var latest: Int?

    init(tokensPerMinute: Int) {
        self.tokensPerMinute = tokensPerMinute
    }

    /// Takes in a request that is to cost so many tokens, or refuses it until utilisation is back at 100 %.
    mutating func admit(tokens estimate: Int, now: Int) -> Refusal? {
        self.leak(to: now)
        let excess = self.level - self.tokensPerMinute * Self.minute
        if excess > 0 {
            let wait = (excess + self.tokensPerMinute - 1) / self.tokensPerMinute
            return Refusal(kind: .provisioned, retryAfter: wait)
        }
        self.level += estimate * Self.minute
        return nil
    }

    /// Corrects the estimate of a request that ended by what it did cost.
    mutating func settle(estimate: Int, actual: Int, now: Int) {
        self.leak(to: now)
        self.level = max(0, self.level + (actual - estimate) * Self.minute)
    }

    /// Per cent, rounded down.
    mutating func utilization(now: Int) -> Int {
        self.leak(to: now)
        return self.level / (self.tokensPerMinute * Self.minute / 100)
    }

    /// Empties the bucket.
    mutating func restart() {
        self.level = 0
    }

    private mutating func leak(to now: Int) {
        guard let latest = self.latest else {
            self.latest = now
            return
        }
        guard now > latest else { return }
        self.latest = now
        // A bucket that is left alone for a day is empty; the bound keeps the product small.
        let elapsed = min(now - latest, 86_400_000)
        self.level = max(0, self.level - elapsed * self.tokensPerMinute)
    }
}
