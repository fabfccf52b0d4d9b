import NIOCore

/// The events of a streamed legacy completion: prompt filter results, the prompts if they are echoed, the words of all
/// choices in turn, a finish reason for each, the usage if asked for, `[DONE]`.
struct CompletionStream: EventSource {
    private enum Stage {
        case promptFilter
        case echo(choice: Int)
        case word(Int, choice: Int)
        case finish(choice: Int)
        case usage
        case done
        case failure
        case ended
    }

    private let answer: CompletionAnswer
    private var stage: Stage

    init(_ answer: CompletionAnswer) {
        self.answer = answer
        if answer.faults.streamError {
            self.stage = .failure
        } else {
            self.stage = answer.faults.promptFilter == .off ? Self.first(answer) : .promptFilter
        }
    }

    private static func first(_ answer: CompletionAnswer) -> Stage {
        answer.echo ? .echo(choice: 0) : Self.afterEcho(answer)
    }

    private static func afterEcho(_ answer: CompletionAnswer) -> Stage {
        answer.tokens == 0 ? .finish(choice: 0) : .word(0, choice: 0)
    }

    var next: StreamEvent? {
        switch self.stage {
        case .word(let index, let choice):
            let isFirst = index == 0 && choice == 0
            return .output(
                isFirst: isFirst,
                completion: 1 + (isFirst ? self.answer.usage.details.hiddenCompletion : 0),
                reasoning: isFirst ? self.answer.usage.details.reasoning : 0
            )
        case .finish(choice: 0) where self.answer.tokens == 0:
            let details = self.answer.usage.details
            return .output(isFirst: false, completion: details.hiddenCompletion, reasoning: details.reasoning)
        case .finish: return StreamEvent(pace: .following)
        case .promptFilter, .echo, .usage, .failure: return .silent
        case .done: return .done
        case .ended: return nil
        }
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        switch self.stage {
        case .promptFilter:
            buffer.writeStaticString("data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",")
            buffer.writeStaticString("\"prompt_filter_results\":")
            buffer.writeStaticString(Fragments.promptFilterResults)
            self.writeEventEnd(into: &buffer)
            self.stage = Self.first(self.answer)
        case .echo(let choice):
            self.writeChoice(choice, into: &buffer) { self.answer.writePrompt(of: choice, into: &$0) }
            let isLast = choice + 1 == self.answer.choices
            self.stage = isLast ? Self.afterEcho(self.answer) : .echo(choice: choice + 1)
        case .word(let index, let choice):
            self.writeChoice(choice, into: &buffer) { self.answer.writeWord(index, into: &$0) }
            self.stage = self.after(word: index, choice)
        case .finish(let choice):
            self.writeChoice(choice, finish: self.answer.finishReason, into: &buffer) { _ in }
            let last: Stage = self.answer.includeUsage && self.answer.withUsage ? .usage : .done
            self.stage = choice + 1 < self.answer.choices ? .finish(choice: choice + 1) : last
        case .usage:
            buffer.writeStaticString("data: {\"choices\":[]")
            self.answer.writeIdentity(into: &buffer)
            buffer.writeStaticString(",\"usage\":")
            self.answer.usage.writeChat(details: false, into: &buffer)
            buffer.writeStaticString("}\n\n")
            self.stage = .done
        case .done:
            buffer.writeStaticString("data: [DONE]\n\n")
            self.stage = .ended
        case .failure:
            buffer.writeStaticString(AzureError.noCapacityInChat)
            self.stage = .ended
        case .ended:
            preconditionFailure("a stream has no event after [DONE]")
        }
    }

    private func after(word index: Int, _ choice: Int) -> Stage {
        if choice + 1 < self.answer.choices { return .word(index, choice: choice + 1) }
        if index + 1 < self.answer.tokens { return .word(index + 1, choice: 0) }
        return .finish(choice: 0)
    }

    private func writeChoice(
        _ choice: Int,
        finish: StaticString? = nil,
        into buffer: inout ByteBuffer,
        text: (inout ByteBuffer) -> Void
    ) {
        buffer.writeStaticString("data: {\"choices\":[")
        self.answer.writeChoice(choice, finish: finish, into: &buffer, text: text)
        buffer.writeStaticString("]")
        self.answer.writeIdentity(into: &buffer)
        self.writeEventEnd(into: &buffer)
    }

    private func writeEventEnd(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(self.answer.includeUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }
}
