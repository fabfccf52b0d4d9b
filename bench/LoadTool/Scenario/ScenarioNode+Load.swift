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
        for node in try map.required("phases").list() { phases.append(try node.phase(of: "rate", in: 0...1e7)) }
        try map.finish()
        let profile = RateProfile(phases: phases)
        guard profile.arrivals > 0 else { throw fail("no request arrives in these phases") }
        return .open(profile, arrivals)
    }

    /// `{rate: 10, for: 5s}`, or `{from: 10, to: 20, for: 5s}`.
    private func phase(of key: String, in range: ClosedRange<Double>) throws(ScenarioError) -> RateProfile.Phase {
        var map = try mapping()
        let seconds = try map.required("for").seconds(in: 0.001...31_536_000)
        let phase: RateProfile.Phase
        if let steady = map.optional(key) {
            let level = try steady.count(in: range)
            phase = .init(from: level, to: level, seconds: seconds)
        } else {
            let from = try map.required("from").count(in: range)
            phase = .init(from: from, to: try map.required("to").count(in: range), seconds: seconds)
        }
        try map.finish()
        return phase
    }

    private func closedMode() throws(ScenarioError) -> Scenario.Mode {
        var map = try mapping()
        let profile: WorkerProfile
        if let phases = map.optional("phases") {
            var steps: [RateProfile.Phase] = []
            for node in phases.list() { steps.append(try node.phase(of: "workers", in: 0...100_000)) }
            profile = WorkerProfile(phases: steps)
            guard profile.most > 0 else { throw phases.fail("nobody works in these phases") }
        } else {
            profile = WorkerProfile(
                workers: try map.required("workers").integer(in: 1...100_000),
                seconds: try map.required("for").seconds(in: 0.001...31_536_000)
            )
        }
        let pause = try map.optional("think_time")?.distribution { node throws(ScenarioError) in try node.seconds() }
        try map.finish()
        return .closed(profile, thinkTime: pause ?? Distribution(.fixed(0)))
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
