import NIOCore

/// What is the same in a chat completion's unary and streamed form, decided once from request and faults.
struct ChatAnswer {
    /// How many words an answer has when neither client nor fault says.
    private static let defaultTokens = 16

    let model: String
    let toolName: String?
    let choices: Int
    /// Words, or pieces of a tool call, in each choice.
    let tokens: Int
    let finishReason: StaticString
    let promptTokens: Int
    let includeUsage: Bool
    /// Random digits, for the ids in it.
    let id: UInt64
    let created: Int
    let words: Words
    let eventBytes: Int?
    let withUsage: Bool

    init(_ request: ChatRequest, model: String, faults: Faults, id: UInt64, created: Int) {
        let natural = request.toolName == nil ? faults.tokens ?? Self.defaultTokens : ToolCall.argumentPieces.count
        let tokens = min(natural, request.maximumTokens ?? natural)
        self.model = model
        self.toolName = request.toolName
        self.choices = request.choices
        self.tokens = tokens
        self.finishReason = tokens < natural ? "length" : request.toolName == nil ? "stop" : "tool_calls"
        self.promptTokens = request.promptTokens
        self.includeUsage = request.includeUsage
        self.id = id
        self.created = created
        self.words = faults.multibyte ? .multibyte : .plain
        self.eventBytes = faults.eventBytes
        self.withUsage = faults.usage
    }

    var usage: Usage { Usage(promptTokens: self.promptTokens, completionTokens: self.tokens * self.choices) }

    /// The body of the unary answer; `size` makes it just so many bytes, if it can be that small, by leaving out Azure's
    /// extras and putting filler in the place of words.
    func writeBody(size: Int?, into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        guard let size else {
            self.writeBody(padding: nil, into: &buffer)
            return
        }
        self.writeBody(padding: 0, into: &buffer)
        let padding = size - (buffer.writerIndex - start)
        if padding > 0 {
            buffer.moveWriterIndex(to: start)
            self.writeBody(padding: padding, into: &buffer)
        }
    }

    private func writeBody(padding: Int?, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"choices\":[")
        for choice in 0..<self.choices {
            if choice > 0 { buffer.writeStaticString(",") }
            self.writeChoice(choice, padding: choice == 0 ? padding : padding.map { _ in 0 }, into: &buffer)
        }
        buffer.writeStaticString("],\"created\":")
        buffer.writeDecimal(self.created)
        buffer.writeStaticString(",\"id\":\"chatcmpl-")
        buffer.writeHex(self.id, digits: 16)
        buffer.writeStaticString("\",\"model\":")
        buffer.writeJSON(self.model)
        buffer.writeStaticString(",\"object\":\"chat.completion\"")
        if padding == nil {
            buffer.writeStaticString(",\"prompt_filter_results\":")
            buffer.writeStaticString(Fragments.promptFilterResults)
        }
        buffer.writeStaticString(",\"system_fingerprint\":\"")
        buffer.writeStaticString(Fragments.fingerprint)
        buffer.writeStaticString("\"")
        if self.withUsage {
            buffer.writeStaticString(",\"usage\":")
            self.usage.writeChat(details: padding == nil, into: &buffer)
        }
        buffer.writeStaticString("}")
    }

    private func writeChoice(_ choice: Int, padding: Int?, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{")
        if padding == nil {
            buffer.writeStaticString("\"content_filter_results\":")
            buffer.writeStaticString(Fragments.completionFilter)
            buffer.writeStaticString(",")
        }
        buffer.writeStaticString("\"finish_reason\":\"")
        buffer.writeStaticString(self.finishReason)
        buffer.writeStaticString("\",\"index\":")
        buffer.writeDecimal(choice)
        buffer.writeStaticString(",\"logprobs\":null,\"message\":{\"content\":")
        if let toolName {
            buffer.writeStaticString("null,\"refusal\":null,\"role\":\"assistant\",\"tool_calls\":[")
            self.writeToolCall(toolName, pieces: self.tokens, choice: choice, into: &buffer)
            buffer.writeStaticString("]}}")
            buffer.writeRepeatingByte(UInt8(ascii: " "), count: padding ?? 0)
        } else {
            buffer.writeStaticString("\"")
            if let padding {
                buffer.writeRepeatingByte(UInt8(ascii: "."), count: padding)
            } else {
                for index in 0..<self.tokens { self.words.write(index, size: self.eventBytes, into: &buffer) }
            }
            buffer.writeStaticString("\",\"annotations\":[],\"refusal\":null,\"role\":\"assistant\"}}")
        }
    }

    /// A tool call with the first `pieces` of its arguments.
    func writeToolCall(_ name: String, pieces: Int, choice: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"function\":{\"arguments\":\"")
        for piece in ToolCall.argumentPieces.prefix(pieces) { buffer.writeStaticString(piece) }
        buffer.writeStaticString("\",\"name\":")
        buffer.writeJSON(name)
        buffer.writeStaticString("},\"id\":\"call_")
        buffer.writeHex(self.id &+ UInt64(choice), digits: 16)
        buffer.writeStaticString("\",\"index\":0,\"type\":\"function\"}")
    }
}
