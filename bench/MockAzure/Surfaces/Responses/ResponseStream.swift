import NIOCore

/// The typed events of a streamed response (azure.md 5.7). The usage is in the last one alone, and no `[DONE]` follows.
///
/// A response that fails for want of capacity says so within its 200 (azure.md 5.6): it is created, it failed without a
/// reason, and then an event that belongs to no response tells why.
struct ResponseStream: EventSource {
    private enum Stage {
        case created
        case inProgress
        case reasoningAdded
        case reasoningDone
        case itemAdded
        case partAdded
        case delta(Int)
        case textDone
        case partDone
        case itemDone
        case terminal
        case failed
        case error
        case ended
    }

    private let content: ResponseContent
    private var stage = Stage.created
    private var sequence = 0

    init(_ content: ResponseContent) {
        self.content = content
    }

    var next: StreamEvent? {
        let details = self.content.usage.details
        switch self.stage {
        case .reasoningDone:
            return .output(isFirst: true, completion: details.hiddenCompletion, reasoning: details.reasoning)
        case .delta(let index):
            // What is neither shown nor thought comes with the first word, unless it came with the thoughts.
            let isFirst = index == 0 && !self.content.hasReasoning
            return .output(isFirst: isFirst, completion: 1 + (isFirst ? details.hiddenCompletion : 0))
        case .textDone where self.content.tokens == 0 && !self.content.hasReasoning:
            return .output(isFirst: true, completion: details.hiddenCompletion)
        case .created, .inProgress, .reasoningAdded, .itemAdded, .partAdded, .textDone, .partDone, .itemDone,
            .terminal, .failed, .error:
            return .silent
        case .ended: return nil
        }
    }

    mutating func writeNext(into buffer: inout ByteBuffer) {
        self.write(into: &buffer)
        self.sequence += 1
        self.stage = self.following
    }

    private var following: Stage {
        let isMessage = self.content.toolName == nil
        switch self.stage {
        case .created: return self.content.finalStatus == .failed ? .failed : .inProgress
        case .inProgress: return self.content.hasReasoning ? .reasoningAdded : .itemAdded
        case .reasoningAdded: return .reasoningDone
        case .reasoningDone: return .itemAdded
        case .itemAdded where isMessage: return .partAdded
        case .itemAdded, .partAdded: return self.content.tokens == 0 ? .textDone : .delta(0)
        case .delta(let index): return index + 1 < self.content.tokens ? .delta(index + 1) : .textDone
        case .textDone: return isMessage ? .partDone : .itemDone
        case .partDone: return .itemDone
        case .itemDone: return .terminal
        case .failed: return .error
        case .terminal, .error: return .ended
        case .ended: preconditionFailure("a stream has no event after its last")
        }
    }

    // MARK: Events

    private func write(into buffer: inout ByteBuffer) {
        let isMessage = self.content.toolName == nil
        switch self.stage {
        case .created: self.writeObject("response.created", .inProgress, into: &buffer)
        case .inProgress: self.writeObject("response.in_progress", .inProgress, into: &buffer)
        case .reasoningAdded: self.writeReasoning("response.output_item.added", into: &buffer)
        case .reasoningDone: self.writeReasoning("response.output_item.done", into: &buffer)
        case .itemAdded: self.writeItem("response.output_item.added", isDone: false, into: &buffer)
        case .partAdded: self.writePart("response.content_part.added", isDone: false, into: &buffer)
        case .delta(let index):
            self.begin(
                isMessage ? "response.output_text.delta" : "response.function_call_arguments.delta",
                into: &buffer
            )
            self.writePlace(into: &buffer)
            buffer.writeStaticString(",\"delta\":\"")
            self.content.writePiece(index, into: &buffer)
            buffer.writeStaticString(isMessage ? "\",\"logprobs\":[]}\n\n" : "\"}\n\n")
        case .textDone:
            self.begin(
                isMessage ? "response.output_text.done" : "response.function_call_arguments.done",
                into: &buffer
            )
            self.writePlace(into: &buffer)
            buffer.writeStaticString(isMessage ? ",\"text\":\"" : ",\"arguments\":\"")
            self.content.writeText(into: &buffer)
            buffer.writeStaticString(isMessage ? "\",\"logprobs\":[]}\n\n" : "\"}\n\n")
        case .partDone: self.writePart("response.content_part.done", isDone: true, into: &buffer)
        case .itemDone: self.writeItem("response.output_item.done", isDone: true, into: &buffer)
        case .terminal:
            let isComplete = self.content.finalStatus == .completed
            self.writeObject(
                isComplete ? "response.completed" : "response.incomplete",
                self.content.finalStatus,
                into: &buffer
            )
        case .failed: self.writeObject("response.failed", .failed, into: &buffer)
        case .error: self.writeCapacityError(into: &buffer)
        case .ended: preconditionFailure("a stream has no event after its last")
        }
    }

    private func begin(_ type: StaticString, into buffer: inout ByteBuffer) {
        buffer.writeString("event: \(type)\ndata: {\"type\":\"\(type)\",\"sequence_number\":\(self.sequence)")
    }

    private func writeObject(_ type: StaticString, _ status: ResponseContent.Status, into buffer: inout ByteBuffer) {
        self.begin(type, into: &buffer)
        buffer.writeStaticString(",\"response\":")
        self.content.writeObject(status, into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    private func writeReasoning(_ type: StaticString, into buffer: inout ByteBuffer) {
        self.begin(type, into: &buffer)
        buffer.writeStaticString(",\"output_index\":0,\"item\":")
        self.content.writeReasoning(into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    private func writeItem(_ type: StaticString, isDone: Bool, into buffer: inout ByteBuffer) {
        self.begin(type, into: &buffer)
        buffer.writeString(",\"output_index\":\(self.outputIndex),\"item\":")
        self.content.writeItem(isDone: isDone, into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    private func writePart(_ type: StaticString, isDone: Bool, into buffer: inout ByteBuffer) {
        self.begin(type, into: &buffer)
        self.writePlace(into: &buffer)
        buffer.writeStaticString(",\"part\":")
        self.content.writePart(isDone: isDone, into: &buffer)
        buffer.writeStaticString("}\n\n")
    }

    /// Where in the output an event belongs.
    private func writePlace(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"item_id\":\"")
        self.content.writeItemID(into: &buffer)
        buffer.writeString("\",\"output_index\":\(self.outputIndex)")
        if self.content.toolName == nil { buffer.writeStaticString(",\"content_index\":0") }
    }

    private var outputIndex: Int { self.content.hasReasoning ? 1 : 0 }

    // MARK: Trouble

    private func writeCapacityError(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"too_many_requests\",")
        buffer.writeStaticString("\"code\":\"rate_limit_exceeded\",")
        buffer.writeStaticString("\"message\":\"Your requests to the deployment have exceeded rate limit.\",")
        buffer.writeString("\"param\":null},\"sequence_number\":\(self.sequence)}\n\n")
    }

    func writeError(into buffer: inout ByteBuffer) {
        self.begin("error", into: &buffer)
        buffer.writeStaticString(",\"code\":\"server_error\",\"message\":")
        buffer.writeStaticString("\"The server had an error while processing your request. Sorry about that!\",")
        buffer.writeStaticString("\"param\":null}\n\n")
    }

    mutating func writeKeepalive(into buffer: inout ByteBuffer) {
        self.begin("keepalive", into: &buffer)
        buffer.writeStaticString("}\n\n")
        self.sequence += 1
    }
}
