import NIOCore
import Testing

@testable import Coordination

struct RefusalCacheTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let scope = Make.scope(ClientLimits(requests: Make.rate(10), tokens: Make.rate(1000)))
    private static let admission = Make.admission(1, estimate: 100, [scope])

    private static func refusal(_ reason: Refusal.Reason, wait: Int64, cooldowns: [Int64] = []) -> Refusal {
        Refusal(
            reason: reason,
            wait: wait,
            time: 5_000,
            levels: [Levels(requests: 1, tokens: 2)],
            cooldowns: cooldowns
        )
    }

    private static func cache(_ reason: Refusal.Reason, wait: Int64, cooldowns: [Int64] = []) -> RefusalCache {
        var cache = RefusalCache()
        cache.note(admission, refusal(reason, wait: wait, cooldowns: cooldowns), now: start)
        return cache
    }

    @Test("A refusal is given again, with what is left of the wait, for 200 ms at most", arguments: [40, 200, 10_000])
    func lasts(wait: Int64) {
        var cache = Self.cache(.client(scope: 0, .tokens), wait: wait)
        let last = min(wait, 200)
        for elapsed in [0, 1, last - 1] {
            let again = cache.refusal(of: Self.admission, now: Self.start + .milliseconds(elapsed))
            #expect(again?.wait == wait - elapsed)
            #expect(again?.time == 5_000 + elapsed)
            #expect(again?.levels == [Levels(requests: 1, tokens: 2)])
        }
        let over = cache.refusal(of: Self.admission, now: Self.start + .milliseconds(last))
        #expect(over == nil)
        #expect(cache.isEmpty)
    }

    @Test("Whoever asks for fewer tokens is not refused for want of them")
    func estimates() {
        let (less, more) = (
            Make.admission(2, estimate: 99, [Self.scope]), Make.admission(3, estimate: 101, [Self.scope])
        )
        for (reason, isGiven) in [
            (.client(scope: 0, .tokens), false), (.client(scope: 0, .requests), true), (.deployments, false),
        ] as [(Refusal.Reason, Bool)] {
            var cache = Self.cache(reason, wait: 100)
            let ofLess = cache.refusal(of: less, now: Self.start)
            #expect((ofLess != nil) == isGiven, "\(reason)")
            let ofMore = cache.refusal(of: more, now: Self.start)
            #expect(ofMore != nil, "\(reason)")
        }
    }

    @Test("Other clients, other limits and other deployments are asked about")
    func others() {
        var cache = Self.cache(.client(scope: 0, .requests), wait: 100)
        let narrower = Make.scope(ClientLimits(requests: Make.rate(9)))
        let model = ClientScope(id: ScopeID(client: "team-a", model: "m"), limits: Self.scope.limits)
        for scopes in [[], [narrower], [Make.scope(Self.scope.limits, "team-b")], [Self.scope, model]] {
            let refusal = cache.refusal(of: Make.admission(2, scopes), now: Self.start)
            #expect(refusal == nil)
        }
        var deployments = Self.cache(.deployments, wait: 100, cooldowns: [70])
        let two = Make.admission(2, [Self.scope], on: [Make.candidate(), Make.candidate("other")])
        let ofTwo = deployments.refusal(of: two, now: Self.start)
        #expect(ofTwo == nil)
        let later = deployments.refusal(of: Self.admission, now: Self.start + .milliseconds(80))
        #expect(later?.cooldowns == [0] && later?.wait == 20)
    }

    @Test("What a deployment refused is asked about again once something was given back there, and only there")
    func returned() {
        var cache = Self.cache(.deployments, wait: 100)
        cache.capacityReturned(Make.candidate("other").id)
        let before = cache.refusal(of: Self.admission, now: Self.start)
        #expect(before != nil)
        cache.capacityReturned(Make.candidate().id)
        let after = cache.refusal(of: Self.admission, now: Self.start)
        #expect(after == nil)
        cache.note(Self.admission, Self.refusal(.deployments, wait: 100), now: Self.start)
        let again = cache.refusal(of: Self.admission, now: Self.start)
        #expect(again != nil, "refused after it was given back")
        var ofClient = Self.cache(.client(scope: 0, .tokens), wait: 100)
        ofClient.capacityReturned(Make.candidate().id)
        let client = ofClient.refusal(of: Self.admission, now: Self.start)
        #expect(client != nil)
    }

    @Test("Slots and quotas are asked about each time")
    func notRemembered() {
        for kind in LimitKind.allCases {
            let remembers = kind == .requests || kind == .tokens
            #expect(Self.cache(.client(scope: 0, kind), wait: 100).isEmpty == !remembers, "\(kind)")
        }
    }

    @Test("Memory is bounded, and what is over makes room")
    func bounded() {
        var cache = RefusalCache()
        func note(_ number: Int, now: NIODeadline) {
            let admission = Make.admission(1, [Make.scope(Self.scope.limits, "team-\(number)")])
            cache.note(admission, Self.refusal(.client(scope: 0, .requests), wait: 50), now: now)
        }
        for number in 0..<2000 { note(number, now: Self.start) }
        #expect(cache.count == RefusalCache.mostEntries)
        note(5000, now: Self.start + .milliseconds(50))
        #expect(cache.count == 1)
    }
}
