import NIOCore

/// What is the same in a chat completion's unary and streamed form, decided once from request and faults.
struct ChatAnswer {
    /// How many words an answer has when neither client nor fault says.
    static let defaultTokens = 16

    let model: String
    let toolName: String?
    let choices: Int
    /// Words, or pieces of a tool call, in each choice.
    let tokens: Int
    let finishReason: StaticString
    let usage: Usage
    let includeUsage: Bool
    /// The prompt's length, where the offsets of the content filter's annotations begin.
    let promptBytes: Int
    let logprobs: Bool
    let serviceTier: ServiceTier?
    /// Random digits, for the ids in it.
    let id: UInt64
    let created: Int
    let words: Words
    let eventBytes: Int?
    let withUsage: Bool
    let faults: ContentFaults

    init(_ request: ChatRequest, model: String, faults: Faults, id: UInt64, created: Int) {
        let content = faults.content
        let natural = request.toolName == nil ? faults.tokens ?? Self.defaultTokens : ToolCall.argumentPieces.count
        // What the model thinks counts against the limit as well, and comes first.
        let room = request.maximumTokens.map { max(0, $0 - content.usage.reasoning) }
        let tokens = min(natural, room ?? natural)
        self.model = model
        self.toolName = request.toolName
        self.choices = request.choices
        self.tokens = tokens
        if content.filtered == .completion {
            self.finishReason = "content_filter"
        } else {
            self.finishReason = tokens < natural ? "length" : request.toolName == nil ? "stop" : "tool_calls"
        }
        self.usage = Usage(prompt: request.promptTokens, words: tokens * request.choices, faults: content)
        self.includeUsage = request.includeUsage
        self.promptBytes = request.contentBytes
        self.logprobs = request.logprobs
        self.serviceTier = content.serviceTier ?? request.serviceTier?.served
        self.id = id
        self.created = created
        self.words = faults.multibyte ? .multibyte : .plain
        self.eventBytes = faults.eventBytes
        self.withUsage = faults.usage
        self.faults = content
    }

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
        self.writeServiceTier(into: &buffer)
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
            buffer.writeStaticString(
                self.faults.filtered == .completion ? ContentFilter.violence : Fragments.completionFilter
            )
            buffer.writeStaticString(",")
        }
        buffer.writeStaticString("\"finish_reason\":\"")
        buffer.writeStaticString(self.finishReason)
        buffer.writeStaticString("\",\"index\":")
        buffer.writeDecimal(choice)
        buffer.writeStaticString(",\"logprobs\":")
        self.writeLogprobs(0..<(self.toolName == nil && padding == nil ? self.tokens : 0), into: &buffer)
        buffer.writeStaticString(",\"message\":{\"content\":")
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
                self.writeWords(0..<self.tokens, into: &buffer)
            }
            buffer.writeStaticString("\",\"annotations\":[],\"refusal\":null,\"role\":\"assistant\"}}")
        }
    }

    // MARK: Parts

    func writeWords(_ range: Range<Int>, into buffer: inout ByteBuffer) {
        for index in range { self.words.write(index, size: self.eventBytes, into: &buffer) }
    }

    /// The log probabilities of some words, or `null` where there are none or nobody asked.
    func writeLogprobs(_ range: Range<Int>, into buffer: inout ByteBuffer) {
        guard self.logprobs, !range.isEmpty else {
            buffer.writeStaticString("null")
            return
        }
        buffer.writeStaticString("{\"content\":[")
        for index in range {
            var word = ByteBuffer()
            self.words.write(index, size: self.eventBytes, into: &word)
            buffer.writeStaticString(index == range.lowerBound ? "{\"bytes\":[" : ",{\"bytes\":[")
            buffer.writeString(word.readableBytesView.map(String.init).joined(separator: ","))
            buffer.writeStaticString("],\"logprob\":-0.25,\"token\":\"")
            buffer.writeImmutableBuffer(word)
            buffer.writeStaticString("\",\"top_logprobs\":[]}")
        }
        buffer.writeStaticString("],\"refusal\":null}")
    }

    func writeServiceTier(into buffer: inout ByteBuffer) {
        guard let serviceTier else { return }
        buffer.writeStaticString(",\"service_tier\":\"")
        buffer.writeString(serviceTier.rawValue)
        buffer.writeStaticString("\"")
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
