/// A load, as a file describes it: who sends what to whom, when, and what is expected of the answers.
struct Scenario: Equatable, Sendable {
    /// Where the times come from.
    enum Mode: Equatable, Sendable {
        /// Requests come when the schedule says, whatever the answers do; latency counts from the intended time.
        case open(RateProfile, ArrivalSchedule.Arrivals)
        /// Each worker sends its next request when the last was answered.
        case closed(WorkerProfile, thinkTime: Distribution)

        var seconds: Double {
            switch self {
            case .open(let profile, _): profile.seconds
            case .closed(let profile, _): profile.seconds
            }
        }
    }

    /// What a client may have, by the gateway's configuration.
    struct Limits: Equatable, Sendable {
        /// A bucket that holds `burst` and gains `perMinute` evenly.
        struct Bucket: Equatable, Sendable, Codable {
            let perMinute: Double
            let burst: Double

            /// What may be admitted in any window of this length.
            func allowed(in seconds: Double) -> Double { burst + perMinute / 60 * seconds }
        }

        var requests: Bucket?
        var tokens: Bucket?
    }

    struct Client: Equatable, Sendable {
        let name: String
        let share: Double
        /// Whole header lines, one for each key or token, taken in turn; a single empty one without credentials.
        let credentials: [String]
        let limits: Limits
    }

    struct Books: Equatable, Sendable {
        var mocks: [HTTPAddress] = []
        var redis: RedisAddress?
        var namespace = "0"
    }

    var name: String
    var seed: UInt64 = 1
    /// Requests of the first so many seconds are sent, but not measured.
    var warmUp = 0.0
    /// No more than so many requests, whatever the time.
    var maximumRequests: Int = Self.maximumRequests
    /// Event loops; nil for one per core.
    var loops: Int?
    var mode: Mode
    var targets: [HTTPAddress]
    var certificateAuthority: String?
    var verifiesCertificates = true
    /// Open to each target at once, over all loops.
    var connections = 256
    var connectTimeout = 5.0
    var requestTimeout = 60.0
    /// How long answers may come after the last request was sent.
    var drain = 10.0
    /// Sent or waiting for a connection at once; above it an arrival is dropped and counted as an error.
    var maximumInFlight = 100_000
    var retries = 0
    var honoursRetryAfter = false
    var clients: [Client]
    var requests: [RequestKind]
    /// Lengths of the windows that limits are held against, in seconds.
    var windows: [Double] = [1, 10, 60]
    var books: Books?
    var failIf: [FailCondition] = []

    static let maximumRequests = 1_000_000_000
}
