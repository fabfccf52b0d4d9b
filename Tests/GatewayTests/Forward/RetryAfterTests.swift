import Testing
import Transport

@testable import Gateway

@Suite("How long an answer asks to be left alone")
struct RetryAfterTests {
    /// Fri, 13 Feb 2009 23:31:30 GMT.
    private static let now: Int64 = 1_234_567_890

    private static let quota =
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-06-01 have exceeded "
        + "token rate limit of your current OpenAI S0 pricing tier. Please retry after 8 seconds. Please go here: https://x"

    static let cases: [(fields: [String], body: String, wait: Int64?)] = [
        // Nothing said, or nothing that can be read.
        ([], "", nil),
        ([], "<html>429 Too Many Requests</html>", nil),
        (["retry-after: soon"], "", nil),
        (["retry-after-ms: 12abc", "retry-after: 1e3", "x-ratelimit-reset-requests: 5 minutes"], "", nil),
        (["retry-after-ms: ", "retry-after:"], "", nil),
        (["retry-after-ms: 0x10", "retry-after: +5"], "", nil),
        (["retry-after-ms: ١٢"], "", nil),

        // Each place, each form.
        (["retry-after-ms: 1234"], "", 1234),
        (["Retry-After-Ms:  1234 "], "", 1234),
        (["retry-after-ms: 12.3"], "", 13),
        (["retry-after-ms: 0.5"], "", 1),
        (["retry-after: 8"], "", 8_000),
        (["retry-after: 1.5"], "", 1_500),
        (["retry-after: 0.0004"], "", 1),
        (["retry-after: Fri, 13 Feb 2009 23:32:00 GMT"], "", 30_000),
        (["retry-after: Friday, 13-Feb-09 23:31:31 GMT"], "", 1_000),
        (["retry-after: Fri Feb 13 23:31:35 2009"], "", 5_000),
        (["x-ratelimit-reset-requests: 10"], "", 10_000),
        (["x-ratelimit-reset-tokens: 300"], "", 300_000),
        (["x-ratelimit-reset-requests: 1s"], "", 1_000),
        (["x-ratelimit-reset-tokens: 6m0s"], "", 360_000),
        (["x-ratelimit-reset-tokens: 1h2m3s"], "", 3_723_000),
        (["x-ratelimit-reset-tokens: 1.5s"], "", 1_500),
        (["x-ratelimit-reset-tokens: 350ms"], "", 350),
        (["x-ratelimit-reset-tokens: 1d"], "", 86_400_000),
        (["x-rate-limit-reset-tokens: 7"], "", 7_000),
        (["x-rate-limit-reset-requests: 2s"], "", 2_000),
        ([], quota, 8_000),
        ([], "RETRY AFTER 1 SECOND.", 1_000),
        ([], "retry after 20s", 20_000),
        ([], "retry after 250 milliseconds", 250),
        ([], "retry after 250ms", 250),
        ([], "retry after 2 minutes", 120_000),
        ([], "retry after 5 parsecs", nil),
        ([], "retry after a while", nil),
        ([], "retry after -8 seconds", nil),
        ([], "retry after ", nil),

        // The first place that can be read counts.
        (["retry-after-ms: 700", "retry-after: 8", "x-ratelimit-reset-tokens: 9"], quota, 700),
        (["retry-after-ms: x", "retry-after: 3", "x-ratelimit-reset-tokens: 9"], quota, 3_000),
        (["retry-after-ms: x", "retry-after: x", "x-ratelimit-reset-tokens: 9"], quota, 9_000),
        (["retry-after-ms: x", "retry-after: x", "x-ratelimit-reset-tokens: x"], quota, 8_000),

        // Zero and less say nothing.
        (["retry-after-ms: 0"], "", nil),
        (["retry-after-ms: -5"], "", nil),
        (["retry-after-ms: -1", "retry-after: 2"], "", 2_000),
        (["retry-after: 0"], "", nil),
        (["retry-after: -120"], "", nil),
        (["retry-after: Fri, 13 Feb 2009 23:31:30 GMT"], "", nil),
        (["retry-after: Thu, 01 Jan 1970 00:00:00 GMT"], "", nil),
        (["x-ratelimit-reset-tokens: 0"], "", nil),
        (["x-ratelimit-reset-tokens: -1"], "", nil),
        (["x-ratelimit-reset-tokens: 0s"], "", nil),
        (["x-ratelimit-reset-tokens: -1", "x-ratelimit-reset-requests: 4"], "", 4_000),
        ([], "retry after 0 seconds", nil),

        // Only the limit that is used up, and the longer one where it may be either.
        (["x-ratelimit-remaining-requests: 5", "x-ratelimit-reset-requests: 50"], "", nil),
        (
            [
                "x-ratelimit-remaining-requests: 5", "x-ratelimit-reset-requests: 50",
                "x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 20",
            ], "", 20_000
        ),
        (["x-ratelimit-reset-requests: 50", "x-ratelimit-reset-tokens: 20"], "", 50_000),

        // As said here; what is too long is cut where it is used.
        (["retry-after: 86400"], "", 86_400_000),
        (["retry-after: 99999999999999999999999"], "", RetryAfter.longest / 1000 * 1000),
        (["retry-after-ms: 9223372036854775807"], "", RetryAfter.longest),
        (["retry-after: Fri, 31 Dec 9999 23:59:59 GMT"], "", 252_167_732_909_000),
        (["x-ratelimit-reset-tokens: 99999999999999999999d"], "", RetryAfter.longest / 86_400_000 * 86_400_000),
        (["x-ratelimit-reset-tokens: 99999999999999d99999999999d9h"], "", nil),
        ([], "retry after 99999999999999999999 minutes", RetryAfter.longest / 60_000 * 60_000),
    ]

    @Test("is read wherever it is said", arguments: cases)
    func waits(fields: [String], body: String, wait: Int64?) throws {
        let head = try ResponseHead.of(429, fields)
        let read = Array(body.utf8).withUnsafeBytes {
            RetryAfter.milliseconds(head: head, body: $0, now: Self.now)
        }
        #expect(read == wait)
    }
}
