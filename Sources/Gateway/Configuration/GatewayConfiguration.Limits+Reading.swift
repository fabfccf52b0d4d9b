extension GatewayConfiguration.Limits {
    /// The limits of a client, or of a client with one model.
    init(ofClient keys: inout MappingReader) {
        self.init()
        self.readRates(&keys)
        keys.read("tokens_per_day", "Tokens in a UTC day.", into: &self.tokensPerDay) {
            $0.count(in: 0...Self.mostPerPeriod)
        }
        keys.read("tokens_per_month", "Tokens in a UTC calendar month.", into: &self.tokensPerMonth) {
            $0.count(in: 0...Self.mostPerPeriod)
        }
        self.readShadow(&keys)
    }

    /// The limits of a deployment, which has no quota by the day.
    init(ofDeployment keys: inout MappingReader) {
        self.init()
        self.readRates(&keys)
        self.readShadow(&keys)
    }

    private mutating func readRates(_ keys: inout MappingReader) {
        keys.read("requests_per_minute", "Absent: no limit; 0: blocked.", into: &self.requestsPerMinute) {
            $0.count(in: 0...Self.mostPerMinute)
        }
        keys.read("tokens_per_minute", "Prompt and completion together.", into: &self.tokensPerMinute) {
            $0.count(in: 0...Self.mostPerMinute)
        }
        keys.read("concurrent_requests", "Requests at the same time.", into: &self.concurrentRequests) {
            $0.count(in: 0...Self.mostAtOnce)
        }
    }

    private mutating func readShadow(_ keys: inout MappingReader) {
        keys.read(
            "shadow",
            "Counts and reports what these limits would refuse, and refuses nothing.",
            into: &self.isShadow
        ) { $0.bool() }
    }
}

extension GatewayConfiguration.Burst {
    /// - Parameter limits: those of the same client; a burst beside no limit would say nothing.
    init(reading keys: inout MappingReader, limits: GatewayConfiguration.Limits) {
        self.init()
        keys.read("requests", "Only beside `requests_per_minute`.", into: &self.requests) {
            $0.burst(of: limits.requestsPerMinute, named: "requests_per_minute")
        }
        keys.read("tokens", "Only beside `tokens_per_minute`.", into: &self.tokens) {
            $0.burst(of: limits.tokensPerMinute, named: "tokens_per_minute")
        }
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
