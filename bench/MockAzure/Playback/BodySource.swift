import NIOCore

/// Where the bytes of a body come from, event by event; a unary body is one event.
struct BodySource {
    private enum Content {
        case whole(ByteBuffer)
        case chat(ChatStream)
        case events(any EventSource)
        case empty
    }

    private var content: Content
    private let faults: Faults
    /// Events produced so far, `[DONE]` not among them.
    private(set) var events = 0
    private var unreported = StreamProgress()

    init(_ body: Answer.Body, faults: Faults) {
        switch body {
        case .whole(let bytes): self.content = .whole(bytes)
        case .chat(let stream): self.content = .chat(stream)
        case .events(let stream): self.content = .events(stream)
        }
        self.faults = faults
    }

    var isEmpty: Bool {
        switch self.content {
        case .whole, .chat, .events: false
        case .empty: true
        }
    }

    /// How long to wait before the next event.
    var pause: TimeAmount {
        guard self.faults.any else { return .zero }
        let next: StreamEvent?
        switch self.content {
        case .whole, .empty: return .zero
        case .chat(let stream): next = stream.next
        case .events(let stream): next = stream.next
        }
        return switch next?.pace {
        case .first: self.faults.firstToken
        case .following: self.faults.interval
        case .atOnce, nil: .zero
        }
    }

    /// Appends the next event, or the error that takes its place.
    mutating func writeNext(into buffer: inout ByteBuffer) {
        let isError = self.events == self.faults.errorAfter
        switch self.content {
        case .whole(let bytes):
            if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
            self.events += 1
            self.content = .empty
        case .chat(var stream):
            // Taken out while it changes, so that it is changed in place.
            self.content = .empty
            self.write(&stream, isError: isError, into: &buffer)
            if !isError && stream.next != nil { self.content = .chat(stream) }
        case .events(var stream):
            self.content = .empty
            self.write(&stream, isError: isError, into: &buffer)
            if !isError && stream.next != nil { self.content = .events(stream) }
        case .empty:
            preconditionFailure("a body has nothing after its end")
        }
    }

    /// Appends a sign of life, in the place of no event.
    mutating func writeKeepalive(into buffer: inout ByteBuffer) {
        switch self.content {
        case .whole, .empty: break
        case .chat(var stream): stream.writeKeepalive(into: &buffer)
        case .events(var stream):
            stream.writeKeepalive(into: &buffer)
            self.content = .events(stream)
        }
    }

    @inline(__always)
    private mutating func write(_ stream: inout some EventSource, isError: Bool, into buffer: inout ByteBuffer) {
        guard let event = stream.next else { preconditionFailure("a stream without a next event has ended") }
        if isError {
            stream.writeError(into: &buffer)
            self.count(.silent)
        } else {
            self.count(event)
            stream.writeNext(into: &buffer)
        }
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
