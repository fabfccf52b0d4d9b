import NIOCore

/// What shall go wrong, or slow, with one answer. Empty: the answer of a healthy Azure.
///
/// Event counts take in every `data:` event of a stream in the order sent (the prompt filter event is the first one),
/// `[DONE]` excepted. A unary body counts as one event. Byte counts are of the body, without HTTP framing.
struct Faults {
    /// Where an answer is cut off.
    enum Cut: Equatable {
        /// Before the status line: the peer sees a connection that ends without an answer.
        case beforeHead
        case afterBody(Int)
    }

    /// Ways to be no HTTP at all. After each but `.extra` the connection is closed.
    enum Garbage: String, CaseIterable {
        /// A status line of no known protocol.
        case statusLine = "status-line"
        /// A header line without a colon, and one with a NUL.
        case header
        /// A header of 1 MiB.
        case hugeHeader = "huge-header"
        /// A content-length that is no number.
        case length
        /// Two content-lengths that differ.
        case twoLengths = "two-lengths"
        /// A chunk size that is no number, after the first event.
        case chunk
        /// Bytes after the end of the answer, on a connection that stays open.
        case extra
    }

    /// True when any key was set: the answer of a healthy Azure needs no further look.
    private(set) var any = false

    mutating func markUsed() { self.any = true }

    // Pace
    var delay = TimeAmount.zero
    var firstToken = TimeAmount.zero
    var interval = TimeAmount.zero
    var chunkInterval = TimeAmount.zero

    // Shape
    var tokens: Int?
    var eventBytes: Int?
    var bytes: Int?
    var multibyte = false
    var usage = true
    var contentLength: Bool?
    var chunk: Int?

    /// Answer with the request as it was received, instead of what it asks for.
    var echo = false

    // Refusals
    var status: Int?
    /// The error by name; `status` can give it another status.
    var error: ErrorFault?
    var retryAfter: Int?
    var retryAfterMilliseconds: Int?

    // Breakage
    var errorAfter: Int?
    var silence: Int?
    var truncate: Cut?
    var reset: Cut?
    var garbage: Garbage?

    /// What is special about the content.
    var content = ContentFaults()
}

// MARK: - Keys

extension Faults {
    /// The names of the faults, the same in headers, query parameters and bodies.
    enum Key: String, CaseIterable {
        case delay
        case firstToken = "first-token"
        case interval
        case tokens
        case eventBytes = "event-bytes"
        case status
        case error
        case retryAfter = "retry-after"
        case retryAfterMilliseconds = "retry-after-ms"
        case chunk
        case chunkInterval = "chunk-interval"
        case silence
        case truncate
        case reset
        case garbage
        case noUsage = "no-usage"
        case contentLength = "content-length"
        case errorAfter = "error-after"
        case utf8
        case bytes
        case echo
    }

    /// The names of all faults, for people.
    static var names: String {
        (Key.allCases.map(\.rawValue) + ContentFaults.Key.allCases.map(\.rawValue)).joined(separator: ", ")
    }

    /// Sets one fault.
    ///
    /// A name or value that is not known is an error, so that a test with a slip in it does not pass for want of a fault.
    mutating func set(_ name: some StringProtocol, to text: some StringProtocol) throws(BadRequest) {
        let value = FaultValue(name: String(name), text: String(text))
        self.any = true
        guard let key = Key(rawValue: value.name) else {
            guard let key = ContentFaults.Key(rawValue: value.name) else {
                throw BadRequest("mock: no fault is called '\(name)'; there are \(Self.names)")
            }
            return try self.content.set(key, to: value)
        }
        switch key {
        case .delay: self.delay = try value.milliseconds()
        case .firstToken: self.firstToken = try value.milliseconds()
        case .interval: self.interval = try value.milliseconds()
        case .chunkInterval: self.chunkInterval = try value.milliseconds()
        case .tokens: self.tokens = try value.integer(in: 0...100_000_000)
        case .eventBytes: self.eventBytes = try value.integer(in: 1...1_048_576)
        case .bytes: self.bytes = try value.integer(in: 0...268_435_456)
        case .echo: self.echo = try value.flag()
        case .utf8: self.multibyte = try value.flag()
        case .noUsage: self.usage = try !value.flag()
        case .contentLength: self.contentLength = try value.flag()
        case .chunk: self.chunk = try value.integer(in: 1...16_777_216)
        case .status: self.status = try value.integer(in: 200...599)
        case .error: self.error = try value.choice()
        case .retryAfter: self.retryAfter = try value.integer(in: 0...86_400)
        case .retryAfterMilliseconds: self.retryAfterMilliseconds = try value.integer(in: 0...86_400_000)
        case .errorAfter: self.errorAfter = try value.integer(in: 0...Int.max)
        case .silence: self.silence = try value.integer(in: 0...Int.max)
        case .truncate: self.truncate = try value.cut()
        case .reset: self.reset = try value.cut()
        case .garbage: self.garbage = try value.choice()
        }
    }
}

/// The text of one fault's value, and what it may mean.
struct FaultValue {
    let name: String
    let text: String

    /// Milliseconds, with a fraction if wished, up to a day.
    func milliseconds() throws(BadRequest) -> TimeAmount {
        guard let value = Double(self.text), (0...86_400_000).contains(value) else {
            throw self.refused("milliseconds from 0 to 86400000")
        }
        return .nanoseconds(Int64(value * 1_000_000))
    }

    func integer(in range: ClosedRange<Int>) throws(BadRequest) -> Int {
        guard let value = Int(self.text), range.contains(value) else {
            throw self.refused("an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag() throws(BadRequest) -> Bool {
        switch self.text {
        case "1", "true", "": true
        case "0", "false": false
        default: throw self.refused("1 or 0")
        }
    }

    func cut() throws(BadRequest) -> Faults.Cut {
        self.text == "head" ? .beforeHead : .afterBody(try self.integer(in: 0...Int.max))
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>() throws(BadRequest) -> Choice {
        guard let choice = Choice(rawValue: self.text) else {
            throw self.refused(Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    private func refused(_ expected: String) -> BadRequest {
        BadRequest("mock: \(self.name) cannot be '\(self.text)'; expected \(expected)")
    }
}
