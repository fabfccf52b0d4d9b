import Testing

@testable import MockAzure

/// azure.md 5.3, the leaky bucket of a provisioned deployment.
@Suite("The limit of a provisioned deployment")
struct ProvisionedLimitTests {
    @Test("admits at 100 % of utilisation, and so goes a bit above it")
    func burst() {
        var limit = ProvisionedLimit(tokensPerMinute: 60_000)
        #expect(limit.admit(tokens: 60_000, now: 0) == nil)
        #expect(limit.utilization(now: 0) == 100)
        #expect(limit.admit(tokens: 6_000, now: 0) == nil)
        #expect(limit.utilization(now: 0) == 110)
        #expect(limit.admit(tokens: 1, now: 0)?.kind == .provisioned)
    }

    @Test("refuses until utilisation is back, to the millisecond")
    func retryAfter() {
        // A token a millisecond.
        var limit = ProvisionedLimit(tokensPerMinute: 60_000)
        #expect(limit.admit(tokens: 60_250, now: 0) == nil)
        #expect(limit.admit(tokens: 1, now: 0) == Refusal(kind: .provisioned, retryAfter: 250))
        #expect(limit.admit(tokens: 1, now: 249) == Refusal(kind: .provisioned, retryAfter: 1))
        #expect(limit.admit(tokens: 1, now: 250) == nil)
    }

    @Test("rounds the time to wait up, so that who waits is admitted", arguments: [1, 7, 999, 50_000])
    func rounding(capacity: Int) {
        var limit = ProvisionedLimit(tokensPerMinute: capacity)
        #expect(limit.admit(tokens: capacity + 1, now: 0) == nil)
        let wait = limit.admit(tokens: 1, now: 0)?.retryAfter ?? 0
        #expect(wait == (60_000 + capacity - 1) / capacity)
        #expect(limit.admit(tokens: 1, now: wait - 1) != nil)
        #expect(limit.admit(tokens: 1, now: wait) == nil)
    }

    @Test("corrects the estimate by what was spent, both ways, and never below nothing")
    func settlement() {
        var limit = ProvisionedLimit(tokensPerMinute: 1_000)
        #expect(limit.admit(tokens: 1_500, now: 0) == nil)
        limit.settle(estimate: 1_500, actual: 500, now: 0)
        #expect(limit.utilization(now: 0) == 50)
        limit.settle(estimate: 0, actual: 700, now: 0)
        #expect(limit.utilization(now: 0) == 120)
        limit.settle(estimate: 10_000, actual: 0, now: 0)
        #expect(limit.utilization(now: 0) == 0)
    }

    @Test("runs empty in a minute and stays so")
    func leak() {
        var limit = ProvisionedLimit(tokensPerMinute: 1_000)
        #expect(limit.admit(tokens: 1_000, now: 0) == nil)
        #expect(limit.utilization(now: 30_000) == 50)
        #expect(limit.utilization(now: 60_000) == 0)
        #expect(limit.utilization(now: 600_000_000_000) == 0)
        #expect(limit.admit(tokens: 1_000, now: 600_000_000_000) == nil)
        #expect(limit.utilization(now: 600_000_000_000) == 100)
    }

    @Test("stands still while the clock goes back")
    func clockGoingBack() {
        var limit = ProvisionedLimit(tokensPerMinute: 60_000)
        #expect(limit.admit(tokens: 60_100, now: 1_000) == nil)
        #expect(limit.admit(tokens: 1, now: 0)?.retryAfter == 100)
        #expect(limit.admit(tokens: 1, now: 1_099)?.retryAfter == 1)
        #expect(limit.admit(tokens: 1, now: 1_100) == nil)
    }

    @Test(
        "estimates the prompt without what is cached from 1,024 tokens on, and max_tokens, a guess where it is absent"
    )
    func demand() {
        #expect(TokenDemand(prompt: 2_000, cached: 1_023, maximum: 100).provisioned == 2_100)
        #expect(TokenDemand(prompt: 2_000, cached: 1_024, maximum: 100).provisioned == 1_076)
        #expect(TokenDemand(prompt: 2_000, cached: 1_024, maximum: 100).standard == 2_100)
        #expect(TokenDemand(prompt: 10, maximum: nil).provisioned == 10 + TokenDemand.defaultMaximum)
        #expect(TokenDemand(prompt: 10, maximum: 100, bestOf: 3).standard == 310)
        #expect(TokenDemand(prompt: 10, maximum: .max, bestOf: 20).standard == TokenDemand.largest)
    }
}
