/// Everything the operator decides, read from one YAML file and checked.
///
/// A value of this type is consistent: names are unique, and what refers to something refers to something that exists.
/// `ConfigurationLoader` is the only maker of one from text.
package struct GatewayConfiguration: Sendable, Equatable {
    /// Where clients connect: the data plane. Default 0.0.0.0:8080.
    package var listen = ListenAddress(host: "0.0.0.0", port: 8080)
    /// Health, metrics and status; not for the public side. Default 127.0.0.1:9090.
    package var admin = ListenAddress(host: "127.0.0.1", port: 9090)
    /// Absent: the data plane speaks plain HTTP.
    package var tls: TLSFiles?
    package var server = Server()
    /// Absent: requests need not come through Front Door.
    package var frontDoor: FrontDoor?
    /// Absent: this replica decides alone.
    package var coordination: Coordination?
    /// Whose access tokens are validated; in file order, tenants are unique. Empty: nobody's.
    package var entra: [EntraTenant] = []
    /// In file order; at least one. Names are unique, and so are API keys as they are written.
    package var clients: [Client] = []
    /// In file order; at least one, or none beside `mock`. Names are unique.
    package var endpoints: [Endpoint] = []
    /// In file order; may be empty. Names are unique.
    package var models: [Model] = []
    /// Answers every request in place of endpoints and models.
    package var mock: Mock?
    /// Where usage is written; empty: nowhere.
    package var sinks: [UsageSink] = []
    /// Where usage events are kept until every sink has them; absent: see `spoolDirectory`. Resolved like `TLSFiles`.
    package var spool: String?
    package var tracing: Tracing?
    package var log = Log()
}

extension GatewayConfiguration {
    /// PEM files of the data plane. A relative path in the file is resolved against the configuration file's folder.
    package struct TLSFiles: Sendable, Equatable {
        package var certificate: String
        package var key: String
    }

    /// Bounds of the listening side. No bound can be switched off: a gateway without one is a gateway to fill.
    package struct Server: Sendable, Equatable {
        /// Bytes of all header fields of one request. 1k to 1M, default 64k (65,536).
        package var maxHeaderBytes = 64 << 10
        /// Header fields of one request. 1 to 1,000, default 100.
        package var maxHeaderCount = 100
        /// Bytes of the request target. 256 to 64k, default 8k (8,192).
        package var maxTargetBytes = 8 << 10
        /// Bytes of one request body. 1k to 1G, default 64M (67,108,864).
        package var maxBodyBytes = 64 << 20
        /// A kept connection without a request is closed after this. 1s to 1h, default 120s: above Front Door's 90 s,
        /// so that Front Door is always the one that closes.
        package var idleTimeout = Duration.seconds(120)
        /// From the first byte of a request to the end of its head. 100ms to 5m, default 15s.
        package var requestHeadTimeout = Duration.seconds(15)
        /// A stream silent for this long gets an SSE comment. 100ms to 5m, default 15s.
        package var heartbeat = Duration.seconds(15)
        package var drain = Drain()
        /// Requests being served at once; above it a request is refused with 503. 1 to 1,000,000, default 10,000.
        package var maxInFlight = 10_000
        /// Event loops. 1 to 256; absent means one per core.
        package var threads: Int?
        /// Answers tell with `x-sluice-deployment` and `x-sluice-attempts` where they come from. Default true.
        package var routingHeaders = true
        /// What a client gets that may not use a model. Default 403.
        package var modelRefusalStatus = ModelRefusalStatus.forbidden
    }

    package enum ModelRefusalStatus: String, Sendable, CaseIterable {
        case forbidden = "403"
        /// As PowerProxy answers.
        case unauthorized = "401"
    }

    /// How a replica leaves: first it says so and still serves, then it lets what runs finish.
    package struct Drain: Sendable, Equatable {
        /// Reported as not ready while still accepting. 0s to 5m, default 5s.
        package var lameDuck = Duration.seconds(5)
        /// Then running requests may take this long before they are cut. 0s to 1h, default 25s.
        package var grace = Duration.seconds(25)
    }

    package struct Log: Sendable, Equatable {
        package enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        package enum Format: String, Sendable, CaseIterable {
            case json, text
        }

        /// The least severe line that is written. Default info.
        package var level = Level.info
        /// Default json.
        package var format = Format.json
        /// One line per request. Default true.
        package var access = true
        /// The least severe request that has a line: 5xx are errors, other failures warnings. Default info.
        package var accessLevel = AccessLevel.info
        /// Of the requests that succeeded, 0 to 1, default 1; failures always have their line.
        package var accessSamplingRatio = 1.0

        package enum AccessLevel: String, Sendable, CaseIterable {
            case info, warning, error
        }
    }
}
