/// What one exchange used: the row that teams are billed by. `docs/usage.md` is the schema for those who read it elsewhere.
///
/// There is one for each exchange of a client that is known, whatever became of it.
package struct UsageEvent: Equatable, Sendable {
    /// Raised when a field changes its meaning or goes; a field more is no new version.
    package static let schemaVersion = 1

    /// One deployment that was tried.
    package struct Attempt: Equatable, Sendable {
        package var endpoint = ""
        /// Empty where the request names none.
        package var deployment = ""
        /// Of Azure's answer; 0 where there was none.
        package var status = 0
    }

    /// The same wherever the event is written, however often.
    package var id: UInt64 = 0
    /// When the request's head came, in microseconds since 1970.
    package var received: Int64 = 0
    /// Microseconds from then to the last byte of the answer.
    package var duration: Int64 = 0
    /// Microseconds from then to the first byte of Azure's answer; `nil` if none was passed on.
    package var firstByte: Int64?
    package var client = ""
    /// Who of the client it was: the user's `oid`, or the application that calls for itself. Empty for API keys.
    package var identity = ""
    package var method = ""
    package var path = ""
    package var apiVersion = ""
    /// As the client named it.
    package var model = ""
    /// The deployment that answered, and those that were tried before, in order; empty if the request was refused.
    package var attempts: [Attempt] = []
    /// Of the deployment in the configuration.
    package var tier = 0
    package var isProvisioned = false
    /// By which Azure bills; empty where it does not say.
    package var serviceTier = ""
    package var isStream = false
    /// What the client got; 499 when it left.
    package var status = 0
    /// Why, when it was not Azure that answered.
    package var errorCode = ""
    package var errorSource = ""
    package var usage = TokenUsage()
    package var requestBytes = 0
    package var responseBytes = 0
    /// Where Azure says that it was.
    package var region = ""
    /// Azure's own name of the request.
    package var upstreamRequestID = ""
    package var frontDoorReference = ""
    /// The limit in the shadow that would have refused it; empty for none.
    package var shadowLimit = ""

    package var endpoint: String { attempts.last?.endpoint ?? "" }
    package var deployment: String { attempts.last?.deployment ?? "" }

    /// 16 hexadecimal digits.
    package var idText: String {
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
