import NIOCore

extension MockResource {
    func serveCompletions(
        _ request: inout IncomingRequest,
        loop: LoopState,
        now: Int
    ) throws(BadRequest) -> Answer {
        let completion = try CompletionRequest(request.body, faults: &request.faults)
        request.demand = TokenDemand(
            prompt: completion.promptTokens,
            maximum: completion.maximumTokens,
            bestOf: completion.prompts.count * completion.candidates
        )
        guard let deployment = self.deployment(request.route, model: completion.model) else {
            return Answer(.unknownDeployment)
        }
        let content = CompletionAnswer(
            completion,
            body: request.body,
            model: deployment,
            faults: request.faults,
            id: loop.nextID(),
            created: now
        )
        if request.faults.content.filtered == .prompt {
            return .filteredPrompt(.filteredPrompt, deployment: deployment, usage: content.usage)
        }
        if completion.stream {
            let usage = request.faults.content.streamError ? nil : content.usage.promptOnly
            return .eventStream(.events(CompletionStream(content)), deployment: deployment, usage: usage)
        }
        var body = ByteBuffer()
        content.writeBody(into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = content.usage
        return answer
    }
}
