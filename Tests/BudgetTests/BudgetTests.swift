internal import Testing

/// What a request and an event of a stream cost the gateway, counted and held in git. `make test` runs these alone, and
/// without sanitizers: a machine that is busy with other tests changes who waits for whom.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BudgetTests {
    /// What was disturbed once is measured again; what is real comes back.
    private static let attempts = 3

    @Test func everyCountIsWithinItsBudgetAndNotFarBelow() throws {
        let executables = try Executables()
        let budgets = try BudgetFile().budgets
        var loads = Set(budgets.map(\.load))
        #expect(!loads.isEmpty, "budgets.json is empty: `make budgets` writes it")

        for attempt in 1...Self.attempts where !loads.isEmpty {
            let measurement = try Measurement(of: loads.sorted(), executables: executables)
            var broken: Set<String> = []
            for budget in budgets where loads.contains(budget.load) {
                guard let measured = measurement.amount(budget.load, budget.counter) else {
                    Issue.record(
                        "nobody counts \(budget.counter) of \(budget.load): `make budgets` writes the file anew"
                    )
                    continue
                }
                guard let complaint = budget.complaint(about: measured) else { continue }
                broken.insert(budget.load)
                if attempt == Self.attempts {
                    Issue.record("\(complaint)\nCalls of \(budget.load): \(measurement.breakdown(budget.load))")
                }
            }
            loads = broken
        }
    }

    // MARK: the judgement itself

    @Test(arguments: [
        (77.0, 77.0, "kept"), (77, 77.7, "kept"), (77, 78, "exceeded"), (77, 68.4, "kept"), (77, 68.2, "loose"),
        (0, 0.3, "kept"), (0, 1, "exceeded"), (1, 0, "kept"), (8, 9, "exceeded"), (8, 6, "loose"),
    ])
    func aCallMoreInARequestIsTooMuch(amount: Double, measured: Double, verdict: String) {
        let budget = Budget(load: "unary", counter: "syscalls", per: .request, amount: amount)
        #expect(budget.verdict(on: measured).name == verdict)
    }

    @Test(arguments: [
        (4.0, 4.0, "kept"), (4, 4.1, "kept"), (4, 4.2, "exceeded"), (4, 3.4, "kept"), (4, 3.3, "loose"),
        (0, 0.05, "kept"), (0, 0.2, "exceeded"),
    ])
    func aCallMoreInEveryFifthEventIsTooMuch(amount: Double, measured: Double, verdict: String) {
        let budget = Budget(load: "paced", counter: "allocations", per: .event, amount: amount)
        #expect(budget.verdict(on: measured).name == verdict)
    }

    @Test func complaintsSayWhichCounterWhatWasMeasuredAndHowToMend() throws {
        let budget = Budget(load: "paced", counter: "syscalls", per: .event, amount: 4.08)
        let exceeded = try #require(budget.complaint(about: 5.1))
        #expect(exceeded.hasPrefix("paced: 5.10 syscalls per event, the budget is 4.08 (at most 4.20)."))
        #expect(exceeded.contains("bench/counters/sites --load paced syscalls") && exceeded.contains("make budgets"))
        let loose = try #require(budget.complaint(about: 3))
        #expect(loose.hasPrefix("paced: 3 syscalls per event, the budget is 4.08 (at least 3.42)."))
        #expect(loose.contains("lowering the budget with `make budgets`"))
        #expect(budget.complaint(about: 4) == nil)
    }

    @Test func aMissingReleaseBuildIsAnErrorThatSaysHowToMakeIt() {
        let failure = #expect(throws: Failure.self) {
            try Executables(environment: ["BUDGET_SLUICE": "/nonexistent/sluice"])
        }
        #expect(failure?.description.contains("none at /nonexistent/sluice: `make test` builds it") == true)
    }
}

extension Budget.Verdict {
    fileprivate var name: String {
        switch self {
        case .kept: "kept"
        case .exceeded: "exceeded"
        case .loose: "loose"
        }
    }
}
