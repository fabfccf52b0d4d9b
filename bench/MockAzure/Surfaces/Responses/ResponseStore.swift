/// The responses that the resource keeps (azure.md 5.2: 30 days there, up to a number here).
///
/// What is played is decided at once, so a response is stored as it will have ended before its first byte is sent.
struct ResponseStore: Sendable {
    /// A response is a few hundred bytes: its words are made anew whenever it is written.
    private static let maximumResponses = 10_000

    struct Stored: Sendable {
        let content: ResponseContent
        /// So many times it is still at work when somebody asks for it.
        var pollsLeft: Int
        var isCancelled = false

        var status: ResponseContent.Status {
            self.isCancelled ? .cancelled : self.pollsLeft > 0 ? .inProgress : self.content.finalStatus
        }
    }

    private let store = BoundedStore<Stored>(maximumCount: maximumResponses)

    func insert(_ content: ResponseContent, polls: Int) {
        self.store.insert(Stored(content: content, pollsLeft: polls), id: content.name)
    }

    /// The tokens of the conversation that ends with this response; `nil` where there is none.
    func tokens(_ id: String) -> Int? {
        self.store.value(id).map { $0.content.usage.totalTokens }
    }

    /// The response as a client sees it now; the next time it is one poll further.
    func poll(_ id: String) -> Stored? {
        var seen: Stored?
        _ = self.store.update(id) { stored in
            seen = stored
            stored.pollsLeft = max(0, stored.pollsLeft - 1)
        }
        return seen
    }

    /// Stops a background response that is still at work; one that is done stays as it is.
    func cancel(_ id: String) -> Stored? {
        self.store.update(id) { stored in
            if stored.pollsLeft > 0 { stored.isCancelled = true }
        }
    }

    func remove(_ id: String) -> Bool { self.store.remove(id) != nil }
}
