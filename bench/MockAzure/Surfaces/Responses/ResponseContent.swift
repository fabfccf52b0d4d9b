import NIOCore

/// A response, decided once from request and faults: all that its body, its events and its stored copy are made of.
///
/// The words are always the same, so nothing of an answer is kept but their number.
struct ResponseContent: Sendable {
    enum Status: String {
        case queued, completed, incomplete, failed, cancelled
        case inProgress = "in_progress"
    }

    let id: UInt64
    let model: String
    let created: Int
    let background: Bool
    let store: Bool
    let previousID: String?
    let maximumTokens: Int?
    let serviceTier: ServiceTier
    let toolName: String?
    /// Words, or pieces of a tool call's arguments.
    let tokens: Int
    /// How it ends, when all of it is done.
    let finalStatus: Status
    /// Why it is incomplete.
    let incompleteReason: StaticString?
    let usage: Usage
    let withUsage: Bool
    private let words: Words
    private let eventBytes: Int?

    /// - Parameter previousTokens: what the conversation before it weighs; the model reads all of it again.
    init(
        _ request: ResponseRequest,
        model: String,
        previousTokens: Int,
        faults: Faults,
        id: UInt64,
        created: Int
    ) {
        let content = faults.content
        let natural =
            request.toolName == nil ? faults.tokens ?? ChatAnswer.defaultTokens : ToolCall.argumentPieces.count
        let room = request.maximumTokens.map { max(0, $0 - content.usage.reasoning) }
        let tokens = min(natural, room ?? natural)
        self.id = id
        self.model = model
        self.created = created
        self.background = request.background
        self.store = request.store
        self.previousID = request.previousID
        self.maximumTokens = request.maximumTokens
        self.serviceTier = content.serviceTier ?? request.serviceTier?.served ?? .default
        self.toolName = request.toolName
        self.tokens = tokens
        if content.filtered == .completion {
            self.incompleteReason = "content_filter"
        } else {
            self.incompleteReason = tokens < natural ? "max_output_tokens" : nil
        }
        self.finalStatus =
            content.streamError ? .failed : self.incompleteReason == nil ? .completed : .incomplete
        self.usage = Usage(prompt: request.promptTokens + previousTokens, words: tokens, faults: content)
        self.withUsage = faults.usage
        self.words = faults.multibyte ? .multibyte : .plain
        self.eventBytes = faults.eventBytes
    }

    /// The name it is stored under and called by.
    var name: String {
        var buffer = ByteBuffer()
        self.writeName(into: &buffer)
        return String(buffer: buffer)
    }

    func writeName(into buffer: inout ByteBuffer) {
        self.writeID("resp_", into: &buffer)
    }

    /// A response and its parts have the same digits under different prefixes.
    func writeID(_ prefix: StaticString, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(prefix)
        buffer.writeHex(self.id, digits: 16)
        // As long as Azure's.
        buffer.writeHex(self.id &* FNV1a.prime, digits: 16)
        buffer.writeHex(~self.id, digits: 16)
    }

    /// A word, or a piece of a tool call's arguments; both fit into a JSON string as they are.
    func writePiece(_ index: Int, into buffer: inout ByteBuffer) {
        if self.toolName == nil {
            self.words.write(index, size: self.eventBytes, into: &buffer)
        } else {
            buffer.writeStaticString(ToolCall.argumentPieces[index])
        }
    }
}
