internal import Histogram

extension RunResult.Group {
    init(_ name: String, _ tally: Tally, seconds: Double) {
        self.init(
            name: name,
            requests: tally.requests,
            succeeded: tally.succeeded,
            aborted: tally.aborted,
            refused: tally.refused,
            rejected: tally.rejected,
            failed: tally.failed,
            failures: Self.named(tally.failures, Outcome.Failure.allCases.map(\.rawValue)),
            brokenStreams: Self.named(tally.faults, StreamCheck.Fault.allCases.map(\.rawValue)),
            statuses: Self.named(tally.statuses, tally.statuses.indices.map(String.init)),
            retries: tally.retries,
            retryAfters: tally.retryAfters,
            bytesSent: tally.bytesSent,
            bytesReceived: tally.bytesReceived,
            streams: tally.streams,
            events: tally.events,
            promptTokens: tally.usage.prompt,
            completionTokens: tally.usage.completion,
            requestsPerSecond: Double(tally.succeeded + tally.aborted) / seconds,
            tokensPerSecond: Double(tally.usage.total) / seconds,
            latency: Quantiles(tally.latency),
            service: Quantiles(tally.service),
            refusal: Quantiles(tally.refusal),
            firstToken: Quantiles(tally.firstToken),
            betweenTokens: Quantiles(tally.betweenTokens)
        )
    }

    private static func named(_ counts: [Int], _ names: [String]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: zip(names, counts).filter { $0.1 > 0 })
    }
}

extension RunResult.Second {
    init(_ interval: Interval, at: Double, seconds: Double, loops: Int) {
        self.init(
            at: at,
            seconds: seconds,
            sent: interval.sent,
            ended: interval.ended,
            succeeded: interval.succeeded,
            refused: interval.refused,
            failed: interval.failed,
            inFlight: interval.inFlight,
            tokens: interval.tokens,
            events: interval.events,
            bytesReceived: interval.bytesReceived,
            p50: interval.latency.milliseconds(atPercentile: 50),
            p99: interval.latency.milliseconds(atPercentile: 99),
            max: interval.latency.milliseconds(atPercentile: 100),
            byTarget: interval.byTarget,
            utilisation: min(1, Double(interval.busyNanoseconds) / (seconds * 1e9 * Double(loops)))
        )
    }
}

/// Tells when the figures are the tool's own and not the server's.
enum Bottleneck {
    /// A loop that is busier has queues of its own.
    static let highestUtilisation = 0.9
    /// A hundredth of the requests begun later than so many milliseconds: what was to be an arrival was a convoy.
    static let highestLag = 10.0
    private static let percent = 100.0

    static func reasons(
        utilisation: Double,
        lag: Quantiles?,
        connectionWait: Quantiles?,
        latency: Quantiles?
    ) -> [String] {
        var reasons: [String] = []
        if utilisation > highestUtilisation {
            let used = Int((utilisation * percent).rounded())
            reasons.append("a loop of sluice-load used \(used) % of its core: give it more cores or less load")
        }
        if let lag, lag.p99 > highestLag {
            let cause =
                utilisation > highestUtilisation
                ? "" : ", though its loops were not busy: something else kept the machine from running it"
            reasons.append("1 % of the requests were begun \(Text.milliseconds(lag.p99)) late or more\(cause)")
        }
        if let wait = connectionWait, let latency, wait.p50 > latency.p50 / 2, wait.p50 > 1 {
            reasons.append(
                "half of the requests waited \(Text.milliseconds(wait.p50)) for a connection: "
                    + "raise 'connections', unless the server is meant to be overloaded"
            )
        }
        return reasons
    }
}
