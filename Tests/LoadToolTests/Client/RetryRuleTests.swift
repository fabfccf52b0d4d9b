import Testing

@testable import LoadTool

@Suite("The rule of retries")
struct RetryRuleTests {
    private func pause(_ status: Int, told: Int? = nil, retries: Int = 0, honours: Bool = true) -> Double? {
        var random = SplitMix(seed: 1)
        return RetryRule(times: 2, honoursRetryAfter: honours)
            .pause(status: status, retryAfterMilliseconds: told, retries: retries, random: &random)
            .map { Double($0) / 1e6 }
    }

    @Test("waits as long as a 429 says, if it is honoured")
    func honoured() throws {
        #expect(pause(429, told: 1_500) == 1_500)
        let ignored = try #require(pause(429, told: 1_500, honours: false))
        #expect((375...500).contains(ignored))
        let absurd = try #require(pause(429, told: 600_000))
        #expect(absurd <= 500)
    }

    @Test("waits longer each time")
    func backoff() throws {
        let second = try #require(pause(503, retries: 1))
        #expect((750...1_000).contains(second))
        #expect(pause(503, retries: 2) == nil)
    }

    @Test("leaves what no retry can mend", arguments: [200, 400, 401, 403, 404, 422])
    func left(status: Int) { #expect(pause(status) == nil) }

    @Test("sends again what may pass", arguments: [0, 408, 409, 429, 500, 502, 503, 504])
    func again(status: Int) { #expect(pause(status) != nil) }
}
