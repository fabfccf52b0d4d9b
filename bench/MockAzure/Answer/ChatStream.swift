import NIOCore

/// The events of a streamed chat completion, one at a time.
///
/// Azure's order (azure.md 5.7): prompt filter results, a role for each choice, the words, a finish reason for each
/// choice, the usage if asked for, `[DONE]`.
struct ChatStream {
    /// What comes next, and with it how long to wait before it.
    enum Stage: Equatable {
        case promptFilter
        case role(choice: Int)
        case word(Int, choice: Int)
        case finish(choice: Int)
        case usage
        case done
        case ended
    }

    private let answer: ChatAnswer
    /// The end of every event with a choice: what stands behind the choices.
    private let tail: ByteBuffer
    private(set) var stage = Stage.promptFilter

    init(_ answer: ChatAnswer) {
        self.answer = answer
        self.tail = Self.tail(of: answer)
    }

    /// Appends the next event. Must not be called once `stage` is `.ended`.
    mutating func writeNext(into buffer: inout ByteBuffer) {
        switch self.stage {
        case .promptFilter:
            self.writePromptFilter(into: &buffer)
            self.stage = .role(choice: 0)
        case .role(let choice):
            self.writeRole(choice, into: &buffer)
            let first: Stage = self.answer.tokens == 0 ? .finish(choice: 0) : .word(0, choice: 0)
            self.stage = choice + 1 < self.answer.choices ? .role(choice: choice + 1) : first
        case .word(let index, let choice):
            self.writeWord(index, choice, into: &buffer)
            self.stage = self.after(word: index, choice)
        case .finish(let choice):
            self.writeFinish(choice, into: &buffer)
            let last: Stage = self.answer.includeUsage && self.answer.withUsage ? .usage : .done
            self.stage = choice + 1 < self.answer.choices ? .finish(choice: choice + 1) : last
        case .usage:
            self.writeUsage(into: &buffer)
            self.stage = .done
        case .done:
            buffer.writeStaticString("data: [DONE]\n\n")
            self.stage = .ended
        case .ended:
            preconditionFailure("a stream has no event after [DONE]")
        }
    }

    /// The choices take turns, word by word.
    private func after(word index: Int, _ choice: Int) -> Stage {
        if choice + 1 < self.answer.choices { return .word(index, choice: choice + 1) }
        if index + 1 < self.answer.tokens { return .word(index + 1, choice: 0) }
        return .finish(choice: 0)
    }

    // MARK: Events

    private func writePromptFilter(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(
            "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":"
        )
        buffer.writeStaticString(Fragments.promptFilterResults)
        buffer.writeStaticString(self.answer.includeUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }

    private func writeRole(_ choice: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":")
        if let name = self.answer.toolName {
            buffer.writeStaticString("null,\"refusal\":null,\"role\":\"assistant\",\"tool_calls\":[")
            self.answer.writeToolCall(name, pieces: 0, choice: choice, into: &buffer)
            buffer.writeStaticString("]}")
        } else {
            buffer.writeStaticString("\"\",\"refusal\":null,\"role\":\"assistant\"}")
        }
        self.writeEnd(finish: nil, choice, into: &buffer)
    }

    private func writeWord(_ index: Int, _ choice: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[{\"content_filter_results\":")
        if self.answer.toolName == nil {
            buffer.writeStaticString(Fragments.deltaFilter)
            buffer.writeStaticString(",\"delta\":{\"content\":\"")
            self.answer.words.write(index, size: self.answer.eventBytes, into: &buffer)
            buffer.writeStaticString("\"}")
        } else {
            buffer.writeStaticString("{},\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"")
            buffer.writeStaticString(ToolCall.argumentPieces[index])
            buffer.writeStaticString("\"},\"index\":0}]}")
        }
        self.writeEnd(finish: nil, choice, into: &buffer)
    }

    private func writeFinish(_ choice: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{}")
        self.writeEnd(finish: self.answer.finishReason, choice, into: &buffer)
    }

    private func writeEnd(finish: StaticString?, _ choice: Int, into buffer: inout ByteBuffer) {
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
        buffer.writeStaticString(",\"logprobs\":null}]")
        buffer.writeImmutableBuffer(self.tail)
        buffer.writeStaticString(self.answer.includeUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }

    private func writeUsage(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("data: {\"choices\":[]")
        buffer.writeImmutableBuffer(self.tail)
        buffer.writeStaticString(",\"usage\":")
        self.answer.usage.writeChat(details: true, into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    private static func tail(of answer: ChatAnswer) -> ByteBuffer {
        var tail = ByteBuffer()
        tail.writeStaticString(",\"created\":")
        tail.writeDecimal(answer.created)
        tail.writeStaticString(",\"id\":\"chatcmpl-")
        tail.writeHex(answer.id, digits: 16)
        tail.writeStaticString("\",\"model\":")
        tail.writeJSON(answer.model)
        tail.writeStaticString(",\"object\":\"chat.completion.chunk\",\"system_fingerprint\":\"")
        tail.writeStaticString(Fragments.fingerprint)
        tail.writeStaticString("\"")
        return tail
    }
}
