import NIOCore

/// The figures of a standard deployment that its answers tell in `x-ratelimit-*` (azure.md 5.4).
struct LimitReport: Equatable {
    struct Figures: Equatable {
        /// Per minute.
        let limit: Int
        let remaining: Int
        /// Milliseconds until all of it is there again.
        let reset: Int
    }

    /// `nil`: not limited.
    let requests: Figures?
    let tokens: Figures?

    func write(into buffer: inout ByteBuffer) {
        if let requests { Self.write(requests, "requests: ", into: &buffer) }
        if let tokens { Self.write(tokens, "tokens: ", into: &buffer) }
    }

    /// Azure tells the reset in whole seconds without a unit.
    private static func write(_ figures: Figures, _ unit: StaticString, into buffer: inout ByteBuffer) {
        Self.write("\r\nx-ratelimit-limit-", unit, figures.limit, into: &buffer)
        Self.write("\r\nx-ratelimit-remaining-", unit, figures.remaining, into: &buffer)
        Self.write("\r\nx-ratelimit-reset-", unit, (figures.reset + 999) / 1_000, into: &buffer)
    }

    private static func write(
        _ name: StaticString,
        _ unit: StaticString,
        _ value: Int,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString(name)
        buffer.writeStaticString(unit)
        buffer.writeDecimal(value)
    }
}

/// What the limits of a deployment add to the head of an answer.
struct LimitHeaders {
    /// `nil` for a provisioned deployment, which tells none.
    var report: LimitReport?
    /// Milliseconds; set on a 429.
    var retryAfter: Int?
    /// The provisioned deployment in whose place another one answers.
    var spilledFrom: String?
    /// The status another deployment refused with, when it was asked in place of this one.
    var spilloverError: Int?

    func write(into buffer: inout ByteBuffer) {
        self.report?.write(into: &buffer)
        if let milliseconds = self.retryAfter {
            buffer.writeString("\r\nretry-after-ms: \(milliseconds)")
            buffer.writeString("\r\nretry-after: \((milliseconds + 999) / 1_000)")
        }
        if let name = self.spilledFrom { buffer.writeString("\r\nx-ms-spillover-from-deployment: \(name)") }
        if let status = self.spilloverError { buffer.writeString("\r\nx-ms-spillover-error: \(status)") }
    }
}
