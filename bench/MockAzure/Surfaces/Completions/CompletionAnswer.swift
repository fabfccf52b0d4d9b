import NIOCore

/// What is the same in a legacy completion's unary and streamed form, decided once from request and faults.
struct CompletionAnswer {
    /// What the API makes of a request that does not say.
    private static let defaultTokens = 16

    let model: String
    let choices: Int
    let tokens: Int
    let finishReason: StaticString
    let usage: Usage
    let includeUsage: Bool
    let withUsage: Bool
    let echo: Bool
    let faults: ContentFaults
    private let id: UInt64
    private let created: Int
    private let words: Words
    private let eventBytes: Int?
    private let choicesPerPrompt: Int
    private let prompts: [CompletionRequest.Prompt]
    /// The request's body, of which an echo takes the prompts.
    private let body: ByteBuffer

    init(
        _ request: CompletionRequest,
        body: ByteBuffer,
        model: String,
        faults: Faults,
        id: UInt64,
        created: Int
    ) {
        let natural = faults.tokens ?? Self.defaultTokens
        let tokens = min(natural, request.maximumTokens ?? Self.defaultTokens)
        self.model = model
        self.choices = request.prompts.count * request.choices
        self.tokens = tokens
        if faults.content.filtered == .completion {
            self.finishReason = "content_filter"
        } else {
            self.finishReason = tokens < natural ? "length" : "stop"
        }
        self.usage = Usage(
            prompt: request.promptTokens,
            words: tokens * request.prompts.count * request.candidates,
            faults: faults.content
        )
        self.includeUsage = request.includeUsage
        self.withUsage = faults.usage
        self.echo = request.echo
        self.faults = faults.content
        self.id = id
        self.created = created
        self.words = faults.multibyte ? .multibyte : .plain
        self.eventBytes = faults.eventBytes
        self.choicesPerPrompt = request.choices
        self.prompts = request.prompts
        self.body = request.echo ? body : ByteBuffer()
    }

    func writeBody(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"choices\":[")
        for choice in 0..<self.choices {
            if choice > 0 { buffer.writeStaticString(",") }
            self.writeChoice(choice, finish: self.finishReason, into: &buffer) { buffer in
                if self.echo { self.writePrompt(of: choice, into: &buffer) }
                for index in 0..<self.tokens { self.writeWord(index, into: &buffer) }
            }
        }
        buffer.writeStaticString("]")
        self.writeIdentity(into: &buffer)
        buffer.writeStaticString(",\"prompt_filter_results\":")
        buffer.writeStaticString(Fragments.promptFilterResults)
        if self.withUsage {
            buffer.writeStaticString(",\"usage\":")
            self.usage.writeChat(details: false, into: &buffer)
        }
        buffer.writeStaticString("}")
    }

    // MARK: Parts

    func writeChoice(
        _ choice: Int,
        finish: StaticString?,
        into buffer: inout ByteBuffer,
        text: (inout ByteBuffer) -> Void
    ) {
        buffer.writeStaticString("{\"content_filter_results\":")
        let isFiltered = self.faults.filtered == .completion && finish != nil
        buffer.writeStaticString(isFiltered ? ContentFilter.violence : Fragments.deltaFilter)
        buffer.writeStaticString(",\"finish_reason\":")
        if let finish {
            buffer.writeString("\"\(finish)\"")
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeString(",\"index\":\(choice),\"logprobs\":null,\"text\":\"")
        text(&buffer)
        buffer.writeStaticString("\"}")
    }

    func writeWord(_ index: Int, into buffer: inout ByteBuffer) {
        // The first word of an answer has no space before it, unless it goes on from the prompt.
        if index == 0 && self.echo { buffer.writeStaticString(" ") }
        self.words.write(index, size: self.eventBytes, into: &buffer)
    }

    /// Writes the prompt that a choice belongs to, escaped as the client did it.
    func writePrompt(of choice: Int, into buffer: inout ByteBuffer) {
        guard let range = self.prompts[choice / self.choicesPerPrompt].text,
            let text = self.body.getSlice(at: self.body.readerIndex + range.lowerBound, length: range.count)
        else { return }
        buffer.writeImmutableBuffer(text)
    }

    func writeIdentity(into buffer: inout ByteBuffer) {
        buffer.writeString(",\"created\":\(self.created),\"id\":\"cmpl-")
        buffer.writeHex(self.id, digits: 16)
        buffer.writeStaticString("\",\"model\":")
        buffer.writeJSON(self.model)
        buffer.writeStaticString(",\"object\":\"text_completion\"")
    }
}
