import NIOCore

/// Speech, piece by piece: bytes without a usage, or events of which the last has one.
///
/// The bytes are a pattern of known length, no sound: each is its offset modulo 251, so that a client can tell what is
/// missing or doubled.
struct SpeechStream: EventSource {
    /// A second of speech is about 15 characters and, as MP3, 16 kB.
    private static let bytesPerCharacter = 1_024
    private static let pieceBytes = 4_096

    private let size: Int
    private let asEvents: Bool
    private let usage: Usage
    private let withUsage: Bool
    private var offset = 0
    private var isDone = false

    init(_ request: SpeechRequest, faults: Faults) {
        let size = faults.bytes ?? request.inputBytes * Self.bytesPerCharacter
        self.size = size
        self.asEvents = request.asEvents
        self.usage = Usage(
            prompt: (request.inputBytes + 3) / 4,
            words: Self.pieces(size),
            faults: faults.content
        )
        self.withUsage = faults.usage
    }

    /// Nothing but the events of a stream says what speech costs, so bytes are booked without tokens.
    var promptUsage: Usage? { self.asEvents ? self.usage.promptOnly : nil }

    var next: StreamEvent? {
        if self.isDone { return nil }
        let isFirst = self.offset == 0
        guard self.asEvents, self.offset < self.size || isFirst else {
            return StreamEvent(pace: isFirst ? .first : .following)
        }
        let hidden = isFirst ? self.usage.details.hiddenCompletion : 0
        return .output(isFirst: isFirst, completion: (self.offset < self.size ? 1 : 0) + hidden)
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        let count = min(Self.pieceBytes, self.size - self.offset)
        switch (self.asEvents, count > 0) {
        case (false, _):
            Self.writeSound(self.offset, count: count, into: &buffer)
        case (true, true):
            var sound = ByteBuffer()
            Self.writeSound(self.offset, count: count, into: &sound)
            buffer.writeStaticString("data: {\"type\":\"speech.audio.delta\",\"audio\":\"")
            sound.withUnsafeReadableBytes { Base64.write($0, into: &buffer) }
            buffer.writeStaticString("\"}\n\n")
        case (true, false):
            buffer.writeStaticString("data: {\"type\":\"speech.audio.done\"")
            if self.withUsage {
                buffer.writeString(",\"usage\":{\"input_tokens\":\(self.usage.promptTokens),")
                buffer.writeString("\"output_tokens\":\(self.usage.completionTokens),")
                buffer.writeString("\"total_tokens\":\(self.usage.totalTokens)}")
            }
            buffer.writeStaticString("}\n\n")
            self.isDone = true
        }
        self.offset += count
        if !self.asEvents && self.offset == self.size { self.isDone = true }
    }

    mutating func writeKeepalive(into buffer: inout ByteBuffer) {
        // There is no room for a sign of life between the bytes of a sound.
        if self.asEvents { buffer.writeStaticString("event: keepalive\ndata: {\"type\":\"keepalive\"}\n\n") }
    }

    func writeError(into buffer: inout ByteBuffer) {
        if self.asEvents { buffer.writeStaticString(AzureError.inStream) }
    }

    static func writeSound(_ offset: Int, count: Int, into buffer: inout ByteBuffer) {
        guard let piece = self.pattern.getSlice(at: offset % self.period, length: count) else {
            preconditionFailure("a piece of sound is longer than the pattern")
        }
        buffer.writeImmutableBuffer(piece)
    }

    /// A prime, so that no buffer's size hides a shift.
    private static let period = 251
    private static let pattern = ByteBuffer(bytes: (0..<(pieceBytes + period)).map { UInt8($0 % period) })

    private static func pieces(_ size: Int) -> Int { (size + self.pieceBytes - 1) / self.pieceBytes }
}
