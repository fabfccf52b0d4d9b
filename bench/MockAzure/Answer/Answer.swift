import NIOCore

/// What a request gets, before it is put on the wire.
struct Answer {
    enum Body {
        case whole(ByteBuffer)
        case stream(ChatStream)
    }

    var status = 200
    var contentType: StaticString = "application/json"
    var body: Body
    /// The deployment that served it, for `x-ms-deployment-name` and the books.
    var deployment: String?
    /// Tokens a unary answer cost; a stream adds its completion tokens as they are sent.
    var usage: Usage?
    /// The methods a 405 names.
    var allow: [String] = []

    init(_ body: Body, deployment: String? = nil) {
        self.body = body
        self.deployment = deployment
    }

    init(_ error: AzureError, deployment: String? = nil) {
        self.status = error.status
        self.contentType = error.contentType
        self.body = .whole(ByteBuffer(string: error.body))
        self.deployment = deployment
    }

    var isStream: Bool {
        switch self.body {
        case .stream: true
        case .whole: false
        }
    }
}
