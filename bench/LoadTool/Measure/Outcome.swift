/// What became of one request, from its intended start to its end. Times are nanoseconds from the start of the load.
struct Outcome: Sendable {
    /// Why a request has no answer, or none that counts.
    enum Failure: String, CaseIterable, Sendable {
        case connect = "cannot connect"
        /// The connection ended before or inside the answer.
        case connection = "connection lost"
        case timeout = "timeout"
        /// Not HTTP, or not what was asked for.
        case malformed = "malformed answer"
        case stream = "broken stream"
        /// Never sent: too many were waiting already.
        case dropped = "not sent"
        /// The load was over before the answer was.
        case unfinished = "unfinished"
    }

    enum Verdict: Equatable, Sendable {
        case succeeded
        /// Given up after so many events, as the scenario says.
        case aborted
        /// 429.
        case refused
        /// Any other answer that is not 2xx.
        case rejected
        case failed(Failure)
    }

    let client: Int
    let kind: Int
    let model: Int
    let target: Int
    let intended: Int64
    /// When the last attempt was written; the intended time when none was.
    var sent: Int64
    var head: Int64?
    var firstToken: Int64?
    var ended: Int64
    var status = 0
    var verdict: Verdict
    var fault: StreamCheck.Fault?
    var retries = 0
    var bytesSent = 0
    var bytesReceived = 0
    var events = 0
    var isStream = false
    var usage: TokenUsage?

    /// An answer came, and it was the gateway's yes.
    var isAdmitted: Bool { (200...299).contains(status) }
}
