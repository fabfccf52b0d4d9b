extension GatewayConfiguration.Server {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max_header_bytes", "All header fields of a request together.", into: &self.maxHeaderBytes) {
            $0.bytes(in: 1 << 10...1 << 20)
        }
        keys.read("max_header_count", "Header fields of a request.", into: &self.maxHeaderCount) {
            $0.count(in: 1...1_000)
        }
        keys.read("max_target_bytes", "The path and query of a request.", into: &self.maxTargetBytes) {
            $0.bytes(in: 256...64 << 10)
        }
        keys.read("max_body_bytes", "The body of a request.", into: &self.maxBodyBytes) {
            $0.bytes(in: 1 << 10...1 << 30)
        }
        keys.read(
            "idle_timeout",
            "A kept connection without a request is closed after this. Keep it above Front Door's 90 s.",
            into: &self.idleTimeout
        ) { $0.duration(from: .seconds(1), to: .seconds(3_600)) }
        keys.read(
            "request_head_timeout",
            "From the first byte of a request to the end of its head.",
            into: &self.requestHeadTimeout
        ) { $0.duration(from: .milliseconds(100), to: .seconds(5 * 60)) }
        keys.read("heartbeat", "A stream gets an SSE comment after this much silence.", into: &self.heartbeat) {
            $0.duration(from: .milliseconds(100), to: .seconds(5 * 60))
        }
        keys.read("drain", "How a replica leaves.", into: &self.drain) {
            $0.mapping("drain section") { .init(reading: &$0) }
        }
        keys.read("max_in_flight", "Requests at once; above it: 503 with retry-after.", into: &self.maxInFlight) {
            $0.count(in: 1...1_000_000)
        }
        keys.read("threads", "Event loops; absent: one per core.", into: &self.threads) { $0.count(in: 1...256) }
        keys.read(
            "routing_headers",
            "Answers say with x-sluice-deployment and x-sluice-attempts where they come from.",
            into: &self.routingHeaders
        ) { $0.bool() }
        keys.read(
            "model_refusal_status",
            "Answered when a client may not use a model: 403, or 401 as PowerProxy does.",
            into: &self.modelRefusalStatus
        ) { $0.choice(of: GatewayConfiguration.ModelRefusalStatus.self) }
    }
}

extension GatewayConfiguration.Drain {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("lame_duck", "Reported as not ready while still accepting.", into: &self.lameDuck) {
            $0.duration(from: .zero, to: .seconds(5 * 60))
        }
        keys.read("grace", "Then running requests may take this long before they are cut.", into: &self.grace) {
            $0.duration(from: .zero, to: .seconds(3_600))
        }
    }
}
