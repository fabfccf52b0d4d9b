import NIOCore

/// The events of a streamed chat completion, one at a time.
///
/// Azure's order (azure.md 5.7): prompt filter results, a role for each choice, the words, a finish reason for each
/// choice, the usage if asked for, `[DONE]`. With the asynchronous filter the words come without a verdict, and events
/// of their own tell it afterwards.
struct ChatStream: EventSource {
    /// What comes next.
    enum Stage: Equatable {
        case promptFilter
        case role(choice: Int)
        /// The words from here on that fit into one event.
        case words(Int, choice: Int)
        /// A verdict on what was sent since the last one; `isLast` when no word follows.
        case annotation(next: Int, choice: Int, isLast: Bool)
        case finish(choice: Int)
        case usage
        case done
        /// The error that stands in the place of everything.
        case failure
        case ended
    }

    let answer: ChatAnswer
    /// The end of every event with a choice: what stands behind the choices.
    let tail: ByteBuffer
    private(set) var stage: Stage
    /// Bytes of one choice's words: sent, and vetted by the asynchronous filter.
    private(set) var sentBytes = 0
    private(set) var vettedBytes = 0

    init(_ answer: ChatAnswer) {
        self.answer = answer
        self.tail = Self.tail(of: answer)
        if answer.faults.streamError {
            self.stage = .failure
        } else {
            self.stage = answer.faults.promptFilter == .off ? .role(choice: 0) : .promptFilter
        }
    }

    var next: StreamEvent? {
        switch self.stage {
        case .words(let index, let choice):
            let isFirst = index == 0 && choice == 0
            let hidden = isFirst ? self.answer.usage.details.hiddenCompletion : 0
            return .output(
                isFirst: isFirst,
                completion: self.range(from: index).count + hidden,
                reasoning: isFirst ? self.answer.usage.details.reasoning : 0
            )
        case .finish(let choice):
            // An answer without a word still has what the model thought.
            guard self.answer.tokens == 0, choice == 0 else { return StreamEvent(pace: .following) }
            let details = self.answer.usage.details
            return .output(isFirst: false, completion: details.hiddenCompletion, reasoning: details.reasoning)
        case .promptFilter, .role, .annotation, .usage, .failure: return .silent
        case .done: return .done
        case .ended: return nil
        }
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        switch self.stage {
        case .promptFilter:
            self.writePromptFilter(into: &buffer)
            self.stage = .role(choice: 0)
        case .role(let choice):
            self.writeRole(choice, into: &buffer)
            let first: Stage = self.answer.tokens == 0 ? .finish(choice: 0) : .words(0, choice: 0)
            self.stage = choice + 1 < self.answer.choices ? .role(choice: choice + 1) : first
        case .words(let index, let choice):
            let range = self.range(from: index)
            let bytes = self.writeWords(range, choice, into: &buffer)
            if choice == 0 { self.sentBytes += bytes }
            self.stage = self.after(range, choice)
        case .annotation(let next, let choice, let isLast):
            self.writeAnnotation(choice, isLast: isLast, into: &buffer)
            self.stage = self.afterAnnotation(next, choice, isLast: isLast)
        case .finish(let choice):
            self.writeFinish(choice, into: &buffer)
            self.stage = self.afterFinish(choice)
        case .usage:
            self.writeUsage(into: &buffer)
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

    // MARK: Order

    /// The words that go into one event, from `index` on.
    private func range(from index: Int) -> Range<Int> {
        guard self.answer.faults.filterMode == .buffered else { return index..<(index + 1) }
        return index..<min(index + self.answer.faults.filterSize, self.answer.tokens)
    }

    /// The choices take turns, event by event.
    private func after(_ range: Range<Int>, _ choice: Int) -> Stage {
        if choice + 1 < self.answer.choices { return .words(range.lowerBound, choice: choice + 1) }
        if self.answer.faults.filterMode == .async, range.upperBound % self.answer.faults.filterSize == 0,
            range.upperBound < self.answer.tokens
        {
            return .annotation(next: range.upperBound, choice: 0, isLast: false)
        }
        if range.upperBound < self.answer.tokens { return .words(range.upperBound, choice: 0) }
        // A stream that the filter ends has no other end.
        return self.annotatesEnd && self.answer.faults.filtered == .completion
            ? .annotation(next: range.upperBound, choice: 0, isLast: true) : .finish(choice: 0)
    }

    private mutating func afterAnnotation(_ next: Int, _ choice: Int, isLast: Bool) -> Stage {
        if choice + 1 < self.answer.choices { return .annotation(next: next, choice: choice + 1, isLast: isLast) }
        self.vettedBytes = self.sentBytes
        return isLast ? self.lastStage : .words(next, choice: 0)
    }

    private func afterFinish(_ choice: Int) -> Stage {
        if choice + 1 < self.answer.choices { return .finish(choice: choice + 1) }
        return self.annotatesEnd ? .annotation(next: self.answer.tokens, choice: 0, isLast: true) : self.lastStage
    }

    private var annotatesEnd: Bool { self.answer.faults.filterMode == .async && self.answer.tokens > 0 }

    private var lastStage: Stage { self.answer.includeUsage && self.answer.withUsage ? .usage : .done }
}
