internal import NIOCore

/// What is known of one exchange when it has ended: the source of its access log line and its metrics.
///
/// There is one of each, which all who read it borrow: a copy would count a dozen references up and down.
struct ExchangeRecord: ~Copyable {
    /// Unique in the fleet for practical purposes: 64 random bits of the process and a count.
    var id: ExchangeID
    var start: NIODeadline
    var method = ""
    /// Without the query, which may carry what nobody should log.
    var path: Substring = ""
    /// As it came, with its "?"; for what is looked for in it, never to be logged.
    var query: Substring = ""
    /// Where the client is, as far as that can be believed: see `FrontDoor.Origin`.
    var address: CallerAddress?
    /// Front Door's name of the request.
    var frontDoorReference: String?
    /// What an access token said of its bearer.
    var identity: TokenIdentity?
    var client: Int?
    var clientName: String?
    /// Index of a configured model.
    var model: Int?
    var modelName: String?
    var endpoint: Int?
    var deployment: String?
    /// What the client got; 499 when it left before its answer was complete.
    var status = 0
    /// Why, when it was not Azure that answered.
    var error: GatewayError?
    var attempts = 0
    /// Those before the last, in order; empty for almost all.
    var earlierAttempts: [Attempt] = []
    /// Of Azure's answer to the last attempt; 0 where there was none.
    var upstreamStatus = 0
    /// Of the deployment that was tried last.
    var tier = 0
    var isProvisioned = false
    /// By which Azure bills.
    var serviceTier: ServiceTier?
    /// Where Azure says that it answered.
    var region: String?
    /// By the end of its path.
    var operation = APIOperation.other
    /// What limits in the shadow would have done.
    var shadow = ShadowFindings()
    /// Tokens that were reserved; 0 where none were.
    var estimate = 0
    /// What it cost, as it was settled.
    var usage = TokenUsage()
    var isStream = false
    var requestBytes = 0
    var responseBytes = 0
    /// When the first byte of Azure's answer was passed on.
    var firstByte: NIODeadline?
    var end: NIODeadline
    /// Its trace, if it is traced.
    var trace: TraceID?
    /// Azure's id of the request, which its support asks for.
    var upstreamRequestID: String?

    /// A deployment that was tried.
    struct Attempt {
        /// Index of a configured endpoint.
        let endpoint: Int
        let deployment: String?
        let status: Int
    }

    /// The last attempt; there was one.
    var lastAttempt: Attempt {
        Attempt(endpoint: endpoint ?? 0, deployment: deployment, status: upstreamStatus)
    }
}

struct ExchangeID: CustomStringConvertible {
    let process: UInt64
    let count: UInt64

    var value: UInt64 { process ^ (count &* 0x9E37_79B9_7F4A_7C15) }

    /// `value` as 16 hexadecimal digits.
    var description: String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
