import NIOCore

/// The events of a streamed answer, one at a time. Pure: no clock, no socket.
protocol EventSource {
    /// What `writeNext` writes next; `nil` at the end.
    var next: StreamEvent? { get }

    /// Appends the next event. Must not be called once `next` is `nil`.
    mutating func writeNext(into buffer: inout ByteBuffer)

    /// Appends the error that takes the place of the next event; nothing follows it.
    func writeError(into buffer: inout ByteBuffer)

    /// Appends what Azure sends when it has nothing to say for long (azure.md 5.7).
    mutating func writeKeepalive(into buffer: inout ByteBuffer)
}

extension EventSource {
    func writeError(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(AzureError.inStream)
    }

    mutating func writeKeepalive(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("event: keepalive\ndata: {\"type\":\"keepalive\"}\n\n")
    }
}

/// What an event means for pace and books, before it is written.
struct StreamEvent {
    enum Pace {
        /// Waits for nothing.
        case atOnce
        /// The first output of the model.
        case first
        /// Output after the first.
        case following
    }

    var pace = Pace.atOnce
    /// What is booked with it.
    var tokens = StreamTokens()
    /// `[DONE]` is the one event that is not counted.
    var isCounted = true

    static let silent = StreamEvent()
    static let done = StreamEvent(isCounted: false)

    static func output(isFirst: Bool, completion: Int, reasoning: Int = 0) -> StreamEvent {
        StreamEvent(
            pace: isFirst ? .first : .following,
            tokens: StreamTokens(completion: completion, reasoning: reasoning)
        )
    }
}

/// Completion tokens, of which some are reasoning, as a stream brings them.
struct StreamTokens: Equatable {
    var completion = 0
    var reasoning = 0

    static func += (sum: inout StreamTokens, other: StreamTokens) {
        sum.completion += other.completion
        sum.reasoning += other.reasoning
    }
}
