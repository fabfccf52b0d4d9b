import NIOCore

extension MockResource {
    func serveChat(_ request: inout IncomingRequest, loop: LoopState, now: Int) throws(BadRequest) -> Answer {
        let chat = try ChatRequest(request.body, faults: &request.faults)
        request.demand = TokenDemand(
            prompt: chat.promptTokens,
            cached: request.faults.content.usage.cached,
            maximum: chat.maximumTokens
        )
        guard let deployment = self.deployment(request.route, model: chat.model) else {
            return Answer(.unknownDeployment)
        }
        let content = ChatAnswer(
            chat,
            model: deployment,
            faults: request.faults,
            id: loop.nextID(),
            created: now
        )
        if request.faults.content.filtered == .prompt {
            return .filteredPrompt(.filteredPrompt, deployment: deployment, usage: content.usage)
        }
        if chat.stream {
            // A stream that fails at once costs nothing.
            let usage = request.faults.content.streamError ? nil : content.usage.promptOnly
            return .eventStream(.chat(ChatStream(content)), deployment: deployment, usage: usage)
        }
        var body = ByteBufferAllocator().buffer(capacity: 2_048)
        content.writeBody(size: request.faults.bytes, into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = content.usage
        return answer
    }
}

extension Answer {
    /// The refusal of the content filter, which bills the prompt.
    static func filteredPrompt(_ error: AzureError, deployment: String, usage: Usage) -> Answer {
        var answer = Answer(error, deployment: deployment)
        answer.usage = usage.promptOnly
        return answer
    }
}
