internal import Coordination
internal import NIOCore

/// What came of the attempts at one deployment, as one event loop counts it; costs a few additions per attempt.
struct DeploymentTally: Sendable {
    /// What an attempt meant, from the best to the worst.
    enum Outcome: Int, CaseIterable, Sendable {
        /// An answer for the client, its own mistakes included.
        case answered
        /// 429, in the head or in the stream.
        case quota
        case overload
        case serverError
        case timeout
        case connection
        /// The gateway's credentials or names are wrong there.
        case misconfigured

        var name: String {
            switch self {
            case .answered: "answered"
            case .quota: "quota"
            case .overload: "overload"
            case .serverError: "server_error"
            case .timeout: "timeout"
            case .connection: "connection"
            case .misconfigured: "misconfigured"
            }
        }
    }

    /// Since the process started.
    private(set) var counts = [Int](repeating: 0, count: Outcome.allCases.count)
    private(set) var probes = 0
    /// Requests that it would not have been given if its limits were not a shadow, by kind in the order of `LimitKind`; empty for
    /// none.
    private(set) var shadow: [Int] = []
    /// The last one that was no answer for the client, and when.
    private(set) var lastFailure: (outcome: Outcome, at: NIODeadline)?

    mutating func note(_ outcome: Outcome, now: @autoclosure () -> NIODeadline = .now()) {
        counts[outcome.rawValue] += 1
        if outcome != .answered { lastFailure = (outcome, now()) }
    }

    mutating func noteProbe() { probes += 1 }

    mutating func noteShadow(_ kind: LimitKind) {
        if shadow.isEmpty { shadow = [Int](repeating: 0, count: LimitKind.allCases.count) }
        shadow[kind.rawValue - 1] += 1
    }

    mutating func add(_ other: Self) {
        for index in counts.indices { counts[index] += other.counts[index] }
        probes += other.probes
        if shadow.isEmpty {
            shadow = other.shadow
        } else if !other.shadow.isEmpty {
            for index in shadow.indices { shadow[index] += other.shadow[index] }
        }
        if let last = other.lastFailure, lastFailure.map({ $0.at < last.at }) ?? true { lastFailure = last }
    }
}

extension DeploymentTally.Outcome {
    /// `nil` where nothing is wrong with the deployment.
    init?(_ finding: Verdict.Finding) {
        switch finding {
        case .healthy: return nil
        case .misconfigured: self = .misconfigured
        case .suspect(let failure), .failed(let failure):
            self =
                switch failure.kind {
                case .quota: .quota
                case .overload: .overload
                case .serverError: .serverError
                case .timeout: .timeout
                case .connection: .connection
                }
        }
    }
}
