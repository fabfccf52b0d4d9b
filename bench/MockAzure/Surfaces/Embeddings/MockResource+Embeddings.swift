import NIOCore

extension MockResource {
    func serveEmbeddings(_ request: inout IncomingRequest) throws(BadRequest) -> Answer {
        let embedding = try EmbeddingRequest(request.body, faults: &request.faults)
        request.demand = TokenDemand(prompt: embedding.promptTokens)
        guard let deployment = self.deployment(request.route, model: embedding.model) else {
            return Answer(.unknownDeployment)
        }
        let usage = Usage(prompt: embedding.promptTokens, words: 0, faults: request.faults.content).promptOnly
        if request.faults.content.filtered == .prompt {
            return .filteredPrompt(.filteredPrompt, deployment: deployment, usage: usage)
        }
        var body = ByteBufferAllocator().buffer(capacity: 16_384)
        EmbeddingAnswer(request: embedding, model: deployment)
            .writeBody(promptTokens: request.faults.usage ? usage.promptTokens : nil, into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = usage
        return answer
    }
}
