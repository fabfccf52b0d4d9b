import NIOCore
import Testing

@testable import Coordination

@Suite struct BreakerTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    private static func opened(_ times: Int = 1) -> Breaker {
        var breaker = Breaker(now: start)
        for _ in 0..<5 { _ = breaker.failed(now: start, chance: 0) }
        for _ in 1..<times {
            guard case .open(let until) = breaker.state else { break }
            _ = breaker.probeDue(now: until)
            _ = breaker.probeFailed(now: until, chance: 0)
        }
        return breaker
    }

    private static func probing() -> Breaker {
        var breaker = opened()
        _ = breaker.connectionReady()
        return breaker
    }

    // MARK: every state meets every event

    @Test func closedMeetsEveryEvent() {
        let closed = Breaker.State.closed(since: Self.start)
        var breaker = Breaker(now: Self.start)
        #expect(breaker.isClosed)
        breaker.succeeded(now: Self.start)
        #expect(breaker.state == closed)
        #expect(breaker.failed(now: Self.start, chance: 0) == nil)
        #expect(breaker.state == closed)
        #expect(breaker.probeDue(now: .distantFuture) == false)
        #expect(breaker.connectionReady() == false)
        #expect(breaker.probeSucceeded(now: Self.at(1)) == nil)
        #expect(breaker.probeFailed(now: Self.at(1), chance: 0) == nil)
        #expect(breaker.state == closed)
    }

    @Test func openMeetsEveryEvent() {
        let open = Breaker.State.open(until: Self.at(1_000))
        var breaker = Self.opened()
        #expect(!breaker.isClosed)
        #expect(breaker.state == open)
        breaker.succeeded(now: Self.at(1))
        #expect(breaker.failed(now: Self.at(1), chance: 0) == nil)
        #expect(breaker.probeSucceeded(now: Self.at(1)) == nil)
        #expect(breaker.probeFailed(now: Self.at(1), chance: 0) == nil)
        #expect(breaker.probeDue(now: Self.at(999)) == false)
        #expect(breaker.state == open)
        #expect(breaker.probeDue(now: Self.at(1_000)) == true)
        #expect(breaker.state == .probing)
        breaker = Self.opened()
        #expect(breaker.connectionReady() == true)
        #expect(breaker.state == .probing)
    }

    @Test func probingMeetsEveryEvent() {
        var breaker = Self.probing()
        #expect(!breaker.isClosed)
        breaker.succeeded(now: Self.at(1))
        #expect(breaker.failed(now: Self.at(1), chance: 0) == nil)
        #expect(breaker.probeDue(now: .distantFuture) == false)
        #expect(breaker.connectionReady() == false)
        #expect(breaker.state == .probing)
        #expect(breaker.probeSucceeded(now: Self.at(2)) == .closed)
        #expect(breaker.state == .closed(since: Self.at(2)))
        breaker = Self.probing()
        #expect(breaker.probeFailed(now: Self.at(3), chance: 0) == .opened(for: .seconds(2)))
        #expect(breaker.state == .open(until: Self.at(2_003)))
    }

    // MARK: when it opens

    @Test func fiveFailuresInARowOpenIt() {
        var breaker = Breaker(now: Self.start)
        for _ in 0..<4 { #expect(breaker.failed(now: Self.start, chance: 0) == nil) }
        breaker.succeeded(now: Self.start)
        for _ in 0..<4 { #expect(breaker.failed(now: Self.start, chance: 0) == nil) }
        #expect(breaker.failed(now: Self.start, chance: 0) == .opened(for: .seconds(1)))
    }

    @Test func halfOfTwentyCallsOpenIt() {
        var breaker = Breaker(now: Self.start)
        for call in 0..<19 {
            if call.isMultiple(of: 2) {
                breaker.succeeded(now: Self.at(Int64(call)))
            } else {
                #expect(breaker.failed(now: Self.at(Int64(call)), chance: 0) == nil, "call \(call)")
            }
        }
        #expect(breaker.failed(now: Self.at(20), chance: 0) != nil)
    }

    @Test func failuresOlderThanTheWindowAreForgotten() {
        var breaker = Breaker(now: Self.start)
        for second in 0..<100 {
            let now = Self.at(Int64(second) * 1_000)
            for _ in 0..<3 { breaker.succeeded(now: now) }
            for _ in 0..<2 { #expect(breaker.failed(now: now, chance: 0) == nil) }
        }
        // Ten failures in half a second do not count six seconds later.
        var other = Breaker(now: Self.start)
        for _ in 0..<4 { _ = other.failed(now: Self.start, chance: 0) }
        other.succeeded(now: Self.start)
        for _ in 0..<4 { _ = other.failed(now: Self.start, chance: 0) }
        other.succeeded(now: Self.start)
        for _ in 0..<15 { other.succeeded(now: Self.at(6_000)) }
        #expect(other.failed(now: Self.at(6_000), chance: 0) == nil)
    }

    // MARK: for how long

    @Test(arguments: [(1, 1_000), (2, 2_000), (3, 4_000), (4, 8_000), (5, 15_000), (40, 15_000)])
    func openingsGrow(times: Int, milliseconds: Int64) {
        var breaker = Self.opened(times)
        guard case .open(let until) = breaker.state else {
            Issue.record("not open")
            return
        }
        #expect(breaker.probeDue(now: until - .nanoseconds(1)) == false)
        #expect(breaker.probeDue(now: until) == true)
        #expect(breaker.probeSucceeded(now: until) == .closed)
        for _ in 0..<4 { _ = breaker.failed(now: until, chance: 0) }
        let again = Breaker.Transition.opened(for: .milliseconds(min(milliseconds * 2, 15_000)))
        #expect(breaker.failed(now: until, chance: 0) == again, "it opens for longer when it has just closed")
    }

    @Test func aQuietTimeMakesTheNextOpeningShortAgain() {
        var breaker = Self.opened(4)
        _ = breaker.connectionReady()
        _ = breaker.probeSucceeded(now: Self.at(20_000))
        for _ in 0..<4 { _ = breaker.failed(now: Self.at(25_000), chance: 0) }
        #expect(breaker.failed(now: Self.at(25_000), chance: 0) == .opened(for: .seconds(1)))
    }

    @Test func chanceShortensAnOpeningByUpToHalf() {
        for chance in [0, 0.25, 0.999] {
            var breaker = Breaker(now: Self.start)
            for _ in 0..<4 { _ = breaker.failed(now: Self.start, chance: chance) }
            let expected = TimeAmount.nanoseconds(Int64(1e9 * (1 - chance / 2)))
            #expect(breaker.failed(now: Self.start, chance: chance) == .opened(for: expected))
        }
    }
}

@Suite struct BackoffTests {
    @Test func growsToItsLongestAndDrawsFromTheWholeInterval() {
        var backoff = Backoff()
        var intervals: [Int64] = []
        for _ in 0..<10 { intervals.append(backoff.next(chance: 0.999_999_999).nanoseconds / 1_000_000 + 1) }
        #expect(intervals == [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
        let shortest = backoff.next(chance: 0)
        #expect(shortest == .zero)
    }

    @Test func onlyASteadyConnectionStartsItAnew() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.next(chance: 0) }
        backoff.connectionEnded(after: .milliseconds(4_999))
        #expect(backoff.attempts == 5)
        backoff.connectionEnded(after: .seconds(5))
        #expect(backoff.attempts == 0)
    }
}
