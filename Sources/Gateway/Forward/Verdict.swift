internal import Coordination
internal import Transport

/// What came of an attempt, for this request and for the ones after it. One function for every API family. Pure.
///
/// The client's own mistakes (400, a content filter) are never tried elsewhere: they would fail there too, and be billed twice.
struct Verdict: Equatable {
    /// Another deployment may do better.
    var triesNext: Bool
    /// What is wrong with the deployment.
    var finding: Finding

    enum Finding: Equatable {
        /// Nothing.
        case healthy
        /// Something that a single request can cause: only several in a row say that the deployment is down.
        case suspect(Failure)
        /// It is to be left alone.
        case failed(Failure)
        /// The gateway's credentials or names are wrong there: an operator must look.
        case misconfigured
    }

    static let healthy = Verdict(triesNext: false, finding: .healthy)

    /// Whether an answer's body is to be read before the client sees any of it.
    static func needsBody(status: Int) -> Bool {
        switch status {
        case 400, 401, 403, 404, 408, 429, 500...: true
        default: false
        }
    }

    // MARK: answers

    /// - Parameters:
    ///   - body: as far as it came.
    ///   - ownCredentials: the gateway's; with the client's own, a refusal of them is the client's.
    ///   - jitter: thousandths to add to a wait, 0 ... 100, so that replicas do not come back at once.
    ///   - now: seconds since 1970.
    static func of(
        _ head: ResponseHead,
        body: UnsafeRawBufferPointer,
        ownCredentials: Bool,
        jitter: Int64,
        now: Int64
    ) -> Verdict {
        func wait() -> Int64? {
            RetryAfter.milliseconds(head: head, body: body, now: now).map { jittered($0, jitter) }
        }
        switch head.status {
        case 429:
            let failure = Failure(
                kind: .quota,
                cooldown: wait(),
                jitter: jitter,
                feedback: Feedback(refusal: head, body)
            )
            return Verdict(triesNext: true, finding: .failed(failure))
        case 503, 529:
            let failure = Failure(kind: .overload, cooldown: wait(), jitter: jitter)
            return Verdict(triesNext: true, finding: .failed(failure))
        case 408:
            return Verdict(
                triesNext: true,
                finding: .suspect(Failure(kind: .timeout, cooldown: wait(), jitter: jitter))
            )
        case 500...:
            let failure = Failure(kind: .serverError, cooldown: wait(), jitter: jitter)
            return Verdict(triesNext: true, finding: failure.cooldown == nil ? .suspect(failure) : .failed(failure))
        case 401, 403:
            return ownCredentials ? Verdict(triesNext: true, finding: .misconfigured) : .healthy
        case 404 where contains(body, "DeploymentNotFound"):
            return Verdict(triesNext: true, finding: .misconfigured)
        default:
            return .healthy
        }
    }

    // MARK: transfers that brought no answer

    static func of(_ error: TransferError, jitter: Int64) -> Verdict {
        func failure(_ kind: Failure.Kind) -> Failure { Failure(kind: kind, cooldown: nil, jitter: jitter) }
        return switch error.code {
        case .resolve, .connect, .connectTimeout, .tls, .certificate, .proxy:
            Verdict(triesNext: true, finding: .failed(failure(.connection)))
        case .firstByteTimeout:
            Verdict(triesNext: true, finding: .failed(failure(.timeout)))
        case .send, .receive, .closedEarly, .protocolViolation, .headTooLarge, .idleTimeout:
            Verdict(triesNext: true, finding: .suspect(failure(.serverError)))
        case .poolFull, .poolTimeout:
            Verdict(triesNext: true, finding: .healthy)
        case .totalTimeout, .requestBody, .cancelled, .resources, .misuse:
            .healthy
        }
    }

    // MARK: errors inside a 200

    /// An error that a stream reported before any content.
    static func of(_ error: AnswerError, head: ResponseHead, jitter: Int64, now: Int64) -> Verdict {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        let wait =
            error.retryAfterSeconds.map { Int64($0) * 1000 }
            ?? RetryAfter.milliseconds(head: head, body: nothing, now: now)
        func failure(_ kind: Failure.Kind) -> Failure {
            Failure(kind: kind, cooldown: wait.map { jittered($0, jitter) }, jitter: jitter)
        }
        return switch error.kind {
        case .rateLimit: Verdict(triesNext: true, finding: .failed(failure(.quota)))
        case .capacity: Verdict(triesNext: true, finding: .failed(failure(.overload)))
        case .server where wait != nil: Verdict(triesNext: true, finding: .failed(failure(.serverError)))
        case .server: Verdict(triesNext: true, finding: .suspect(failure(.serverError)))
        case .contentFilter, .streamOptions, .other: .healthy
        }
    }

    /// At most a second more than was asked for.
    private static func jittered(_ wait: Int64, _ thousandths: Int64) -> Int64 {
        wait + min(wait * thousandths / 1000, 1000)
    }

    private static func contains(_ body: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        body.index(of: text) != nil
    }
}

extension UnsafeRawBufferPointer {
    /// The first place of a text, letter by letter.
    fileprivate func index(of text: StaticString) -> Int? {
        let length = text.utf8CodeUnitCount
        guard count >= length else { return nil }
        let wanted = UnsafeRawBufferPointer(start: text.utf8Start, count: length)
        return (0...(count - length)).first {
            self[$0] == wanted[0] && self[$0..<$0 + length].elementsEqual(wanted)
        }
    }
}

extension Feedback {
    /// What an answer's head says is left at the deployment.
    init(_ head: ResponseHead) {
        self.init(
            requests: head.first("x-ratelimit-remaining-requests").flatMap { Int64($0) },
            tokens: head.first("x-ratelimit-remaining-tokens").flatMap { Int64($0) }
        )
    }

    /// The same of a 429, whose message names the limit that is used up even where no field does.
    init(refusal head: ResponseHead, _ body: UnsafeRawBufferPointer) {
        let said = Feedback(head)
        self.init(
            requests: body.index(of: "call rate limit") == nil ? said.requests : 0,
            tokens: body.index(of: "token rate limit") == nil ? said.tokens : 0
        )
    }
}

/// Failures in a row of the deployments, as one event loop sees them.
///
/// A request that makes one deployment answer 500 makes the next one do so as well: a single one must not cool the whole model
/// for everybody.
struct FailureStreaks {
    /// So many in a row say that it is not the requests.
    static let threshold = 3
    /// Deployments with a streak that are remembered.
    private static let most = 1024

    private var streaks: [DeploymentID: Int] = [:]

    mutating func succeeded(_ deployment: DeploymentID) {
        if !streaks.isEmpty { streaks[deployment] = nil }
    }

    /// Returns whether it counts as down now.
    mutating func failed(_ deployment: DeploymentID) -> Bool {
        if streaks.count >= Self.most, streaks[deployment] == nil { streaks.removeAll() }
        let streak = (streaks[deployment] ?? 0) + 1
        streaks[deployment] = streak >= Self.threshold ? nil : streak
        return streak >= Self.threshold
    }
}
