/// Load, clients and sizes.
extension ScenarioNode {
    func httpAddress() throws(ScenarioError) -> HTTPAddress {
        try read("an address such as http://127.0.0.1:8080, without a path", HTTPAddress.init)
    }

    func mode() throws(ScenarioError) -> Scenario.Mode {
        var map = try mapping()
        let open = map.optional("open")
        let closed = map.optional("closed")
        try map.finish()
        switch (open, closed) {
        case (let open?, nil): return try open.openMode()
        case (nil, let closed?): return try closed.closedMode()
        case (nil, nil), (.some, .some): throw fail("expected either 'open' or 'closed'")
        }
    }

    private func openMode() throws(ScenarioError) -> Scenario.Mode {
        var map = try mapping()
        let arrivals: ArrivalSchedule.Arrivals = try map.optional("arrivals")?.choice() ?? .constant
        var phases: [RateProfile.Phase] = []
        for node in try map.required("phases").list() { phases.append(try node.phase()) }
        try map.finish()
        let profile = RateProfile(phases: phases)
        guard profile.arrivals > 0 else { throw fail("no request arrives in these phases") }
        return .open(profile, arrivals)
    }

    private func phase() throws(ScenarioError) -> RateProfile.Phase {
        var map = try mapping()
        let seconds = try map.required("for").seconds(in: 0.001...31_536_000)
        let rates = 0...1e7
        let phase: RateProfile.Phase
        if let rate = map.optional("rate") {
            let rate = try rate.count(in: rates)
            phase = .init(from: rate, to: rate, seconds: seconds)
        } else {
            let from = try map.required("from").count(in: rates)
            phase = .init(from: from, to: try map.required("to").count(in: rates), seconds: seconds)
        }
        try map.finish()
        return phase
    }

    private func closedMode() throws(ScenarioError) -> Scenario.Mode {
        var map = try mapping()
        let workers = try map.required("workers").integer(in: 1...100_000)
        let seconds = try map.required("for").seconds(in: 0.001...31_536_000)
        let pause = try map.optional("think_time")?.distribution { node throws(ScenarioError) in try node.seconds() }
        try map.finish()
        return .closed(workers: workers, seconds: seconds, thinkTime: pause ?? Distribution(.fixed(0)))
    }

    // MARK: Sizes

    /// A number, or a mapping with the name of a distribution.
    func distribution(
        of number: (ScenarioNode) throws(ScenarioError) -> Double
    ) throws(ScenarioError) -> Distribution {
        guard isMapping else { return Distribution(.fixed(try number(self))) }
        var map = try mapping()
        let low = try map.optional("min").map(number) ?? 0
        let high = try map.optional("max").map(number) ?? 1e9
        guard low <= high else { throw fail("min is above max") }
        var shapes: [Distribution.Shape] = []
        if let node = map.optional("uniform") {
            let ends = try node.numbers(number)
            guard ends.count == 2, ends[0] <= ends[1] else { throw node.fail("expected [LOW, HIGH]") }
            shapes.append(.uniform(ends[0], ends[1]))
        }
        if let node = map.optional("exponential") { shapes.append(.exponential(mean: try number(node))) }
        if let node = map.optional("normal") {
            let pair = try node.pair("mean", "deviation", number)
            shapes.append(.normal(mean: pair.0, deviation: pair.1))
        }
        if let node = map.optional("lognormal") {
            let pair = try node.pair("median", "p95", number)
            guard pair.0 > 0, pair.1 >= pair.0 else { throw node.fail("expected 0 < median <= p95") }
            shapes.append(.logNormal(median: pair.0, p95: pair.1))
        }
        if let node = map.optional("choice") {
            let values = try node.numbers(number)
            guard !values.isEmpty else { throw node.fail("expected at least one value") }
            shapes.append(.choice(values))
        }
        try map.finish()
        guard shapes.count == 1 else {
            throw fail("expected one of uniform, exponential, normal, lognormal, choice")
        }
        return Distribution(shapes[0], within: low...high)
    }

    private func numbers(
        _ number: (ScenarioNode) throws(ScenarioError) -> Double
    ) throws(ScenarioError) -> [Double] {
        var values: [Double] = []
        for node in list() { values.append(try number(node)) }
        return values
    }

    private func pair(
        _ first: String,
        _ second: String,
        _ number: (ScenarioNode) throws(ScenarioError) -> Double
    ) throws(ScenarioError) -> (Double, Double) {
        var map = try mapping()
        let pair = (try number(map.required(first)), try number(map.required(second)))
        try map.finish()
        return pair
    }
}
