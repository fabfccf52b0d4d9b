extension GatewayConfiguration.Server {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max_header_bytes", into: &self.maxHeaderBytes) { $0.bytes(in: 1 << 10...1 << 20) }
        keys.read("max_header_count", into: &self.maxHeaderCount) { $0.count(in: 1...1_000) }
        keys.read("max_target_bytes", into: &self.maxTargetBytes) { $0.bytes(in: 256...64 << 10) }
        keys.read("max_body_bytes", into: &self.maxBodyBytes) { $0.bytes(in: 1 << 10...1 << 30) }
        keys.read("idle_timeout", into: &self.idleTimeout) { $0.duration(from: .seconds(1), to: .seconds(3_600)) }
        keys.read("request_head_timeout", into: &self.requestHeadTimeout) {
            $0.duration(from: .milliseconds(100), to: .seconds(5 * 60))
        }
        keys.read("heartbeat", into: &self.heartbeat) { $0.duration(from: .milliseconds(100), to: .seconds(5 * 60)) }
        keys.read("drain", into: &self.drain) { $0.mapping("drain section") { .init(reading: &$0) } }
        keys.read("max_in_flight", into: &self.maxInFlight) { $0.count(in: 1...1_000_000) }
        keys.read("threads", into: &self.threads) { $0.count(in: 1...256) }
    }
}

extension GatewayConfiguration.Drain {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("lame_duck", into: &self.lameDuck) { $0.duration(from: .zero, to: .seconds(5 * 60)) }
        keys.read("grace", into: &self.grace) { $0.duration(from: .zero, to: .seconds(3_600)) }
    }
}
