/// What one event loop served. The books of all loops are added when somebody asks.
struct Books {
    /// Requests are counted by all three at once, so that any sum can be made from them.
    struct Row: Hashable {
        let kind: String
        /// Empty where no deployment was named or known.
        let deployment: String
        let status: Int
    }

    struct Tokens {
        var prompt = 0
        var completion = 0
        /// Of the prompt.
        var cached = 0
        /// Of the completion.
        var reasoning = 0

        static func += (sum: inout Tokens, other: Tokens) {
            sum.prompt += other.prompt
            sum.completion += other.completion
            sum.cached += other.cached
            sum.reasoning += other.reasoning
        }
    }

    /// A 429, and what it was for.
    struct Refused: Hashable {
        let deployment: String
        let kind: String
    }

    /// A request to one deployment that another one served.
    struct Spill: Hashable {
        let from: String
        let to: String
    }

    var requests: [Row: Int] = [:]
    var refused: [Refused: Int] = [:]
    var spills: [Spill: Int] = [:]
    var tokens: [String: Tokens] = [:]
    var streams = 0
    var events = 0
    var bytesSent = 0
    /// Requests whose client left before the end of the answer was written.
    var aborted = 0
    var connectionsAccepted = 0

    // These are states, not counts: `reset` leaves them.
    var requestsOpen = 0
    var streamsOpen = 0
    var connectionsOpen = 0

    mutating func reset() {
        let open = (self.requestsOpen, self.streamsOpen, self.connectionsOpen)
        self = Books()
        (self.requestsOpen, self.streamsOpen, self.connectionsOpen) = open
    }

    static func += (sum: inout Books, other: Books) {
        sum.requests.merge(other.requests, uniquingKeysWith: +)
        sum.refused.merge(other.refused, uniquingKeysWith: +)
        sum.spills.merge(other.spills, uniquingKeysWith: +)
        for (deployment, tokens) in other.tokens { sum.tokens[deployment, default: Tokens()] += tokens }
        sum.streams += other.streams
        sum.events += other.events
        sum.bytesSent += other.bytesSent
        sum.aborted += other.aborted
        sum.connectionsAccepted += other.connectionsAccepted
        sum.requestsOpen += other.requestsOpen
        sum.streamsOpen += other.streamsOpen
        sum.connectionsOpen += other.connectionsOpen
    }
}
