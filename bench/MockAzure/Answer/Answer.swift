import NIOCore

/// What a request gets, before it is put on the wire.
struct Answer {
    enum Body {
        case whole(ByteBuffer)
        /// A stream of chat, the one that has to be fast.
        case chat(ChatStream)
        /// Any other stream.
        case events(any EventSource)
    }

    /// What the resource keeps of a request, once it is sure that this is its answer.
    indirect enum Kept {
        case response(ResponseContent, polls: Int)
        case file(StoredFile)
    }

    var status = 200
    var contentType: StaticString = "application/json"
    var body: Body
    /// The deployment that served it, for `x-ms-deployment-name` and the books.
    var deployment: String?
    /// Tokens a unary answer cost; a stream adds its completion tokens as they are sent.
    var usage: Usage?
    var kept: Kept?
    /// The methods a 405 names.
    var allow: [String] = []
    /// What the deployment's limits say; `nil` for a deployment that has none.
    var limits: LimitHeaders?
    /// Tokens of a provisioned deployment, to be settled at the end.
    var lease: TokenLease?
    /// What a 429 is counted as.
    var refusal: String?
    /// A refusal for a prompt that is too long for the model.
    var isContextTooLong = false

    init(_ body: Body, deployment: String? = nil) {
        self.body = body
        self.deployment = deployment
    }

    /// A stream of server-sent events.
    static func eventStream(_ body: Body, deployment: String, usage: Usage?) -> Answer {
        var answer = Answer(body, deployment: deployment)
        answer.contentType = "text/event-stream; charset=utf-8"
        answer.usage = usage
        return answer
    }

    init(_ error: AzureError, deployment: String? = nil) {
        self.status = error.status
        self.contentType = error.contentType
        self.body = .whole(ByteBuffer(string: error.body))
        self.deployment = deployment
        self.refusal = error.refusal
        self.isContextTooLong = error.code == AzureError.contextTooLongCode
    }

    var isStream: Bool {
        switch self.body {
        case .chat, .events: true
        case .whole: false
        }
    }
}
