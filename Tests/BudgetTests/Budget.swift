/// What one kind of request or event may cost, of one thing that is counted.
struct Budget: Sendable {
    enum Unit: String, Decodable {
        case request
        case event
    }

    enum Verdict: Equatable {
        case kept
        case exceeded(limit: Double)
        /// So much better that the budget no longer guards anything.
        case loose(limit: Double)
    }

    let load: String
    let counter: String
    let per: Unit
    let amount: Double

    /// How far above the budget a count may be: what chance adds, and less than one call more.
    private var above: Double { amount * chance + slack * 0.4 }
    /// How far below it may be before the budget has to come down.
    private var below: Double { amount * max(0.1, chance) + slack }

    /// One call more or less in a request, one in four events; of bytes 500 for each.
    private var slack: Double {
        let calls = per == .request ? 1 : 0.25
        return counter == "allocated bytes" ? calls * 500 : calls
    }

    /// The share that is decided by who was faster: how often a buffer had to grow; what timers did meanwhile; and, with
    /// 16 connections at once, how many of them one turn of the loop served.
    private var chance: Double {
        switch (load, counter) {
        case ("unary-16", "syscalls"): 0.25
        case (_, "allocated bytes"): 0.1
        case ("unary-16", "clocks"): 0.05
        default: 0.005
        }
    }

    func verdict(on measured: Double) -> Verdict {
        if measured > amount + above { return .exceeded(limit: amount + above) }
        if measured < amount - below { return .loose(limit: amount - below) }
        return .kept
    }

    /// What to tell whoever has moved it; `nil` when it is kept.
    func complaint(about measured: Double) -> String? {
        let found = "\(load): \(measured.shown) \(counter) per \(per.rawValue), the budget is \(amount.shown)"
        switch verdict(on: measured) {
        case .kept: return nil
        case .exceeded(let limit):
            return """
                \(found) (at most \(limit.shown)). Find them with `bench/counters/sites --load \(load) \(sitesArgument)`; \
                if they are worth it, raise the budget with `make budgets` and say why in the commit.
                """
        case .loose(let limit):
            return """
                \(found) (at least \(limit.shown)). Better than budgeted: keep it so, by lowering the budget with \
                `make budgets`.
                """
        }
    }

    private var sitesArgument: String { counter == "allocated bytes" ? "allocations" : counter }
}

extension Double {
    /// With as many digits as say something.
    fileprivate var shown: String {
        let cents = Int((self * 100).rounded())
        let fraction = cents.magnitude % 100
        return "\(cents < 0 ? "-" : "")\(cents.magnitude / 100)"
            + (magnitude >= 1_000 || fraction == 0 ? "" : fraction < 10 ? ".0\(fraction)" : ".\(fraction)")
    }
}
