extension GatewayConfiguration {
    /// An Azure OpenAI resource.
    package struct Endpoint: Sendable, Equatable {
        /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`, or spaces inside.
        package var name: String
        package var url: EndpointURL
        /// Absent: no credential of its own.
        package var credential: Credential?
        package var timeouts = Timeouts()
        package var connections = Connections()
        /// Header names forwarded besides the fixed allow-list; lower case, no repeats, at most 5.
        package var forwardHeaders: [String] = []
        /// A regular expression that a header's name must match to be forwarded, in place of the allow-list; PowerProxy's.
        package var forwardHeadersMatching: String?
        /// PEM file of the authorities to trust instead of the system's, resolved like `TLSFiles`.
        package var caFile: String?
        /// `http://host:port` of a forward proxy; calls reach https endpoints through CONNECT.
        package var proxy: String?

        /// Sent as `api-key`, when that is the credential.
        package var apiKey: Secret? {
            if case .apiKey(let key) = self.credential { key } else { nil }
        }
    }

    /// Who the gateway is to an endpoint.
    package enum Credential: Sendable, Equatable {
        case apiKey(Secret)
        /// An access token of this identity.
        case identity(AzureIdentity)
        /// The client's own credential, as it came.
        case passThrough
    }

    package struct Timeouts: Sendable, Equatable {
        /// Name lookup, TCP and TLS together. 10ms to 2m, default 5s.
        package var connect = Duration.seconds(5)
        /// From the request sent to the first byte of the answer. 100ms to 1h, default 120s.
        package var firstByte = Duration.seconds(120)
        /// Between two pieces of the answer. 100ms to 1h, default 300s.
        package var idle = Duration.seconds(300)
        /// The whole call. 1s to 24h, default 30m.
        package var total = Duration.seconds(30 * 60)
    }

    package struct Connections: Sendable, Equatable {
        /// Open at once from this replica. 1 to 10,000, default 256.
        package var max = 256
        /// Offer HTTP/2. Default false.
        package var http2 = false
        /// How long a call may wait for a connection. 0s to 5m, default 5s.
        package var maxWait = Duration.seconds(5)
        /// How many calls may wait for a connection. 0 to 100,000, default 1,000.
        package var maxWaiting = 1_000
    }
}
