import NIOCore
import NIOHTTP1

extension MockResource {
    /// `Retry-After` of a stream that fails within its 200, in seconds, where no fault says another.
    private static let streamErrorRetryAfter = 5

    func serveResponses(
        _ request: inout IncomingRequest,
        loop: LoopState,
        now: Int
    ) throws(BadRequest) -> Answer {
        let response = try ResponseRequest(request.body, faults: &request.faults)
        guard let deployment = self.deployment(request.route, model: response.model) else {
            return Answer(.unknownDeployment)
        }
        var previousTokens = 0
        if let previousID = response.previousID {
            guard let tokens = self.responses.tokens(previousID) else {
                request.demand = TokenDemand(prompt: response.promptTokens, maximum: response.maximumTokens)
                return Answer(.unknownPreviousResponse(previousID), deployment: deployment)
            }
            previousTokens = tokens
        }
        request.demand = TokenDemand(
            prompt: response.promptTokens + previousTokens,
            cached: request.faults.content.usage.cached,
            maximum: response.maximumTokens
        )
        let content = ResponseContent(
            response,
            model: deployment,
            previousTokens: previousTokens,
            faults: request.faults,
            id: loop.nextID(),
            created: now
        )
        let faults = request.faults.content
        if faults.filtered == .prompt {
            return .filteredPrompt(.filteredPrompt, deployment: deployment, usage: content.usage)
        }
        let kept = Answer.Kept.response(
            content,
            polls: content.background && !response.stream ? faults.backgroundPolls : 0
        )
        if response.stream {
            if faults.streamError && request.faults.retryAfter == nil {
                request.faults.retryAfter = Self.streamErrorRetryAfter
            }
            let usage = faults.streamError ? nil : content.usage.promptOnly
            var answer = Answer.eventStream(
                .events(ResponseStream(content)),
                deployment: deployment,
                usage: usage
            )
            if content.store { answer.kept = kept }
            return answer
        }
        var body = ByteBuffer()
        content.writeObject(content.background ? .queued : content.finalStatus, into: &body)
        var answer = Answer(.whole(body), deployment: deployment)
        // In the background too: Azure bills what it made, whether or not anybody comes for it.
        answer.usage = content.finalStatus == .failed ? nil : content.usage
        if content.store { answer.kept = kept }
        return answer
    }

    /// `GET`, `DELETE` and `cancel` of a response that is there. None of them costs tokens.
    func serveStoredResponse(_ request: IncomingRequest) -> Answer {
        let id = request.route.itemID ?? ""
        var body = ByteBuffer()
        if request.head.method == .DELETE {
            guard self.responses.remove(id) else { return Answer(.unknownResponse(id)) }
            Self.writeDeleted(id, into: &body)
            return Answer(.whole(body))
        }
        let isCancel = request.route.kind == .responseCancel
        guard let stored = isCancel ? self.responses.cancel(id) : self.responses.poll(id) else {
            return Answer(.unknownResponse(id))
        }
        if isCancel && !stored.content.background { return Answer(.notInBackground) }
        stored.content.writeObject(stored.status, into: &body)
        return Answer(.whole(body))
    }

    private static func writeDeleted(_ id: String, into body: inout ByteBuffer) {
        body.writeStaticString("{\"id\":")
        body.writeJSON(id)
        body.writeStaticString(",\"object\":\"response\",\"deleted\":true}")
    }
}

extension AzureError {
    static func unknownResponse(_ id: String) -> AzureError {
        self.aboutItem(404, "Response with id '\(id)' not found.", param: "response_id", code: nil)
    }

    static func unknownPreviousResponse(_ id: String) -> AzureError {
        self.aboutItem(
            400,
            "Previous response with id '\(id)' not found.",
            param: "previous_response_id",
            code: "previous_response_not_found"
        )
    }

    static let notInBackground = AzureError.aboutItem(
        400,
        "Only background responses can be cancelled.",
        param: "response_id",
        code: nil
    )

    /// An error about something the resource keeps, or does not.
    static func aboutItem(_ status: Int, _ message: String, param: StaticString, code: StaticString?) -> AzureError {
        var body = ByteBuffer()
        body.writeStaticString("{\"error\":{\"message\":")
        body.writeJSON(message)
        body.writeString(",\"type\":\"invalid_request_error\",\"param\":\"\(param)\",\"code\":")
        body.writeString(code.map { "\"\($0)\"}}" } ?? "null}}")
        return AzureError(status: status, body: String(buffer: body))
    }
}
