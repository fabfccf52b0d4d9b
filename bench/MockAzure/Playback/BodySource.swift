import NIOCore

/// Where the bytes of a body come from, event by event; a unary body is one event.
struct BodySource {
    private enum Content {
        case whole(ByteBuffer)
        case events(any EventSource)
        case empty
    }

    private var content: Content
    /// A stream of chat, in the place of any content. It stands apart to be changed in its place: to take it out of the
    /// enum and put it back for every event would cost more than the event.
    private var chat: ChatStream?
    private let faults: Faults
    /// Events produced so far, `[DONE]` not among them.
    private(set) var events = 0
    private var unreported = StreamProgress()

    init(_ body: Answer.Body, faults: Faults) {
        switch body {
        case .whole(let bytes): self.content = .whole(bytes)
        case .chat(let stream):
            self.content = .empty
            self.chat = stream
        case .events(let stream): self.content = .events(stream)
        }
        self.faults = faults
    }

    var isEmpty: Bool {
        if self.chat != nil { return false }
        return switch self.content {
        case .whole, .events: false
        case .empty: true
        }
    }

    /// How long to wait before the next event.
    var pause: TimeAmount {
        guard self.faults.any else { return .zero }
        return switch self.pace {
        case .first: self.faults.firstToken
        case .following: self.faults.interval
        case .atOnce, nil: .zero
        }
    }

    private var pace: StreamEvent.Pace? {
        if self.chat != nil { return self.chat?.next?.pace }
        guard case .events(let stream) = self.content else { return nil }
        return stream.next?.pace
    }

    /// Appends the next event, or the error that takes its place.
    mutating func writeNext(into buffer: inout ByteBuffer) {
        let isError = self.events == self.faults.errorAfter
        if self.chat != nil { return self.writeChat(isError: isError, into: &buffer) }
        switch self.content {
        case .whole(let bytes):
            if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
            self.events += 1
            self.content = .empty
        case .events(var stream):
            self.content = .empty
            guard let event = stream.next else { preconditionFailure("a stream without a next event has ended") }
            self.count(isError ? .silent : event)
            if isError { return stream.writeError(into: &buffer) }
            stream.writeNext(into: &buffer)
            if stream.next != nil { self.content = .events(stream) }
        case .empty:
            preconditionFailure("a body has nothing after its end")
        }
    }

    /// Appends a sign of life, in the place of no event.
    mutating func writeKeepalive(into buffer: inout ByteBuffer) {
        self.chat?.writeKeepalive(into: &buffer)
        guard case .events(var stream) = self.content else { return }
        stream.writeKeepalive(into: &buffer)
        self.content = .events(stream)
    }

    private mutating func writeChat(isError: Bool, into buffer: inout ByteBuffer) {
        guard let event = self.chat?.next else { preconditionFailure("a stream without a next event has ended") }
        self.count(isError ? .silent : event)
        if isError {
            self.chat?.writeError(into: &buffer)
        } else {
            self.chat?.writeNext(into: &buffer)
        }
        if isError || self.chat?.next == nil { self.chat = nil }
    }

    private mutating func count(_ event: StreamEvent) {
        guard event.isCounted else { return }
        self.events += 1
        self.unreported.events += 1
        self.unreported.tokens += event.tokens
    }

    /// Events of a stream, and tokens in them, since the last call.
    mutating func takeProgress() -> StreamProgress {
        defer { self.unreported = StreamProgress() }
        return self.unreported
    }

    /// The size of all that is still to come; a stream is played to its end on a copy.
    func countBytes() -> Int {
        if case .whole(let bytes) = self.content { return bytes.readableBytes }
        var copy = self
        var buffer = ByteBuffer()
        var count = 0
        while !copy.isEmpty {
            buffer.clear()
            copy.writeNext(into: &buffer)
            count += buffer.readableBytes
        }
        return count
    }
}

/// How far a stream came, for the books.
struct StreamProgress {
    var events = 0
    var tokens = StreamTokens()
}
