extension GatewayConfiguration.Endpoint {
    init?(reading keys: inout MappingReader, names: inout NameRegistry) {
        let name = keys.required("name")?.name()
        names.declare(name, in: keys.context)
        let url = keys.required("url")?.value(EndpointURL.parse)

        // Read the rest even when these are missing: every error of the file is reported.
        self.init(name: name?.value ?? "", url: url?.value ?? EndpointURL(scheme: .https, host: ""))
        keys.read("api_key", into: &self.apiKey) { $0.secret()?.value }
        keys.read("timeouts", into: &self.timeouts) { $0.mapping("timeouts section") { .init(reading: &$0) } }
        keys.read("connections", into: &self.connections) { $0.mapping("connections section") { .init(reading: &$0) } }
        keys.read("forward_headers", into: &self.forwardHeaders) { $0.headerNames() }
        keys.read("ca_file", into: &self.caFile) { $0.path() }
        keys.read("proxy", into: &self.proxy) { $0.proxy() }
    }
}

extension GatewayConfiguration.Timeouts {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("connect", into: &self.connect) { $0.duration(from: .milliseconds(10), to: .seconds(2 * 60)) }
        keys.read("first_byte", into: &self.firstByte) { $0.duration(from: .milliseconds(100), to: .seconds(3_600)) }
        keys.read("idle", into: &self.idle) { $0.duration(from: .milliseconds(100), to: .seconds(3_600)) }
        keys.read("total", into: &self.total) { $0.duration(from: .seconds(1), to: .seconds(24 * 3_600)) }
    }
}

extension GatewayConfiguration.Connections {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max", into: &self.max) { $0.count(in: 1...10_000) }
        keys.read("http2", into: &self.http2) { $0.bool() }
        keys.read("max_wait", into: &self.maxWait) { $0.duration(from: .zero, to: .seconds(5 * 60)) }
        keys.read("max_waiting", into: &self.maxWaiting) { $0.count(in: 0...100_000) }
    }
}

extension ConfigurationField {
    /// Headers the gateway makes itself, and those that belong to one connection (RFC 9110 section 7.6.1).
    private static let ownHeaders: Set<String> = [
        "api-key", "authorization", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// At most five header names in lower case.
    fileprivate func headerNames() -> [String]? {
        guard let entries = self.list() else { return nil }
        if entries.count > 5 {
            self.report("has \(entries.count) entries; at most 5 headers can be forwarded")
        }
        var names: [String] = []
        for entry in entries {
            let name = entry.value { text throws(BadValue) in
                let name = text.lowercased()
                guard name.utf8.allSatisfy(ConfigurationText.isToken), name.utf8.count <= 64 else {
                    throw BadValue("must be a header's name: 1 to 64 letters, digits or '-'")
                }
                guard !Self.ownHeaders.contains(name) else {
                    throw BadValue("must not be a header that the gateway sets itself")
                }
                guard !names.contains(name) else {
                    throw BadValue("repeats a header; remove it")
                }
                return name
            }
            names += name.map { [$0.value] } ?? []
        }
        return names
    }

    /// `http://host:port`. A user and password are refused: they would be shown wherever the proxy is.
    fileprivate func proxy() -> String? {
        self.value { text throws(BadValue) in
            let url = try EndpointURL.parse(text)
            guard url.scheme == .http, url.port != nil else {
                throw BadValue("must be http://host:port", shown: false)
            }
            return url.description
        }?.value
    }
}
