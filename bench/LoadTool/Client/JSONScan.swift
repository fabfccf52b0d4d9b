internal import Glibc

/// Finds the few members that count in answers, without reading the rest: at full rate a parser would cost more than
/// HTTP.
///
/// Members are looked for by their text, so a member of that name inside a string is found too; in answers of Azure
/// and of mock-azure no text has unescaped quotes.
enum JSONScan {
    /// Just behind `key`, of two characters at least, searched from `start`.
    static func position(after key: StaticString, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = key.utf8CodeUnitCount
        // The second character: the first is a quote, and there are too many of those.
        let mark = Int32(key.utf8Start[1])
        var place = start + 1
        while place + count - 1 <= bytes.count, let found = memchr(base + place, mark, bytes.count - place) {
            let candidate = UnsafeRawPointer(found) - base - 1
            guard candidate + count <= bytes.count else { return nil }
            if memcmp(base + candidate, key.utf8Start, count) == 0 { return candidate + count }
            place = candidate + 2
        }
        return nil
    }

    /// A number of at most 15 digits at `position`.
    static func integer(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int? {
        var value = 0
        var index = position
        while index < bytes.count, bytes[index] == UInt8(ascii: " ") { index += 1 }
        let start = index
        while index < bytes.count, index - start < 15, (48...57).contains(bytes[index]) {
            value = value * 10 + Int(bytes[index] - 48)
            index += 1
        }
        return index > start ? value : nil
    }

    /// The text of a string whose opening quote is before `position`, still escaped.
    static func string(in bytes: UnsafeRawBufferPointer, at position: Int) -> UnsafeRawBufferPointer {
        var index = position
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<min(index, bytes.count)])
    }
}

/// The tokens that an answer says it cost.
struct TokenUsage: Equatable, Sendable, Codable {
    var prompt = 0
    var completion = 0

    init(prompt: Int = 0, completion: Int = 0) {
        self.prompt = prompt
        self.completion = completion
    }

    /// Of a chat completion, or of a stream's usage event; nil where there is none.
    ///
    /// The usage stands at the end, so that is looked at first.
    init?(in bytes: UnsafeRawBufferPointer) {
        if bytes.count > Self.tailBytes {
            let tail = UnsafeRawBufferPointer(rebasing: bytes.suffix(Self.tailBytes))
            if let usage = TokenUsage(whole: tail) {
                self = usage
                return
            }
        }
        self.init(whole: bytes)
    }

    private static let tailBytes = 1_024

    private init?(whole bytes: UnsafeRawBufferPointer) {
        guard
            let usage = JSONScan.position(after: "\"usage\":{", in: bytes)
                ?? JSONScan.position(after: "\"usage\": {", in: bytes)
        else { return nil }
        let promptKey = JSONScan.position(after: "\"prompt_tokens\":", in: bytes, from: usage)
        guard let promptKey, let prompt = JSONScan.integer(in: bytes, at: promptKey) else { return nil }
        self.prompt = prompt
        // Embeddings have no completion.
        completion =
            JSONScan.position(after: "\"completion_tokens\":", in: bytes, from: usage)
            .flatMap { JSONScan.integer(in: bytes, at: $0) } ?? 0
    }

    static func += (sum: inout TokenUsage, other: TokenUsage) {
        sum.prompt += other.prompt
        sum.completion += other.completion
    }

    var total: Int { prompt + completion }
}
