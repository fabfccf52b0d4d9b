/// An error within an answer: the body of a refusal, or an event in a stream that began with 200 (azure.md 5.6).
struct AnswerError: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// The deployment's rate limit: the same as a 429.
        case rateLimit
        /// Azure has no room at the moment, whatever the limit: the same as a 503.
        case capacity
        /// Azure's own mistake: the same as a 500.
        case server
        /// The content filter; another deployment would say the same.
        case contentFilter
        /// The deployment does not know `stream_options`.
        case streamOptions
        /// Anything else, which is for the client to read.
        case other
    }

    var kind: Kind
    /// `code`, or `type` where there is no code; at most 256 bytes.
    var code: String
    /// From "retry after N seconds" in the message.
    var retryAfterSeconds: Int?
}

extension AnswerError {
    /// What was found of an error while it was read.
    struct Parts {
        var isPresent = false
        var code = ""
        var type = ""
        var message = Message()

        /// All that is needed of a message.
        struct Message: Equatable {
            var saysCapacity = false
            var saysRateLimit = false
            var saysContentFilter = false
            var saysStreamOptions = false
            var retryAfterSeconds: Int?
        }
    }

    init(_ parts: Parts) {
        let message = parts.message
        kind =
            switch (parts.code, parts.type) {
            case ("content_filter", _), ("content_policy_violation", _), ("ResponsibleAIPolicyViolation", _):
                .contentFilter
            // Azure says `rate_limit_exceeded` for a lack of memory, too.
            case _ where message.saysCapacity: .capacity
            case ("rate_limit_exceeded", _), ("429", _), ("too_many_requests", _), (_, "too_many_requests"): .rateLimit
            case _ where message.saysRateLimit: .rateLimit
            case _ where message.saysStreamOptions: .streamOptions
            case ("server_error", _), (_, "server_error"), ("500", _), ("InternalServerError", _): .server
            case ("503", _), ("ServiceUnavailable", _): .capacity
            case _ where message.saysContentFilter: .contentFilter
            default: .other
            }
        code = parts.code.isEmpty ? parts.type : parts.code
        retryAfterSeconds = message.retryAfterSeconds
    }
}

extension AnswerError.Parts.Message {
    /// Reads the beginning of a message, as it stands in JSON.
    init(_ text: UnsafeRawBufferPointer) {
        saysCapacity =
            text.holds("no_kv_space") || text.holds("high demand") || text.holds("temporarily unable")
            || text.holds("overloaded")
        saysRateLimit = text.holds("rate limit")
        saysContentFilter = text.holds("content management policy")
        saysStreamOptions = text.holds("stream_options")
        guard let at = text.index(behind: "retry after ") else { return }
        var seconds: Int?
        for byte in text[at...] {
            guard (0x30...0x39).contains(byte) else { break }
            // A day is the longest wait that Azure has been seen to ask for; more is taken for a week.
            seconds = min((seconds ?? 0) * 10 + Int(byte - 0x30), 604_800)
        }
        retryAfterSeconds = seconds
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a lower-case text is in these bytes, in whatever case.
    func holds(_ lower: StaticString) -> Bool { index(behind: lower) != nil }

    /// Where the first occurrence of a lower-case text ends.
    func index(behind lower: StaticString) -> Int? {
        let length = lower.utf8CodeUnitCount
        guard count >= length else { return nil }
        let pattern = lower.utf8Start
        for start in 0...(count - length) {
            var matched = 0
            while matched < length, Self.lowercased(self[start + matched]) == pattern[matched] { matched += 1 }
            if matched == length { return start + length }
        }
        return nil
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
