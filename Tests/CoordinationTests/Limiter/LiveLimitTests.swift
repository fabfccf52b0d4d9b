import Testing

@testable import Coordination

@Suite("A limit that a deployment names itself")
struct LiveLimitTests {
    private static func candidate(_ perMinute: Int64?) -> Candidate {
        Candidate(
            id: DeploymentID(endpoint: "west", deployment: "gpt-4o"),
            limits: DeploymentLimits(tokens: perMinute.flatMap { Rate(perMinute: $0) })
        )
    }

    private static func settle(
        _ state: inout LimiterState,
        _ sequence: UInt64,
        _ candidate: Candidate,
        limit: Int64,
        now: Int64
    ) {
        let admission = Make.admission(sequence, on: [candidate])
        _ = state.admit(admission, now: now)
        let settlement = Settlement(
            lease: admission.lease,
            estimate: admission.estimate,
            actual: nil,
            admitted: now,
            scopes: [],
            deployment: candidate,
            succeeded: true,
            feedback: Feedback(requests: nil, tokens: nil, tokenLimit: limit),
            authority: .shared
        )
        _ = state.settle(settlement, now: now)
    }

    @Test("holds while it is lower than the configured one, for five minutes", arguments: [1000, nil] as [Int64?])
    func holds(configured: Int64?) {
        var state = LimiterState(authority: .shared)
        let candidate = Self.candidate(configured)
        Self.settle(&state, 1, candidate, limit: 60, now: Make.now)
        let report = state.report(candidate, now: Make.now + 1)
        #expect(report.liveLimit == 60)
        #expect(report.tokens ?? .max <= 60)
        // The bucket is the live one: an estimate of 100 has a full one, and then none is left.
        let second = Make.now + 60_000
        var spent = state
        #expect(spent.admit(Make.admission(2, on: [candidate]), now: second).reservation != nil)
        #expect(spent.admit(Make.admission(3, on: [candidate]), now: second).refusal?.reason == .deployments)
        // Not named again, it ends.
        let end = Make.now + Feedback.lifetime
        #expect(state.report(candidate, now: end - 1).liveLimit == 60)
        #expect(state.report(candidate, now: end).liveLimit == nil)
        for sequence in 4..<8 as Range<UInt64> {
            #expect(state.admit(Make.admission(sequence, on: [candidate]), now: end + 60_000).reservation != nil)
        }
    }

    @Test("ends when an answer names the configured one again")
    func ends() {
        var state = LimiterState(authority: .shared)
        let candidate = Self.candidate(1000)
        Self.settle(&state, 1, candidate, limit: 60, now: Make.now)
        Self.settle(&state, 2, candidate, limit: 1000, now: Make.now + 60_000)
        #expect(state.report(candidate, now: Make.now + 60_000).liveLimit == nil)
    }

    @Test("of zero is none, and one of a share is divided")
    func odd() {
        #expect(Feedback(requests: nil, tokens: nil, tokenLimit: 0) == .none)
        #expect(Feedback(requests: nil, tokens: nil, tokenLimit: -5) == .none)
        let whole = Feedback(requests: 10, tokens: 9, tokenLimit: 3)
        #expect(whole.divided(by: 4) == Feedback(requests: 2, tokens: 2, tokenLimit: 1))
    }
}
