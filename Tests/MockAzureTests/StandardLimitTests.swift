import Testing

@testable import MockAzure

/// azure.md 5.3, the two limiters of a standard deployment.
@Suite("The limit of a standard deployment")
struct StandardLimitTests {
    // MARK: Tokens

    @Test("admits the tokens up to the limit and not one more, until the minute is over")
    func tokens() {
        var limit = StandardLimit(tokensPerMinute: 1_000)
        #expect(limit.admit(tokens: 999, now: 0) == nil)
        #expect(limit.admit(tokens: 2, now: 1) == Refusal(kind: .tokens, retryAfter: 59_999))
        #expect(limit.admit(tokens: 1, now: 2) == nil)
        #expect(limit.admit(tokens: 1, now: 2) == Refusal(kind: .tokens, retryAfter: 59_998))
        #expect(limit.admit(tokens: 0, now: 3) == nil)
        #expect(limit.admit(tokens: 1_000, now: 59_999) == Refusal(kind: .tokens, retryAfter: 1))
        #expect(limit.admit(tokens: 1_000, now: 60_000) == nil)
    }

    @Test("never admits a request that is to cost more than a minute has, and lets others pass it")
    func overEstimate() {
        var limit = StandardLimit(tokensPerMinute: 1_000)
        for minute in 0..<3 {
            let refusal = limit.admit(tokens: 1_001, now: minute * 60_000)
            #expect(refusal == Refusal(kind: .tokens, retryAfter: 60_000))
        }
        #expect(limit.admit(tokens: 1_000, now: 120_001) == nil)
    }

    @Test("begins a minute with the first request after the last one's end")
    func minutes() {
        var limit = StandardLimit(tokensPerMinute: 10)
        #expect(limit.admit(tokens: 10, now: 5_000) == nil)
        #expect(limit.admit(tokens: 10, now: 64_999)?.retryAfter == 1)
        #expect(limit.admit(tokens: 10, now: 100_000) == nil)
        #expect(limit.admit(tokens: 10, now: 159_999)?.retryAfter == 1)
        #expect(limit.admit(tokens: 10, now: 160_000) == nil)
    }

    // MARK: Requests

    @Test("refuses the 11th request of a second at 600 requests per minute")
    func calls() {
        var limit = StandardLimit(requestsPerMinute: 600)
        for _ in 0..<10 { #expect(limit.admit(tokens: 1, now: 0) == nil) }
        #expect(limit.admit(tokens: 1, now: 0) == Refusal(kind: .calls, retryAfter: 1_000))
        #expect(limit.admit(tokens: 1, now: 999) == Refusal(kind: .calls, retryAfter: 1))
        for _ in 0..<10 { #expect(limit.admit(tokens: 1, now: 1_000) == nil) }
        #expect(limit.admit(tokens: 1, now: 1_999) == Refusal(kind: .calls, retryAfter: 1))
    }

    @Test("judges over ten seconds when told to, or when a second holds no request")
    func tenSeconds() {
        var told = StandardLimit(requestsPerMinute: 600, requestWindow: 10_000)
        for _ in 0..<100 { #expect(told.admit(tokens: 1, now: 0) == nil) }
        #expect(told.admit(tokens: 1, now: 9_999) == Refusal(kind: .calls, retryAfter: 1))
        #expect(told.admit(tokens: 1, now: 10_000) == nil)

        var slow = StandardLimit(requestsPerMinute: 6)
        #expect(slow.admit(tokens: 1, now: 0) == nil)
        #expect(slow.admit(tokens: 1, now: 0) == Refusal(kind: .calls, retryAfter: 10_000))
        #expect(slow.admit(tokens: 1, now: 10_000) == nil)
    }

    @Test(
        "spreads a limit that its windows do not divide, and holds it exactly over the minute",
        arguments: [1, 7, 61, 100, 599]
    )
    func shares(limit requests: Int) {
        var limit = StandardLimit(requestsPerMinute: requests)
        let window = requests >= 60 ? 1_000 : 10_000
        var admitted = 0
        for start in stride(from: 0, to: 60_000, by: window) {
            // As many as the window takes; one more would be counted against the minute.
            let share = (requests * (start + window) + 59_999) / 60_000 - (requests * start + 59_999) / 60_000
            for _ in 0..<share where limit.admit(tokens: 1, now: start) == nil { admitted += 1 }
        }
        #expect(admitted == requests)
        #expect(limit.admit(tokens: 1, now: 59_999)?.kind == .calls)
        #expect(limit.admit(tokens: 1, now: 60_000) == nil)
    }

    @Test("points past the windows that hold no request")
    func emptyWindows() {
        var limit = StandardLimit(requestsPerMinute: 3)
        #expect(limit.admit(tokens: 1, now: 0) == nil)
        #expect(limit.admit(tokens: 1, now: 5_000) == Refusal(kind: .calls, retryAfter: 15_000))
        #expect(limit.admit(tokens: 1, now: 19_999)?.kind == .calls)
    }

    @Test("counts requests that were refused, so that who does not wait is locked out for the minute")
    func hammering() {
        var limit = StandardLimit(requestsPerMinute: 600)
        var admitted = 0
        for index in 0..<600 where limit.admit(tokens: 1, now: index) == nil { admitted += 1 }
        #expect(admitted == 10)
        #expect(limit.admit(tokens: 1, now: 1_000) == Refusal(kind: .calls, retryAfter: 59_000))
        #expect(limit.admit(tokens: 1, now: 60_000) == nil)
    }

    @Test("counts a request whose tokens were refused")
    func refusedTokensCountAsCall() {
        var limit = StandardLimit(tokensPerMinute: 5, requestsPerMinute: 60)
        #expect(limit.admit(tokens: 6, now: 0)?.kind == .tokens)
        #expect(limit.admit(tokens: 5, now: 0)?.kind == .calls)
        #expect(limit.admit(tokens: 5, now: 1_000) == nil)
    }

    // MARK: Change and time

    @Test("takes a lower effective limit at once, and tells it")
    func reduction() {
        var limit = StandardLimit(tokensPerMinute: 1_000)
        #expect(limit.admit(tokens: 400, now: 0) == nil)
        limit.effectiveTokensPerMinute = 500
        #expect(limit.report(now: 0).tokens == .init(limit: 500, remaining: 100, reset: 60_000))
        #expect(limit.admit(tokens: 101, now: 0)?.kind == .tokens)
        #expect(limit.admit(tokens: 100, now: 0) == nil)
        limit.effectiveTokensPerMinute = 300
        #expect(limit.report(now: 0).tokens?.remaining == 0)
        limit.effectiveTokensPerMinute = nil
        #expect(limit.admit(tokens: 500, now: 0) == nil)
        #expect(limit.admit(tokens: 1, now: 0)?.kind == .tokens)
    }

    @Test("stands still while the clock goes back")
    func clockGoingBack() {
        var limit = StandardLimit(tokensPerMinute: 10)
        #expect(limit.admit(tokens: 10, now: 50_000) == nil)
        #expect(limit.admit(tokens: 1, now: 20_000) == Refusal(kind: .tokens, retryAfter: 60_000))
        #expect(limit.admit(tokens: 1, now: -1_000_000) == Refusal(kind: .tokens, retryAfter: 60_000))
        #expect(limit.admit(tokens: 1, now: 109_999) == Refusal(kind: .tokens, retryAfter: 1))
        #expect(limit.admit(tokens: 10, now: 110_000) == nil)
    }

    @Test("tells what remains and when all of it is back")
    func report() {
        var limit = StandardLimit(tokensPerMinute: 1_000, requestsPerMinute: 600)
        #expect(limit.admit(tokens: 100, now: 0) == nil)
        let report = limit.report(now: 1_500)
        #expect(report.requests == .init(limit: 600, remaining: 599, reset: 58_500))
        #expect(report.tokens == .init(limit: 1_000, remaining: 900, reset: 58_500))
    }
}
