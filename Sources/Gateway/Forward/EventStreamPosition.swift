/// Knows whether an event stream (WHATWG HTML, "server-sent events") stands between two events.
///
/// Only there may a comment be put in: anywhere else it would become part of an event. Lines end with LF, CR or CRLF; an
/// empty line ends an event.
struct EventStreamPosition {
    enum State: Equatable {
        /// At the start of a line, and nothing of an event has come.
        case betweenEvents
        /// In the middle of a line: whatever is added becomes part of it.
        case inLine
        /// Behind a CR that ended a line; an LF would belong to it.
        case afterCR(endedEvent: Bool)
        /// Behind a whole line of an event.
        case atLineStart
    }

    private(set) var state = State.betweenEvents

    var isBetweenEvents: Bool {
        switch state {
        // An LF that still comes behind the CR would be one more empty line, which means nothing.
        case .betweenEvents, .afterCR(endedEvent: true): true
        case .inLine, .afterCR(endedEvent: false), .atLineStart: false
        }
    }

    /// What ends the event that is being sent; `nil` in the middle of a line, which nothing can end well.
    var completion: StaticString? {
        switch state {
        case .betweenEvents, .afterCR(endedEvent: true): ""
        case .atLineStart: "\n"
        case .afterCR(endedEvent: false): "\r"
        case .inLine: nil
        }
    }

    /// Moves over bytes of the stream. Only the last line breaks matter, so it looks at the end of the bytes alone.
    mutating func advance(over bytes: UnsafeRawBufferPointer) {
        // Whatever stood before a line's text does not matter any more: start behind the last byte that is no line break.
        var start = bytes.count
        while start > 0, bytes[start - 1] == 0x0A || bytes[start - 1] == 0x0D { start -= 1 }
        if start > 0 { state = .inLine }
        for byte in bytes[start...] {
            let isLF = byte == 0x0A
            switch state {
            case .betweenEvents: state = isLF ? .betweenEvents : .afterCR(endedEvent: true)
            case .inLine: state = isLF ? .atLineStart : .afterCR(endedEvent: false)
            case .atLineStart: state = isLF ? .betweenEvents : .afterCR(endedEvent: true)
            case .afterCR(let endedEvent):
                if isLF {
                    state = endedEvent ? .betweenEvents : .atLineStart
                } else {
                    state = .afterCR(endedEvent: true)
                }
            }
        }
    }
}
