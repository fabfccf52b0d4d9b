/// A request as it came, before anyone has asked who sent it.
package struct HookRequest: Sendable {
    /// The exchange's in logs and usage events, and the client's `x-request-id` on refusals: 16 hexadecimal digits.
    package let id: String
    package let method: String
    /// Without the query, which may carry a key.
    package let path: String
    /// All but those that carry credentials: `api-key`, `authorization`, `proxy-authorization` and `cookie`.
    package let headers: [HookField]
    /// Where the client is, as far as that can be believed: an IPv4 address, or the first half of an IPv6 address with `/64`.
    package let address: String?
}

/// Who calls, and what for.
package struct HookCall: Sendable {
    package let request: HookRequest
    /// Its name in the configuration.
    package let client: String
    /// As the client named it; `nil` where the request names none.
    package let model: String?
    /// Whether a stream was asked for, where the body says so.
    package let isStream: Bool
    /// A body that was collected, as the client sent it: JSON, up to `mostBody` bytes. Others pass through unread.
    package let body: [UInt8]?

    /// Bytes of the longest body that hooks are shown.
    package static let mostBody = 1 << 20
}

/// The head of an answer of Azure's.
package struct HookHead: Sendable {
    package let status: Int
    package let headers: [HookField]
    /// The endpoint's name in the configuration.
    package let endpoint: String
    /// The deployment's name at Azure; `nil` where the request names none.
    package let deployment: String?
    /// How many deployments were tried, this one included.
    package let attempts: Int
    package let isStream: Bool
}

/// An event of a stream (WHATWG HTML, "server-sent events").
package struct HookEvent: Sendable, Equatable {
    /// Its lines with LF between them, without the empty one behind them.
    package let bytes: [UInt8]
    /// False for the beginning of one that is longer than `EventSplitter.mostBytes`, whose rest is not shown.
    package let isWhole: Bool

    /// The value of its `event` field; `nil` where there is none.
    package var name: String? { values("event").last }
    /// The values of its `data` fields in a row: JSON, or `[DONE]`; empty for a comment.
    package var data: String { values("data").joined(separator: "\n") }

    private func values(_ field: String) -> [String] {
        let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }
        return lines.compactMap { line in
            guard line.starts(with: field.utf8) else { return nil }
            var rest = line.dropFirst(field.utf8.count)
            guard rest.first == UInt8(ascii: ":") else { return nil }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
            return String(decoding: rest, as: UTF8.self)
        }
    }
}

// MARK: what hooks may set

/// The fields that hooks have added so far, as far as they may.
struct HookFields: Sendable, Equatable {
    private(set) var request: [HookField] = []
    private(set) var answer: [HookField] = []

    /// Fields that hooks may add to a request, and to an answer.
    static let mostFields = 5
    /// Bytes of a name, and of a value.
    static let mostName = 64
    static let mostValue = 1024

    /// Why a field cannot be set.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    mutating func add(request more: [HookField], answer moreOfAnswer: [HookField]) throws {
        request = try Self.adding(more, to: request, reserved: Self.reservedInRequests)
        answer = try Self.adding(moreOfAnswer, to: answer, reserved: Self.reservedInAnswers)
    }

    /// The later of two of the same name counts.
    private static func adding(_ more: [HookField], to fields: [HookField], reserved: Set<String>) throws -> [HookField]
    {
        var fields = fields
        for field in more {
            let name = field.name.lowercased()
            guard 1...mostName ~= name.utf8.count, name.utf8.allSatisfy(isTokenByte) else {
                throw Problem(description: "a header field has a name that is none")
            }
            guard field.value.utf8.count <= mostValue, field.value.utf8.allSatisfy(isValueByte) else {
                throw Problem(description: "the header field '\(name)' has a value that is none, or too long")
            }
            guard !reserved.contains(name), !reservedBeginnings.contains(where: { name.hasPrefix($0) }) else {
                throw Problem(description: "the header field '\(name)' is not a hook's to set")
            }
            fields.removeAll { $0.name.lowercased() == name }
            fields.append(field)
        }
        guard fields.count <= mostFields else {
            throw Problem(description: "more than \(mostFields) header fields")
        }
        return fields
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    private static let ofOneHop: Set = [
        "connection", "content-encoding", "content-length", "content-type", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]
    /// Credentials, framing and what the gateway sets itself.
    private static let reservedInRequests = ofOneHop.union([
        "accept", "api-key", "authorization", "cookie", "expect", "host", "traceparent", "tracestate",
    ])
    private static let reservedInAnswers = ofOneHop.union([
        "cache-control", "date", "retry-after", "retry-after-ms", "www-authenticate", "x-accel-buffering",
        "x-request-id",
        "x-should-retry",
    ])
    private static let reservedBeginnings = ["x-ratelimit-", "x-sluice-"]
}
