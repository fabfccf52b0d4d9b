import NIOCore

extension MockResource {
    func serveImages(_ request: inout IncomingRequest, loop: LoopState, now: Int) throws(BadRequest) -> Answer {
        let isEdit = request.route.kind == .imageEdit
        let images: ImageRequest
        if isEdit {
            let form = try MultipartForm(request.body, contentType: request.contentType)
            try form.readFaults(into: &request.faults)
            images = try ImageRequest(form: form)
        } else {
            images = try ImageRequest(json: request.body, faults: &request.faults)
        }
        request.demand = TokenDemand(prompt: images.promptTokens)
        guard let deployment = self.deployment(request.route, model: images.model) else {
            return Answer(.unknownDeployment)
        }
        let content = ImageAnswer(
            images,
            model: deployment,
            isEdit: isEdit,
            faults: request.faults,
            id: loop.nextID(),
            created: now
        )
        if request.faults.content.filtered == .prompt {
            var answer = Answer(.filteredImagePrompt, deployment: deployment)
            answer.usage = content.booked?.promptOnly
            return answer
        }
        if images.stream && !content.isDALLE {
            return .eventStream(
                .events(ImageStream(content)),
                deployment: deployment,
                usage: content.usage.promptOnly
            )
        }
        var body = ByteBuffer()
        content.writeBody(into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        answer.usage = content.booked
        return answer
    }
}
