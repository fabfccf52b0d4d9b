internal import Transport

/// How long an answer asks to be left alone, in milliseconds.
///
/// Azure says it in several places, and not always in all of them. The first that can be read counts: `retry-after-ms`,
/// `retry-after` (seconds, or a date: RFC 9110 section 10.2.3), `x-ratelimit-reset-requests` and `-tokens` of what is used up
/// (Azure writes "10", OpenAI "6m0s"; some answers spell the names `x-rate-limit-...`), and at last the text "retry after
/// 10 seconds" of the message. What is not above zero says nothing: a deployment that refuses is not asked again at once.
enum RetryAfter {
    /// - Parameters:
    ///   - body: of the answer, as far as it came.
    ///   - now: seconds since 1970.
    /// - Returns: `nil` where nothing is said, or nothing that makes sense: zero, a negative time, a date gone by, words.
    static func milliseconds(head: ResponseHead, body: UnsafeRawBufferPointer, now: Int64) -> Int64? {
        if let text = head.first("retry-after-ms"), let wait = decimal(text, unit: 1)?.aboveZero { return wait }
        if let text = head.first("retry-after"),
            let wait = decimal(text, unit: 1000)?.aboveZero ?? untilDate(text, now: now)
        {
            return wait
        }
        return reset(head) ?? inText(body)
    }

    /// Nobody waits longer than this many milliseconds, whatever is said: a number of days must not overflow.
    static let longest: Int64 = 1 << 50

    /// A number that is not negative, perhaps with a fraction, in milliseconds, rounded up.
    private static func decimal(_ text: some StringProtocol, unit: Int64) -> Int64? {
        let parts = text.trimmed.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = digits(first) else { return nil }
        guard parts.count == 2 else { return product(whole, unit) }
        guard digits(parts[1]) != nil else { return nil }
        var fraction: Int64 = 0
        var scale = unit
        for digit in parts[1].utf8 where scale > 1 {
            scale /= 10
            fraction += Int64(digit - 0x30) * scale
        }
        return product(whole, unit) + fraction + (scale == 1 ? 1 : 0)
    }

    private static func digits(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int64(text) ?? longest
    }

    private static func product(_ count: Int64, _ unit: Int64) -> Int64 { min(count, longest / unit) * unit }

    private static func untilDate(_ text: String, now: Int64) -> Int64? {
        guard let date = ResponseHead.date(text), date > now else { return nil }
        return product(date - now, 1000)
    }

    /// The longer of the two where both limits may be the one that refused.
    private static func reset(_ head: ResponseHead) -> Int64? {
        let requests = resetTime(
            head,
            remaining: "x-ratelimit-remaining-requests",
            reset: "x-ratelimit-reset-requests",
            or: "x-rate-limit-reset-requests"
        )
        let tokens = resetTime(
            head,
            remaining: "x-ratelimit-remaining-tokens",
            reset: "x-ratelimit-reset-tokens",
            or: "x-rate-limit-reset-tokens"
        )
        return [requests, tokens].compactMap { $0 }.max()
    }

    private static func resetTime(
        _ head: ResponseHead,
        remaining: StaticString,
        reset: StaticString,
        or otherReset: StaticString
    ) -> Int64? {
        if let left = head.first(remaining).flatMap({ Int64($0) }), left > 0 { return nil }
        return (head.first(reset) ?? head.first(otherReset)).flatMap {
            (decimal($0, unit: 1000) ?? duration($0))?.aboveZero
        }
    }

    /// "6m0s", "1.5s", "350ms".
    private static func duration(_ text: String) -> Int64? {
        var rest = text.trimmed[...]
        var sum: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            let units: [Substring: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
            guard let unit = units[name], let part = decimal(number, unit: unit), sum < longest else { return nil }
            sum += part
        }
        return sum > 0 ? sum : nil
    }

    /// "Please retry after 8 seconds."
    private static func inText(_ body: UnsafeRawBufferPointer) -> Int64? {
        let phrase = "retry after "
        let text = String(decoding: body.prefix(4096), as: UTF8.self).lowercased()
        guard let start = text.range(of: phrase)?.upperBound else { return nil }
        let number = text[start...].prefix { 0x30...0x39 ~= ($0.asciiValue ?? 0) }
        let unit = text[start...].dropFirst(number.count).drop { $0 == " " }
        guard let count = digits(number)?.aboveZero else { return nil }
        if unit.hasPrefix("ms") || unit.hasPrefix("millisecond") { return min(count, longest) }
        if unit.hasPrefix("minute") { return product(count, 60_000) }
        return unit.hasPrefix("s") ? product(count, 1000) : nil
    }
}

extension Int64 {
    /// `nil` for what is no wait.
    fileprivate var aboveZero: Int64? { self > 0 ? self : nil }
}

extension StringProtocol {
    /// The first place of an ASCII text, without Foundation.
    fileprivate func range(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
