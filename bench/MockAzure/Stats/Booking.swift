import NIOCore

/// What the books of a loop hear about one request, from its head to its end.
///
/// The calls about the mock itself leave no trace, so that a test can read the books without changing them.
struct Booking {
    private let isCounted: Bool
    private var deployment = ""
    private var isStream = false
    /// What the answer costs, until its first bytes are written: an answer that nobody got costs nothing.
    private var unbooked: Usage?
    /// To be settled at the end by what was spent.
    private var lease: TokenLease?
    private var spent = 0

    /// A request whose head came.
    static func opened(_ kind: Route.Kind, _ loop: LoopState) -> Booking {
        if kind.isControl { return Booking(isCounted: false) }
        loop.books.requestsOpen += 1
        return Booking(isCounted: true)
    }

    /// Something came that is no request.
    static func openedMalformed(_ loop: LoopState) -> Booking {
        loop.books.requestsOpen += 1
        return Booking(isCounted: true)
    }

    private init(isCounted: Bool) {
        self.isCounted = isCounted
    }

    /// The answer is decided; nothing of it is sent.
    mutating func decided(_ answer: Answer, kind: String, _ loop: LoopState) {
        guard self.isCounted else { return }
        self.deployment = answer.deployment ?? ""
        self.unbooked = answer.usage
        self.isStream = answer.isStream
        loop.books.requests[.init(kind: kind, deployment: self.deployment, status: answer.status), default: 0] += 1
        self.lease = answer.lease
        if let kind = answer.refusal {
            loop.books.refused[.init(deployment: self.deployment, kind: kind), default: 0] += 1
        }
        if let from = answer.limits?.spilledFrom {
            loop.books.spills[.init(from: from, to: self.deployment), default: 0] += 1
        }
        if self.isStream {
            loop.books.streams += 1
            loop.books.streamsOpen += 1
        }
    }

    mutating func wrote(bytes: Int, _ loop: LoopState) {
        guard self.isCounted else { return }
        loop.books.bytesSent += bytes
        guard let usage = self.unbooked.take() else { return }
        self.spent += usage.totalTokens
        loop.book(usage, deployment: self.deployment)
    }

    /// Events of a stream were begun, with tokens in them.
    mutating func progressed(_ progress: StreamProgress, _ loop: LoopState) {
        guard self.isCounted, progress.events > 0 else { return }
        loop.books.events += progress.events
        self.spent += progress.tokens.completion
        if progress.tokens.completion > 0 { loop.book(progress.tokens, deployment: self.deployment) }
    }

    /// The answer ended, as it should or as its faults wanted, or the client left before.
    func closed(aborted: Bool, _ loop: LoopState) {
        guard self.isCounted else { return }
        loop.books.requestsOpen -= 1
        self.lease?.settle(actual: self.spent, now: loop.clock.now)
        if self.isStream { loop.books.streamsOpen -= 1 }
        if aborted { loop.books.aborted += 1 }
    }
}
