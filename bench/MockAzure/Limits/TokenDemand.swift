/// What a request may cost, guessed when it arrives and before anything is generated (azure.md 5.3).
struct TokenDemand: Equatable {
    /// Stands for `max_tokens` where a request has none; as many words as the mock answers then.
    static let defaultMaximum = 16
    /// Fewer cached tokens than these are not taken off.
    static let leastCached = 1_024
    /// No guess is larger: a `max_tokens` of any size stays something that can be counted.
    static let largest = 1_000_000_000

    /// From the count of characters.
    var prompt = 0
    /// How much of the prompt is cached.
    var cached = 0
    /// `max_tokens`; 0 where nothing is generated, `nil` where the client did not say.
    var maximum: Int? = 0
    /// `best_of`: so many completions are made, and one is sent.
    var bestOf = 1

    /// What a standard deployment counts.
    var standard: Int { Self.sum(self.prompt, self.maximum ?? Self.defaultMaximum, times: self.bestOf) }

    /// What a provisioned deployment adds to its utilisation, to be corrected once the cost is known.
    var provisioned: Int {
        let fresh = self.cached >= Self.leastCached ? max(0, self.prompt - self.cached) : self.prompt
        return Self.sum(fresh, self.maximum ?? Self.defaultMaximum, times: self.bestOf)
    }

    private static func sum(_ prompt: Int, _ maximum: Int, times factor: Int) -> Int {
        let (completion, overflow) = maximum.multipliedReportingOverflow(by: factor)
        let bounded = overflow ? Self.largest : min(completion, Self.largest)
        return min(min(prompt, Self.largest) + bounded, Self.largest)
    }
}
