/// Whether and when a request is sent again. Pure; the rule of the OpenAI SDKs, so that a fleet sees what they would
/// do.
struct RetryRule: Equatable, Sendable {
    private static let firstPause: Int64 = 500_000_000
    private static let longestPause: Int64 = 8_000_000_000
    /// The SDKs take no longer word from a server.
    private static let longestRetryAfter = 60_000

    let times: Int
    let honoursRetryAfter: Bool

    /// - Parameters:
    ///   - status: of the answer; 0 when there was none.
    ///   - retries: how often it was sent again already.
    /// - Returns: nanoseconds to wait; nil to leave it.
    func pause(status: Int, retryAfterMilliseconds: Int?, retries: Int, random: inout SplitMix) -> Int64? {
        guard retries < times, status == 0 || [408, 409, 429].contains(status) || status >= 500 else { return nil }
        if honoursRetryAfter, let told = retryAfterMilliseconds, told <= Self.longestRetryAfter {
            return Int64(told) * 1_000_000
        }
        let pause = min(Self.longestPause, Self.firstPause << min(retries, 10))
        return Int64(Double(pause) * (1 - 0.25 * random.unit()))
    }
}
