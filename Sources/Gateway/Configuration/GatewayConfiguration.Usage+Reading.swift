extension GatewayConfiguration.UsageSink {
    init?(_ kind: Kind, reading keys: inout MappingReader) {
        switch kind {
        case .console:
            self = .console
        case .csv:
            let directory = Self.directory(&keys)
            var columns = GatewayConfiguration.CSVColumns.powerProxy
            keys.read("columns", "PowerProxy's, or all that is known.", into: &columns) {
                $0.choice(of: GatewayConfiguration.CSVColumns.self)
            }
            guard let directory else { return nil }
            self = .csv(directory: directory, columns: columns)
        case .jsonl:
            guard let directory = Self.directory(&keys) else { return nil }
            self = .jsonl(directory: directory)
        case .logAnalytics:
            guard let table = GatewayConfiguration.LogAnalytics(reading: &keys) else { return nil }
            self = .logAnalytics(table)
        }
    }

    private static func directory(_ keys: inout MappingReader) -> String? {
        keys.required("directory", "The folder that the files are written to.")?.path()
    }
}

extension GatewayConfiguration.LogAnalytics {
    init?(reading keys: inout MappingReader) {
        let endpoint = keys.required("endpoint", "The ingestion endpoint, such as https://x.ingest.monitor.azure.com.")?
            .value(.words("URL")) { text throws(BadValue) in
                let url = try EndpointURL.parse(text)
                guard url.scheme == .https || url.isLoopback else {
                    throw BadValue("must be https://, except on loopback", shown: false)
                }
                return url
            }
        let rule = keys.required("rule", "The immutable id of the data collection rule: dcr- and 32 digits.")?.ruleID()
        let stream = keys.required("stream", "The rule's name for the table, such as Custom-AzureOpenAIUsage_PP_CL.")?
            .streamName()
        let identity = GatewayConfiguration.AzureIdentity(reading: &keys)
        guard let endpoint, let rule, let stream, let identity else { return nil }
        self.init(endpoint: endpoint.value, rule: rule, stream: stream, identity: identity)
    }
}

extension GatewayConfiguration.Tracing {
    init?(reading keys: inout MappingReader) {
        let otlp = keys.required("otlp", "Where spans are sent by OTLP over HTTP, such as http://127.0.0.1:4318.")
        let url = otlp?.value(.words("URL"), EndpointURL.parse)
        self.init(otlp: url?.value ?? EndpointURL(scheme: .http, host: "localhost"))
        keys.read("sampling_ratio", "Of the requests whose caller has not decided.", into: &self.samplingRatio) {
            $0.fraction()
        }
        keys.read(
            "follow_callers",
            "A caller that sends a valid traceparent decides whether its request is traced.",
            into: &self.followCallers
        ) { $0.bool() }
        keys.read("service", "The spans' service.name.", into: &self.service) { $0.name()?.value }
        keys.read("ca_file", "PEM file of the authorities to trust instead of the system's.", into: &self.caFile) {
            $0.path()
        }
        if url == nil { return nil }
    }
}

extension GatewayConfiguration.Mock {
    init?(reading keys: inout MappingReader) {
        self.init(body: "")
        keys.read("delay", "How long every request waits for it.", into: &self.delay) {
            $0.duration(from: .zero, to: .seconds(3_600))
        }
        let body = keys.required("body", "A JSON document, sent as it is.")?
            .value(.words("text")) { text throws(BadValue) in
                guard text.first == "{" || text.first == "[" else {
                    throw BadValue("must be a JSON object or array", shown: false)
                }
                return text
            }
        guard let body else { return nil }
        self.body = body.value
    }
}

extension ConfigurationField {
    func ruleID() -> String? {
        self.value(.words("rule's id")) { text throws(BadValue) in
            let digits = text.utf8.dropFirst("dcr-".utf8.count)
            guard text.hasPrefix("dcr-"), digits.count == 32, digits.allSatisfy(ConfigurationText.isHexadecimal) else {
                throw BadValue("must be a rule's immutable id: dcr- and 32 hexadecimal digits")
            }
            return text
        }?.value
    }

    fileprivate func streamName() -> String? {
        self.value(.words("stream's name")) { text throws(BadValue) in
            let isName = text.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "_-".utf8.contains($0) }
            guard isName, text.hasPrefix("Custom-") || text.hasPrefix("Microsoft-"), text.utf8.count <= 128 else {
                throw BadValue("must be a stream's name, such as Custom-AzureOpenAIUsage_PP_CL")
            }
            return text
        }?.value
    }
}
