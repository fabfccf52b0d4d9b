import Testing

@testable import MockAzure

/// Random steps against models that keep every event and add them up anew each time.
@Suite("The limits under random steps")
struct LimitModelTests {
    /// Every request that came, and whether it was admitted.
    private struct NaiveStandard {
        let tokens: Int?
        let requests: Int?
        let window: Int
        var events: [(at: Int, tokens: Int, admitted: Bool)] = []
        var minuteStart: Int?
        var latest = Int.min

        mutating func admits(_ cost: Int, now: Int) -> Bool {
            latest = max(latest, now)
            if latest - (minuteStart ?? latest) >= 60_000 { minuteStart = nil }
            let start = minuteStart ?? latest
            minuteStart = start
            let minute = events.filter { $0.at >= start }
            let index = (latest - start) / window
            let inWindow = minute.filter { ($0.at - start) / window == index }.count + 1
            var admitted = true
            if let requests {
                let share = Self.held(requests, index + 1, window) - Self.held(requests, index, window)
                admitted = minute.count + 1 <= requests && inWindow <= share
            }
            if let tokens {
                let spent = minute.filter(\.admitted).reduce(0) { $0 + $1.tokens }
                admitted = admitted && spent + cost <= tokens
            }
            events.append((latest, cost, admitted))
            return admitted
        }

        /// The requests that so many windows hold together.
        private static func held(_ requests: Int, _ windows: Int, _ window: Int) -> Int {
            Int((Double(requests * windows * window) / 60_000).rounded(.up))
        }
    }

    @Test(
        "a standard deployment admits what the model admits, and is right about when to come again",
        arguments: 1...40
    )
    func standard(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let tokens = random.below(3) == 0 ? nil : random.below(5_000)
        let requests = random.below(3) == 0 ? nil : 1 + random.below(400)
        let window = random.below(2) == 0 ? 1_000 : 10_000
        var limit = StandardLimit(tokensPerMinute: tokens, requestsPerMinute: requests, requestWindow: window)
        var model = NaiveStandard(tokens: tokens, requests: requests, window: window)
        var now = random.below(1_000_000) - 500_000
        for step in 0..<500 {
            now += random.below(20) == 0 ? -random.below(3_000) : random.below(1 << random.below(14))
            let cost = random.below(300)
            let refusal = limit.admit(tokens: cost, now: now)
            #expect((refusal == nil) == model.admits(cost, now: now), "step \(step)")
            guard let refusal else { continue }
            #expect(refusal.retryAfter >= 1)
            // A copy that waits just so long has room again, unless nothing would ever do.
            var waiting = limit
            let later = max(now, model.latest) + refusal.retryAfter
            if refusal.kind == .calls, requests ?? 0 > 0 {
                #expect(waiting.admit(tokens: 0, now: later) == nil || isSpent(limit, later))
            }
            if refusal.kind == .tokens, cost <= tokens ?? 0 {
                #expect(waiting.admit(tokens: cost, now: later)?.kind != .tokens)
            }
        }
    }

    /// Whether the minute has no requests left at that time: the next window would have had one.
    private func isSpent(_ limit: StandardLimit, _ now: Int) -> Bool {
        var limit = limit
        return limit.report(now: now).requests?.remaining == 0
    }

    @Test("a provisioned deployment has the utilisation that the model has", arguments: 1...40)
    func provisioned(seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 1_000)
        let capacity = 1 + random.below(100_000)
        var limit = ProvisionedLimit(tokensPerMinute: capacity)
        // In tokens; a fraction of a token a millisecond is within what a double holds.
        var level = 0.0
        var latest: Int?
        var now = 0
        var open: [Int] = []
        for step in 0..<500 {
            now += random.below(20) == 0 ? -random.below(500) : random.below(1 << random.below(14))
            level = max(0, level - Double(max(0, now - (latest ?? now)) * capacity) / 60_000)
            latest = max(latest ?? now, now)
            if random.below(3) == 0, let estimate = open.popLast() {
                let actual = random.below(2 * estimate + 10)
                limit.settle(estimate: estimate, actual: actual, now: now)
                level = max(0, level + Double(actual - estimate))
            } else {
                let estimate = random.below(capacity)
                let refusal = limit.admit(tokens: estimate, now: now)
                // Rounding decides where the two are a hair apart.
                if abs(level - Double(capacity)) > 0.001 {
                    #expect((refusal == nil) == (level <= Double(capacity)), "step \(step)")
                }
                if refusal == nil {
                    level += Double(estimate)
                    open.append(estimate)
                }
            }
            #expect(abs(Double(limit.utilization(now: now)) - level / Double(capacity) * 100) <= 1.001)
        }
    }
}

extension SplitMix64 {
    /// From 0 to `bound` - 1.
    mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }
}
