import NIOCore

/// A transcription as it is heard: a delta for each piece of the text, then the whole text with its usage.
///
/// Only models that bill tokens stream; whisper ignores `stream`, as at OpenAI.
struct TranscriptionStream: EventSource {
    private let answer: TranscriptionAnswer
    private let pieces: [Substring]
    private let hiddenTokens: Int
    /// The piece that comes next; one past the last stands for the end of the text.
    private var index = 0

    init(_ answer: TranscriptionAnswer) {
        self.answer = answer
        self.pieces = answer.pieces
        self.hiddenTokens = answer.usage?.details.hiddenCompletion ?? 0
    }

    var next: StreamEvent? {
        if self.index > self.pieces.count { return nil }
        if self.index == self.pieces.count { return .silent }
        return .output(isFirst: self.index == 0, completion: 1 + (self.index == 0 ? self.hiddenTokens : 0))
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        if self.index < self.pieces.count {
            buffer.writeStaticString("data: {\"type\":\"transcript.text.delta\",\"delta\":")
            buffer.writeJSON(self.pieces[self.index])
        } else {
            buffer.writeStaticString("data: {\"type\":\"transcript.text.done\",\"text\":")
            buffer.writeJSON(self.answer.text)
            self.answer.writeUsage(into: &buffer)
        }
        buffer.writeStaticString("}\n\n")
        self.index += 1
    }
}
