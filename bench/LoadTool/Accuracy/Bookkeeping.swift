internal import FoundationEssentials
internal import NIOCore

/// What somebody else counted of this load.
struct BookEntry: Equatable, Sendable {
    /// Answers with 2xx.
    var served = 0
    var refused = 0
    var usage = TokenUsage()
    var events = 0
    /// Requests whose client left before the end.
    var aborted = 0

    static func - (left: BookEntry, right: BookEntry) -> BookEntry {
        BookEntry(
            served: left.served - right.served,
            refused: left.refused - right.refused,
            usage: TokenUsage(
                prompt: left.usage.prompt - right.usage.prompt,
                completion: left.usage.completion - right.usage.completion
            ),
            events: left.events - right.events,
            aborted: left.aborted - right.aborted
        )
    }

    static func += (sum: inout BookEntry, other: BookEntry) {
        sum.served += other.served
        sum.refused += other.refused
        sum.usage += other.usage
        sum.events += other.events
        sum.aborted += other.aborted
    }
}

/// The part of mock-azure's `/mock/stats` that is compared.
struct MockStats: Decodable {
    struct Requests: Decodable {
        let byStatus: [String: Int]
        let aborted: Int
        let open: Int
        enum CodingKeys: String, CodingKey {
            case byStatus = "by_status"
            case aborted
            case open
        }
    }

    struct Tokens: Decodable {
        let prompt: Int
        let completion: Int
    }

    let requests: Requests
    let tokens: Tokens
    let eventsSent: Int
    enum CodingKeys: String, CodingKey {
        case requests
        case tokens
        case eventsSent = "events_sent"
    }

    var entry: BookEntry {
        let served = requests.byStatus.filter { $0.key.hasPrefix("2") }.values.reduce(0, +)
        return BookEntry(
            served: served,
            refused: requests.byStatus["429"] ?? 0,
            usage: TokenUsage(prompt: tokens.prompt, completion: tokens.completion),
            events: eventsSent,
            aborted: requests.aborted
        )
    }
}

/// The gateway's usage counters in Redis: hashes `{p}:v1:u:<yyyymmdd>:<client>` with fields `<model>/<deployment>:<counter>`.
enum RedisUsage {
    static func pattern(namespace: String) -> String { "{\(namespace)}:v1:u:*" }

    /// - Parameter fields: of one hash, names and values in turn.
    static func entry(_ fields: [String]) -> BookEntry {
        var entry = BookEntry()
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let counter = fields[index].split(separator: ":").last ?? ""
            let value = Int(fields[index + 1]) ?? 0
            switch counter {
            case "req": entry.served += value
            case "in": entry.usage.prompt += value
            case "out": entry.usage.completion += value
            case "429": entry.refused += value
            default: break
            }
        }
        return entry
    }
}
