/// Everything that a run tells: what `--json` writes, `--html` draws and `compare` reads.
struct RunResult: Codable, Equatable, Sendable {
    /// Raised when a reader of older files would misunderstand newer ones.
    static let currentFormat = 1

    struct Group: Codable, Equatable, Sendable {
        let name: String
        let requests: Int
        let succeeded: Int
        let aborted: Int
        let refused: Int
        let rejected: Int
        let failed: Int
        /// By kind of failure; those that did not happen are left out, as below.
        let failures: [String: Int]
        let brokenStreams: [String: Int]
        let statuses: [String: Int]
        let retries: Int
        /// 429s that said how long to wait.
        let retryAfters: Int
        let bytesSent: Int
        let bytesReceived: Int
        let streams: Int
        let events: Int
        let promptTokens: Int
        let completionTokens: Int
        let requestsPerSecond: Double
        let tokensPerSecond: Double
        let latency: Quantiles?
        let service: Quantiles?
        let refusal: Quantiles?
        let firstToken: Quantiles?
        let betweenTokens: Quantiles?
    }

    /// One second of the load.
    struct Second: Codable, Equatable, Sendable {
        /// From the start.
        let at: Double
        let seconds: Double
        let sent: Int
        let ended: Int
        let succeeded: Int
        let refused: Int
        let failed: Int
        let inFlight: Int
        let tokens: Int
        let events: Int
        let bytesReceived: Int
        let p50: Double?
        let p99: Double?
        let max: Double?
        let byTarget: [Int]
        /// Of the loops' CPU time, the part that was used: 0 to 1.
        let utilisation: Double
    }

    /// How exactly one limit of one client was kept in windows of one length.
    struct Window: Codable, Equatable, Sendable {
        let client: String
        /// "requests" or "tokens".
        let unit: String
        let seconds: Double
        /// `burst + rate * window`.
        let allowed: Double
        /// For certain, in the fullest window.
        let most: Int
        let mostAt: Double
        /// At best, in the emptiest window.
        let least: Int
        /// What the rate alone allows in a window, or what was asked for if that is less.
        let due: Double
        /// Fractions of `allowed` and of `due`.
        let overshoot: Double
        let undershoot: Double
    }

    struct BookLine: Codable, Equatable, Sendable {
        let book: String
        let what: String
        let seen: Int
        let booked: Int
        var difference: Int { booked - seen }
    }

    var format = Self.currentFormat
    let name: String
    let seed: UInt64
    /// Seconds since 1970.
    let startedAt: Double
    /// Measured, without the warm-up.
    let seconds: Double
    let warmUp: Double
    let isOpenLoop: Bool
    let loops: Int
    let targets: [String]
    let wasInterrupted: Bool
    /// Open when a person interrupted; in no count.
    let leftOpen: Int
    let total: Group
    /// Of a closed loop: the latency, corrected for coordinated omission.
    let corrected: Quantiles?
    let clients: [Group]
    let models: [Group]
    let byTarget: [Group]
    let timeline: [Second]
    let lag: Quantiles?
    let connectionWait: Quantiles?
    let connectionsOpened: Int
    /// The busiest loop's, over the load.
    let utilisation: Double
    /// Why the figures may be this tool's and not the server's; empty is good.
    let bottlenecks: [String]
    let windows: [Window]
    let fairness: Double?
    let books: [BookLine]
    /// Anything else that a reader should know.
    let notes: [String]
}
