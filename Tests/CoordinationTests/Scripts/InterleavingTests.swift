import Testing

@testable import Coordination

/// Whatever order attempts arrive in, and whichever of them do, a lease ends once (S1). Each order is tried on the machine and on
/// the scripts in Redis.
struct InterleavingTests {
    private enum Event: CaseIterable, Hashable {
        case first, second, third, cancel
    }

    /// How the lease came to be there, or not.
    private enum Start: CaseIterable {
        case admitted, expired, neverArrived
    }

    /// Limits that are enforced, and the same in the shadow: they are charged alike.
    private static func admission(isShadow: Bool) -> Admission {
        let limits = ClientLimits(
            requests: Make.rate(10),
            tokens: Make.rate(1000),
            concurrency: 9,
            tokensPerDay: 10_000,
            isShadow: isShadow
        )
        let there = DeploymentLimits(tokens: Make.rate(1000), concurrency: 9, isShadow: isShadow)
        return Make.admission(1, estimate: 100, [Make.scope(limits)], on: [Make.candidate("d", there)])
    }
    private static let usage = Usage(
        day: 20_260_320,
        client: ScopeID(client: "team-a"),
        deployment: Make.candidate("d").id,
        counts: Usage.Counts(requests: 1, input: 250)
    )

    /// All orders of all subsets.
    private static let orders: [[Event]] = {
        var orders: [[Event]] = []
        func extend(_ order: [Event]) {
            orders.append(order)
            for event in Event.allCases where !order.contains(event) { extend(order + [event]) }
        }
        extend([])
        return orders
    }()

    @Test(
        "Every order of attempts and a cancellation has the effect of at most one, in the machine",
        arguments: [false, true]
    )
    func machine(isShadow: Bool) {
        let first = Self.admission(isShadow: isShadow)
        for start in Start.allCases {
            for order in Self.orders {
                var machine = LimiterState()
                if start != .neverArrived { _ = machine.admit(first, now: Make.now) }
                if start == .expired { machine.leases[first.lease] = nil }
                let outcomes = order.map { event in
                    switch event {
                    case .cancel: machine.cancel(Cancellation(first, authority: .shared), now: Make.now)
                    case .first, .second, .third: machine.settle(Self.settlement(event, of: first), now: Make.now)
                    }
                }
                check(start, order, outcomes, machine.stored(KeySpace()))
                let admission = machine.admit(first, now: Make.now)
                if order.contains(.cancel) { #expect(admission == .duplicate, "\(start), \(order)") }
            }
        }
    }

    @Test(
        "Every order of attempts and a cancellation has the effect of at most one, in Redis",
        arguments: [false, true]
    )
    func scripts(isShadow: Bool) async throws {
        let first = Self.admission(isShadow: isShadow)
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            for start in Start.allCases {
                for order in Self.orders {
                    try scripts.flush()
                    if start != .neverArrived { _ = try scripts.admit(first, now: Make.now) }
                    if start == .expired { try server.command("DEL", "{0}:v1:l:\(first.lease)") }
                    let outcomes = try order.map { event in
                        switch event {
                        case .cancel: try scripts.cancel(Cancellation(first, authority: .shared), now: Make.now)
                        case .first, .second, .third:
                            try scripts.settle(Self.settlement(event, of: first), now: Make.now)
                        }
                    }
                    check(start, order, outcomes, try scripts.stored())
                    let admission = try scripts.admit(first, now: Make.now)
                    if order.contains(.cancel) { #expect(admission == .duplicate, "\(start), \(order)") }
                }
            }
        }
    }

    private static func settlement(_ event: Event, of admission: Admission) -> Settlement {
        let attempt =
            switch event {
            case .first: 1
            case .second: 2
            case .third: 3
            case .cancel: preconditionFailure("a cancellation has no attempts")
            }
        return Make.settlement(admission, attempt: attempt, actual: 250, usage: usage)
    }

    private func check(
        _ start: Start,
        _ order: [Event],
        _ outcomes: [SettlementOutcome],
        _ stored: [String: StoredValue]
    ) {
        let effects = zip(order, outcomes).filter { $1 != .alreadyApplied }
        let counted = stored["{0}:v1:u:20260320:team-a"] == nil ? 0 : 1
        let expected: Int
        switch start {
        case .admitted: expected = order.isEmpty ? 0 : 1
        case .expired, .neverArrived:
            // Only a first attempt that no cancellation came before.
            let first = order.firstIndex(of: .first)
            let isCancelled = first.map { order[..<$0].contains(.cancel) } ?? true
            expected = isCancelled ? 0 : 1
        }
        #expect(effects.count == expected, "\(start), \(order): \(outcomes)")
        #expect(counted == effects.count { $0.0 != .cancel }, "\(start), \(order): \(stored)")
        if start == .admitted {
            var tokens: Int64 = 900
            if let (event, _) = effects.first { tokens = event == .cancel ? 1000 : 750 }
            guard case .integers(let scope)? = stored["{0}:v1:c:team-a"] else {
                Issue.record("\(order): no state")
                return
            }
            #expect(scope[2] == tokens * Bucket.unit, "\(order): \(scope)")
            #expect(scope[4] == 1000 - tokens, "\(order): \(scope)")
            // Both slots are free once it has ended.
            #expect((stored["{0}:v1:cl:team-a"] == nil) == (expected == 1), "\(order)")
            #expect((stored["{0}:v1:dl:sweden/d"] == nil) == (expected == 1), "\(order)")
        }
    }
}
