extension GatewayConfiguration.Endpoint {
    init?(reading keys: inout MappingReader, names: inout NameRegistry) {
        let name = keys.required("name", "What models and logs call it.")?.title()
        names.declare(name, in: keys.context)
        let url = keys.required("url", "https://NAME.openai.azure.com, without a path.")?
            .value(.words("URL"), EndpointURL.parse)

        // Read the rest even when these are missing: every error of the file is reported.
        self.init(name: name?.value ?? "", url: url?.value ?? EndpointURL(scheme: .https, host: ""))
        self.credential = .init(reading: &keys)
        keys.read("timeouts", "How long a call may take.", into: &self.timeouts) {
            $0.mapping("timeouts section") { .init(reading: &$0) }
        }
        keys.read("connections", "Of this replica to the endpoint.", into: &self.connections) {
            $0.mapping("connections section") { .init(reading: &$0) }
        }
        keys.read(
            "forward_headers",
            "Headers of the client that are sent on, besides those always sent; at most 5.",
            into: &self.forwardHeaders
        ) { $0.headerNames() }
        keys.read(
            "forward_headers_matching",
            "A regular expression: headers are sent on if their name matches, in place of the fixed list.",
            into: &self.forwardHeadersMatching
        ) { $0.regularExpression() }
        keys.read("ca_file", "PEM file of the authorities to trust instead of the system's.", into: &self.caFile) {
            $0.path()
        }
        keys.read("proxy", "http://host:port of a forward proxy.", into: &self.proxy) { $0.proxy() }
    }
}

extension GatewayConfiguration.Credential {
    /// At most one of five keys.
    fileprivate init?(reading keys: inout MappingReader) {
        let apiKey = keys.optional("api_key", "One credential: this, an identity, or `pass_through`.")
        let key = apiKey?.secret()?.value
        let choice = GatewayConfiguration.AzureIdentity.Choice(reading: &keys)
        let passThrough = keys.optional("pass_through", "true: the client's own credential is sent on as it came.")
        let passes = passThrough?.bool()

        let given = [apiKey, choice.given, passes == false ? nil : passThrough].compactMap(\.self)
        if let first = given.first {
            for other in given.dropFirst() {
                other.report("stands beside \(first.label); keep one credential", at: other.position)
            }
        }
        if let key {
            self = .apiKey(key)
        } else if let identity = choice.identity {
            self = .identity(identity)
        } else if passes == true {
            self = .passThrough
        } else {
            return nil
        }
    }
}

extension GatewayConfiguration.Timeouts {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("connect", "Name lookup, TCP and TLS together.", into: &self.connect) {
            $0.duration(from: .milliseconds(10), to: .seconds(2 * 60))
        }
        keys.read("first_byte", "From the request sent to the first byte of the answer.", into: &self.firstByte) {
            $0.duration(from: .milliseconds(100), to: .seconds(3_600))
        }
        keys.read("idle", "Between two pieces of the answer.", into: &self.idle) {
            $0.duration(from: .milliseconds(100), to: .seconds(3_600))
        }
        keys.read("total", "The whole call.", into: &self.total) {
            $0.duration(from: .seconds(1), to: .seconds(24 * 3_600))
        }
    }
}

extension GatewayConfiguration.Connections {
    init(reading keys: inout MappingReader) {
        self.init()
        keys.read("max", "Open at once.", into: &self.max) { $0.count(in: 1...10_000) }
        keys.read("http2", "Offer HTTP/2.", into: &self.http2) { $0.bool() }
        keys.read("max_wait", "How long a call may wait for a connection.", into: &self.maxWait) {
            $0.duration(from: .zero, to: .seconds(5 * 60))
        }
        keys.read("max_waiting", "How many calls may wait for a connection.", into: &self.maxWaiting) {
            $0.count(in: 0...100_000)
        }
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
            let name = entry.value(.words("header's name")) { text throws(BadValue) in
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

    /// Compiled only to see whether it can be.
    func regularExpression() -> String? {
        self.value(.words("regular expression")) { text throws(BadValue) in
            guard text.utf8.count <= 512, (try? Regex(text)) != nil else {
                throw BadValue("must be a regular expression of at most 512 characters")
            }
            return text
        }?.value
    }

    /// `http://host:port`. A user and password are refused: they would be shown wherever the proxy is.
    fileprivate func proxy() -> String? {
        self.value(.words("URL")) { text throws(BadValue) in
            let url = try EndpointURL.parse(text)
            guard url.scheme == .http, url.port != nil else {
                throw BadValue("must be http://host:port", shown: false)
            }
            return url.description
        }?.value
    }
}
