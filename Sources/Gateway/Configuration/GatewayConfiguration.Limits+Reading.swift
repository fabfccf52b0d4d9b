extension GatewayConfiguration.Limits {
    /// The limits of a client, or of a client with one model.
    init(ofClient keys: inout MappingReader) {
        self.init()
        self.readRates(&keys)
        keys.read("tokens_per_day", into: &self.tokensPerDay) { $0.count(in: 0...Self.mostPerPeriod) }
        keys.read("tokens_per_month", into: &self.tokensPerMonth) { $0.count(in: 0...Self.mostPerPeriod) }
    }

    /// The limits of a deployment, which has no quota by the day.
    init(ofDeployment keys: inout MappingReader) {
        self.init()
        self.readRates(&keys)
    }

    private mutating func readRates(_ keys: inout MappingReader) {
        keys.read("requests_per_minute", into: &self.requestsPerMinute) { $0.count(in: 0...Self.mostPerMinute) }
        keys.read("tokens_per_minute", into: &self.tokensPerMinute) { $0.count(in: 0...Self.mostPerMinute) }
        keys.read("concurrent_requests", into: &self.concurrentRequests) { $0.count(in: 0...Self.mostAtOnce) }
    }
}

extension GatewayConfiguration.Burst {
    /// - Parameter limits: those of the same client; a burst beside no limit would say nothing.
    init(reading keys: inout MappingReader, limits: GatewayConfiguration.Limits) {
        self.init()
        keys.read("requests", into: &self.requests) {
            $0.burst(of: limits.requestsPerMinute, named: "requests_per_minute")
        }
        keys.read("tokens", into: &self.tokens) { $0.burst(of: limits.tokensPerMinute, named: "tokens_per_minute") }
    }
}

extension ConfigurationField {
    fileprivate func burst(of limit: Int?, named name: String) -> Int? {
        let burst = self.count(in: 1...GatewayConfiguration.Burst.most)
        if burst != nil, limit == nil {
            self.report("needs '\(name)' in 'limits' of the same client", at: self.position)
            return nil
        }
        return burst
    }
}
