import NIOCore

extension MockResource {
    func serveTranscription(_ request: inout IncomingRequest) throws(BadRequest) -> Answer {
        let form = try MultipartForm(request.body, contentType: request.contentType)
        try form.readFaults(into: &request.faults)
        guard let deployment = self.deployment(request.route, model: form.fields["model"]) else {
            return Answer(.unknownDeployment)
        }
        let content = try TranscriptionAnswer(form, route: request.route, model: deployment, faults: request.faults)
        request.demand = TokenDemand(prompt: content.usage?.promptTokens ?? 0)
        if form.fields["stream"] == "true", let usage = content.usage {
            return .eventStream(
                .events(TranscriptionStream(content)),
                deployment: deployment,
                usage: usage.promptOnly
            )
        }
        var body = ByteBuffer()
        content.writeBody(into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.contentType = content.contentType
        answer.usage = content.usage
        return answer
    }

    func serveSpeech(_ request: inout IncomingRequest) throws(BadRequest) -> Answer {
        let speech = try SpeechRequest(request.body, faults: &request.faults)
        request.demand = TokenDemand(prompt: (speech.inputBytes + 3) / 4)
        guard let deployment = self.deployment(request.route, model: speech.model) else {
            return Answer(.unknownDeployment)
        }
        let stream = SpeechStream(speech, faults: request.faults)
        if request.faults.content.filtered == .prompt { return Answer(.filteredPrompt, deployment: deployment) }
        var answer = Answer.eventStream(.events(stream), deployment: deployment, usage: stream.promptUsage)
        if !speech.asEvents { answer.contentType = speech.format.contentType }
        return answer
    }
}
