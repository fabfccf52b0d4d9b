internal import Transport

/// How long an answer asks to be left alone, in milliseconds.
///
/// Azure says it in several places, and not always in all of them. The first that can be read counts: `retry-after-ms`,
/// `retry-after` (seconds, or a date: RFC 9110 section 10.2.3), `x-ratelimit-reset-requests` and `-tokens` of what is used up
/// (Azure writes "10", OpenAI "6m0s"), and at last the text "retry after 10 seconds" of the message.
enum RetryAfter {
    /// - Parameters:
    ///   - body: of the answer, as far as it came.
    ///   - now: seconds since 1970.
    /// - Returns: `nil` where nothing is said, or nothing that makes sense: a negative time, a date gone by, words.
    static func milliseconds(head: ResponseHead, body: UnsafeRawBufferPointer, now: Int64) -> Int64? {
        if let text = head.first("retry-after-ms"), let wait = decimal(text, unit: 1) { return wait }
        if let text = head.first("retry-after"), let wait = decimal(text, unit: 1000) ?? untilDate(text, now: now) {
            return wait
        }
        return reset(head) ?? inText(body)
    }

    /// Nobody waits longer than this, whatever is said; it keeps sums of times far from overflowing.
    private static let most: Int64 = 1 << 40

    /// A number that is not negative, perhaps with a fraction, in milliseconds, rounded up.
    private static func decimal(_ text: some StringProtocol, unit: Int64) -> Int64? {
        let parts = text.trimmed.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = digits(first) else { return nil }
        guard parts.count == 2 else { return min(whole, most) * unit }
        guard digits(parts[1]) != nil else { return nil }
        var fraction: Int64 = 0
        var scale = unit
        for digit in parts[1].utf8 where scale > 1 {
            scale /= 10
            fraction += Int64(digit - 0x30) * scale
        }
        return min(whole, most) * unit + fraction + (scale == 1 ? 1 : 0)
    }

    private static func digits(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int64(text) ?? most
    }

    private static func untilDate(_ text: String, now: Int64) -> Int64? {
        guard let date = ResponseHead.date(text), date > now else { return nil }
        return min(date - now, most) * 1000
    }

    /// The longer of the two where both limits may be the one that refused.
    private static func reset(_ head: ResponseHead) -> Int64? {
        let requests = resetTime(head, remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests")
        let tokens = resetTime(head, remaining: "x-ratelimit-remaining-tokens", reset: "x-ratelimit-reset-tokens")
        return [requests, tokens].compactMap { $0 }.max()
    }

    private static func resetTime(_ head: ResponseHead, remaining: StaticString, reset: StaticString) -> Int64? {
        if let left = head.first(remaining).flatMap({ Int64($0) }), left > 0 { return nil }
        return head.first(reset).flatMap { decimal($0, unit: 1000) ?? duration($0) }
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
            guard let unit = units[name], let part = decimal(number, unit: unit), sum < most * 1000 else { return nil }
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
        guard let count = digits(number) else { return nil }
        if unit.hasPrefix("milliseconds") { return min(count, most) }
        return unit.hasPrefix("second") ? min(count, most) * 1000 : nil
    }
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
