import Testing

@testable import Coordination

/// Where a replica's share begins when Redis goes away.
struct LastSeenTests {
    private static let limits = ClientLimits(
        requests: Make.rate(60, burst: 60),
        tokens: Make.rate(6000, burst: 6000),
        tokensPerDay: 1000,
        tokensPerMonth: 10_000
    )
    private static let scope = Make.scope(limits)
    private static let candidate = Make.candidate("d", DeploymentLimits(tokens: Make.rate(600)))
    private static let admission = Make.admission(1, estimate: 100, [scope], on: [candidate])

    /// As a share of a quarter, begun at what an admission left.
    private static func begun(later: Int64 = 0, before: (inout LimiterState) -> Void = { _ in }) -> LimiterState {
        var whole = LimiterState()
        var seen = LastSeen()
        let requests = Make.scope(ClientLimits(requests: limits.requests, tokens: limits.tokens))
        _ = whole.admit(Make.admission(9, estimate: 4900, [requests]), now: Make.now)
        seen.note(admission, whole.admit(admission, now: Make.now))
        #expect(seen.count == 2)
        var share = LimiterState(authority: .local)
        before(&share)
        if let note = seen.take(scope.id) { share.begin(scope, at: note, replicas: 4, now: Make.now + later) }
        if let note = seen.take(candidate.id) { share.begin(candidate, at: note, replicas: 4, now: Make.now + later) }
        #expect(seen.count == 0, "a note is used once")
        return share
    }

    @Test("It is a part of what was left, and not of the burst")
    func levels() throws {
        let meter = try #require(Self.begun().scopes[Self.scope.id]).meter
        #expect(meter.tokens == 1000 * Bucket.unit / 4)
        #expect(meter.requests == 58 * Bucket.unit / 4)
    }

    @Test("It has refilled since, up to the part of the burst")
    func refilled() throws {
        let soon = try #require(Self.begun(later: 10_000).scopes[Self.scope.id]).meter
        #expect(soon.tokens == 2000 * Bucket.unit / 4)
        let late = try #require(Self.begun(later: 3_600_000).scopes[Self.scope.id]).meter
        #expect(late.tokens == 6000 * Bucket.unit / 4)
    }

    @Test("It is never raised: what was spent alone is spent")
    func lowersOnly() {
        let share = Self.begun { share in
            var state = ScopeState(now: Make.now, Self.limits.divided(by: 4))
            state.meter.tokens = -7
            share.scopes[Self.scope.id] = state
        }
        #expect(share.scopes[Self.scope.id]?.meter.tokens == -7)
    }

    @Test("Of quotas it is a part of what is left, and another day is another quota")
    func quotas() throws {
        let state = try #require(Self.begun().scopes[Self.scope.id])
        #expect(state.dayUsed == 25 && state.monthUsed == 25)
        let tomorrow = try #require(Self.begun(later: UTCDate.millisecondsPerDay).scopes[Self.scope.id])
        #expect(tomorrow.dayUsed == 0)
    }

    @Test("A refusal by a quota leaves nothing of it")
    func exhausted() throws {
        var seen = LastSeen()
        let refusal = Refusal(
            reason: .client(scope: 0, .tokensPerDay),
            wait: 1,
            time: Make.now,
            levels: [Levels(requests: 60 * Bucket.unit, tokens: 6000 * Bucket.unit)],
            cooldowns: []
        )
        seen.note(Self.admission, .refused(refusal))
        var share = LimiterState(authority: .local)
        let taken = seen.take(Self.scope.id)
        let note = try #require(taken)
        share.begin(Self.scope, at: note, replicas: 4, now: Make.now)
        let divided = Make.admission(2, estimate: 1, [Self.scope.divided(by: 4)])
        #expect(share.admit(divided, now: Make.now).refusal?.reason == .client(scope: 0, .tokensPerDay))
    }

    @Test("What was decided alone is charged to rates only while the bucket would still miss it")
    func apart() throws {
        let reservation = Reservation(
            candidate: 0,
            isProbe: false,
            time: Make.now,
            authority: .local,
            levels: [],
            deployment: Levels(requests: 0, tokens: 0),
            cooldowns: []
        )
        let settlement = Make.end(Self.admission, reservation, actual: 250)
        for (age, isCharged) in [(0, true), (59_999, true), (60_000, false)] as [(Int64, Bool)] {
            var whole = LimiterState()
            let apart = settlement.apart(now: Make.now + age)
            #expect(whole.settle(apart, now: Make.now + age) == .appliedLate)
            #expect(whole.settle(apart, now: Make.now + age) == .alreadyApplied)
            let state = try #require(whole.scopes[Self.scope.id])
            #expect(state.meter.tokens == (isCharged ? 5750 * Bucket.unit : Bucket.full))
            #expect(state.dayUsed == 250 && state.monthUsed == 250)
        }
    }
}
