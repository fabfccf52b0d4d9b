/// One sort of request in a mix.
struct RequestKind: Equatable, Sendable {
    /// What is checked in a streamed answer.
    enum Verify: String, CaseIterable, Sendable {
        case none
        /// Ends with `[DONE]`, nothing after it, no error event in it.
        case stream
        /// Besides: mock-azure's words in their order, and as many as the usage says.
        case mock
    }

    enum Content: Equatable, Sendable {
        /// A chat request, made from sizes.
        case chat(Chat)
        /// The same bytes each time; a GET when there are none.
        case fixed(path: String, body: String?)
        /// Bodies from a file, taken in turn.
        case recorded([RecordedRequest])
    }

    struct Chat: Equatable, Sendable {
        var isStreamed = false
        /// About four bytes of text each.
        var promptTokens = Distribution(.fixed(50))
        /// `max_tokens`; nil leaves it to the server.
        var outputTokens: Distribution?
        /// `user` of the body, where mock-azure takes its faults from.
        var user: String?
    }

    var name: String
    var share = 1.0
    var model: String
    /// `{model}` stands for the model.
    var path = Self.chatPath
    var content: Content
    var verify = Verify.stream
    /// This fraction of the streams is given up after so many events.
    var abortFraction = 0.0
    var abortAfter = Distribution(.fixed(1))

    static let chatPath = "/openai/deployments/{model}/chat/completions?api-version=2024-10-21"

    /// The path and query, with the model in its place.
    static func path(_ path: String, model: String) -> String { path.replacing("{model}", with: model) }
}

/// A line of a file of recorded requests: the body as it was, and what is needed to send it again.
struct RecordedRequest: Equatable, Sendable {
    let path: String?
    let model: String
    let body: String
    let isStreamed: Bool
}
