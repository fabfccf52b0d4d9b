/// What one exchange used: the row that teams are billed by. `docs/usage.md` is the schema for those who read it elsewhere.
///
/// There is one for each exchange of a client that is known, whatever became of it.
struct UsageEvent: Equatable, Sendable {
    /// Raised when a field changes its meaning or goes; a field more is no new version.
    static let schemaVersion = 1

    /// One deployment that was tried.
    struct Attempt: Equatable, Sendable {
        var endpoint = ""
        /// Empty where the request names none.
        var deployment = ""
        /// Of Azure's answer; 0 where there was none.
        var status = 0
    }

    /// The same wherever the event is written, however often.
    var id: UInt64 = 0
    /// When the request's head came, in microseconds since 1970.
    var received: Int64 = 0
    /// Microseconds from then to the last byte of the answer.
    var duration: Int64 = 0
    /// Microseconds from then to the first byte of Azure's answer; `nil` if none was passed on.
    var firstByte: Int64?
    var client = ""
    /// Who of the client it was: the user's `oid`, or the application that calls for itself. Empty for API keys.
    var identity = ""
    var method = ""
    var path = ""
    var apiVersion = ""
    /// As the client named it.
    var model = ""
    /// The deployment that answered, and those that were tried before, in order; empty if the request was refused.
    var attempts: [Attempt] = []
    /// Of the deployment in the configuration.
    var tier = 0
    var isProvisioned = false
    /// By which Azure bills; empty where it does not say.
    var serviceTier = ""
    var isStream = false
    /// What the client got; 499 when it left.
    var status = 0
    /// Why, when it was not Azure that answered.
    var errorCode = ""
    var errorSource = ""
    var usage = TokenUsage()
    var requestBytes = 0
    var responseBytes = 0
    /// Where Azure says that it was.
    var region = ""
    /// Azure's own name of the request.
    var upstreamRequestID = ""
    var frontDoorReference = ""
    /// The limit in the shadow that would have refused it; empty for none.
    var shadowLimit = ""

    var endpoint: String { attempts.last?.endpoint ?? "" }
    var deployment: String { attempts.last?.deployment ?? "" }

    /// 16 hexadecimal digits.
    var idText: String {
        let text = String(id, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

extension ServiceTier {
    /// As Azure writes it.
    var name: StaticString {
        switch self {
        case .standard: "default"
        case .priority: "priority"
        case .flex: "flex"
        case .auto: "auto"
        case .other: "other"
        }
    }
}
