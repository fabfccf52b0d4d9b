import NIOCore

/// The text of each event.
extension ChatStream {
    func writePromptFilter(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"")
        buffer.writeStaticString(
            self.answer.faults.promptFilter == .annotations ? "prompt_annotations" : "prompt_filter_results"
        )
        buffer.writeStaticString("\":")
        buffer.writeStaticString(Fragments.promptFilterResults)
        self.writeEventEnd(into: &buffer)
    }

    func writeRole(_ choice: Int, into buffer: inout ByteBuffer) {
        self.writeStart(filter: "{}", into: &buffer)
        buffer.writeStaticString("\"delta\":{\"content\":")
        if let name = self.answer.toolName {
            buffer.writeStaticString("null,\"refusal\":null,\"role\":\"assistant\",\"tool_calls\":[")
            self.answer.writeToolCall(name, pieces: 0, choice: choice, into: &buffer)
            buffer.writeStaticString("]}")
        } else {
            buffer.writeStaticString("\"\",\"refusal\":null,\"role\":\"assistant\"}")
        }
        self.writeEnd(finish: nil, choice, into: &buffer)
    }

    /// Writes some words, or pieces of a tool call, and returns their length.
    func writeWords(_ range: Range<Int>, _ choice: Int, into buffer: inout ByteBuffer) -> Int {
        let bytes: Int
        if self.answer.toolName == nil {
            self.writeStart(filter: Fragments.deltaFilter, into: &buffer)
            buffer.writeStaticString("\"delta\":{\"content\":\"")
            let start = buffer.writerIndex
            self.answer.writeWords(range, into: &buffer)
            bytes = buffer.writerIndex - start
            buffer.writeStaticString("\"}")
        } else {
            self.writeStart(filter: "{}", into: &buffer)
            buffer.writeStaticString("\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"")
            let start = buffer.writerIndex
            for piece in ToolCall.argumentPieces[range] { buffer.writeStaticString(piece) }
            bytes = buffer.writerIndex - start
            buffer.writeStaticString("\"},\"index\":0}]}")
        }
        self.writeEnd(finish: nil, choice, words: self.answer.toolName == nil ? range : 0..<0, into: &buffer)
        return bytes
    }

    /// Where in prompt and answer the asynchronous filter looked, and what it saw.
    func writeAnnotation(_ choice: Int, isLast: Bool, into buffer: inout ByteBuffer) {
        let filtered = isLast && self.answer.faults.filtered == .completion
        let start = self.answer.promptBytes + self.vettedBytes
        let end = self.answer.promptBytes + self.sentBytes
        buffer.writeStaticString("data: {\"choices\":[{\"content_filter_offsets\":{\"check_offset\":")
        buffer.writeDecimal(isLast ? end : start)
        buffer.writeStaticString(",\"end_offset\":")
        buffer.writeDecimal(end)
        buffer.writeStaticString(",\"start_offset\":")
        buffer.writeDecimal(start)
        buffer.writeStaticString("},\"content_filter_results\":")
        buffer.writeStaticString(filtered ? ContentFilter.violence : Fragments.deltaFilter)
        buffer.writeStaticString(filtered ? ",\"finish_reason\":\"content_filter\"" : ",\"finish_reason\":null")
        buffer.writeStaticString(",\"index\":")
        buffer.writeDecimal(choice)
        buffer.writeStaticString("}],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\"")
        self.writeEventEnd(into: &buffer)
    }

    func writeFinish(_ choice: Int, into buffer: inout ByteBuffer) {
        let isFiltered = self.answer.faults.filtered == .completion
        self.writeStart(filter: isFiltered ? ContentFilter.violence : "{}", into: &buffer)
        buffer.writeStaticString("\"delta\":{}")
        self.writeEnd(finish: self.answer.finishReason, choice, into: &buffer)
    }

    func writeUsage(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[]")
        buffer.writeImmutableBuffer(self.tail)
        buffer.writeStaticString(",\"usage\":")
        self.answer.usage.writeChat(details: true, into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    // MARK: Parts

    /// With the asynchronous filter there is no verdict yet when words are sent.
    private func writeStart(filter: StaticString, into buffer: inout ByteBuffer) {
        if self.answer.faults.filterMode == .async {
            buffer.writeStaticString("data: {\"choices\":[{")
            return
        }
        buffer.writeStaticString("data: {\"choices\":[{\"content_filter_results\":")
        buffer.writeStaticString(filter)
        buffer.writeStaticString(",")
    }

    private func writeEnd(
        finish: StaticString?,
        _ choice: Int,
        words: Range<Int> = 0..<0,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString(",\"finish_reason\":")
        if let finish {
            buffer.writeStaticString("\"")
            buffer.writeStaticString(finish)
            buffer.writeStaticString("\"")
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"index\":")
        buffer.writeDecimal(choice)
        if self.answer.logprobs {
            buffer.writeStaticString(",\"logprobs\":")
            self.answer.writeLogprobs(words, into: &buffer)
            buffer.writeStaticString("}]")
        } else {
            buffer.writeStaticString(",\"logprobs\":null}]")
        }
        buffer.writeImmutableBuffer(self.tail)
        self.writeEventEnd(into: &buffer)
    }

    private func writeEventEnd(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(self.answer.includeUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }

    static func tail(of answer: ChatAnswer) -> ByteBuffer {
        var tail = ByteBuffer()
        tail.writeStaticString(",\"created\":")
        tail.writeDecimal(answer.created)
        tail.writeStaticString(",\"id\":\"chatcmpl-")
        tail.writeHex(answer.id, digits: 16)
        tail.writeStaticString("\",\"model\":")
        tail.writeJSON(answer.model)
        tail.writeStaticString(",\"object\":\"chat.completion.chunk\"")
        answer.writeServiceTier(into: &tail)
        tail.writeStaticString(",\"system_fingerprint\":\"")
        tail.writeStaticString(Fragments.fingerprint)
        tail.writeStaticString("\"")
        return tail
    }
}
