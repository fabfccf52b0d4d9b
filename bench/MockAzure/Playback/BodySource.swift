import NIOCore

/// Where the bytes of a body come from, event by event; a unary body is one event.
struct BodySource {
    private enum Content {
        case whole(ByteBuffer)
        case chat(ChatStream)
        case empty
    }

    private var content: Content
    private let faults: Faults
    /// Events produced so far, `[DONE]` not among them.
    private(set) var events = 0
    private var wordsBegun = false
    private var unreported = (events: 0, tokens: 0)

    init(_ body: Answer.Body, faults: Faults) {
        switch body {
        case .whole(let bytes): self.content = .whole(bytes)
        case .stream(let stream): self.content = .chat(stream)
        }
        self.faults = faults
    }

    var isEmpty: Bool {
        switch self.content {
        case .whole, .chat: false
        case .empty: true
        }
    }

    /// How long to wait before the next event.
    var pause: TimeAmount {
        guard self.faults.any, case .chat(let stream) = self.content else { return .zero }
        switch stream.stage {
        case .word(0, choice: 0): return self.faults.firstToken
        case .word, .finish: return self.faults.interval
        case .promptFilter, .role, .usage, .done, .ended: return .zero
        }
    }

    /// Appends the next event, or the error that takes its place.
    mutating func writeNext(into buffer: inout ByteBuffer) {
        switch self.content {
        case .whole(let bytes):
            if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
            self.events += 1
            self.content = .empty
        case .chat where self.events == self.faults.errorAfter:
            buffer.writeStaticString(AzureError.inStream)
            self.count(tokens: 0)
            self.content = .empty
        case .chat(var stream):
            // Taken out while it changes, so that it is changed in place.
            self.content = .empty
            self.write(&stream, into: &buffer)
            if stream.stage != .ended { self.content = .chat(stream) }
        case .empty:
            preconditionFailure("a body has nothing after its end")
        }
    }

    private mutating func write(_ stream: inout ChatStream, into buffer: inout ByteBuffer) {
        switch stream.stage {
        case .word: self.count(tokens: 1)
        case .promptFilter, .role, .finish, .usage: self.count(tokens: 0)
        case .done, .ended: break
        }
        stream.writeNext(into: &buffer)
    }

    private mutating func count(tokens: Int) {
        self.events += 1
        self.unreported.events += 1
        self.unreported.tokens += tokens
    }

    /// Events of a stream, and tokens in them, since the last call.
    mutating func takeProgress() -> (events: Int, tokens: Int) {
        defer { self.unreported = (0, 0) }
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
