internal import Coordination
internal import NIOCore
internal import Transport

/// An answer that is held back, because another deployment may do better.
struct HeldAnswer {
    let head: ResponseHead
    let headers: ResponseHeaders
    var bytes = ByteBuffer()
    /// Milliseconds to tell the client in place of what Azure said.
    var retryAfter: Int64?

    /// Bytes of a body that are held at most. Azure's error bodies have a few hundred, and a stream says within a few events
    /// whether it is one.
    static let mostBytes = 64 * 1024
    /// How long they are held at most.
    static let mostTime = TimeAmount.seconds(1)
}

/// Why an attempt is not the answer.
struct AttemptFailure {
    /// What the other replicas are told.
    let failure: Failure
    /// What the client gets if there is no other deployment, and no answer of Azure's to pass on.
    let error: GatewayError
}

extension Exchange {
    // MARK: judge

    /// What to do about an attempt that is over before the client has seen anything.
    func remedy(_ error: TransferError?) -> (ExchangeStateMachine.Remedy, AttemptFailure?) {
        let verdict: Verdict
        if error == nil, let held, wasRefusedForInjection(held) {
            self.held = nil
            return (.resend, nil)
        }
        if error == nil, let held, machine.isJudging, mayRenew(held) { return (.renew, nil) }
        if let error {
            verdict = Verdict.of(error, jitter: worker.jitter)
        } else if let held, machine.isJudging {
            verdict = judge(held)
        } else {
            return (.none, nil)
        }
        guard let failure = attemptFailure(verdict, error.map { GatewayError($0) }) else { return (.none, nil) }
        // Nothing to report, and nowhere to go.
        if failure.failure == .passing, !mayReroute { return (.none, nil) }
        return (.reroute, failure)
    }

    /// The deployment does not know what the gateway has put into the request: it is sent again without.
    private func wasRefusedForInjection(_ held: HeldAnswer) -> Bool {
        guard edits?.asksForUsage == true, let id = passage?.candidate?.id else { return false }
        return held.bytes.withUnsafeReadableBytes { body in
            worker.injections.answered(status: held.head.status, body: body, by: id)
        }
    }

    private func judge(_ held: HeldAnswer) -> Verdict {
        let showsOwn = if case .clients = shown { false } else { true }
        return judge(held, showsOwn)
    }

    private func judge(_ held: HeldAnswer, _ showsOwn: Bool) -> Verdict {
        held.bytes.withUnsafeReadableBytes {
            Verdict.of(
                held.head,
                body: $0,
                ownCredentials: showsOwn,
                jitter: worker.jitter,
                now: LocalCoordinator.wallClock() / 1000
            )
        }
    }

    /// What an answer says against its deployment; `nil` where it is the client's.
    func verdict(on held: HeldAnswer) -> AttemptFailure? { attemptFailure(judge(held), nil) }

    /// What the verdict means here: `nil` where the answer is the client's.
    private func attemptFailure(_ verdict: Verdict, _ error: GatewayError?) -> AttemptFailure? {
        guard verdict.triesNext, let passage, let candidate = passage.candidate else { return nil }
        let error = error ?? .upstreamFailed
        if let outcome = DeploymentTally.Outcome(verdict.finding) { count(outcome) }
        switch verdict.finding {
        case .failed(let failure) where passage.choices > 1 || !failure.isOfTransport:
            let judged = passage.isProvisioned ? failure.withoutFeedback : failure
            return AttemptFailure(failure: judged.probedEverySecond, error: error)
        case .failed(let failure), .suspect(let failure):
            // Where there is one deployment, its refusing a connection says more than a cooldown would.
            if failure.kind == .connection, passage.choices == 1 { return nil }
            let isDown = worker.streaks.failed(candidate.id) || passage.reserved?.isProbe == true
            return AttemptFailure(failure: isDown ? failure.probedEverySecond : .passing, error: error)
        case .misconfigured:
            worker.metrics.misconfigured += 1
            // With nowhere else to go, the client is better served by the reason than by a cooldown.
            guard passage.left.count > 1 else { return nil }
            let failure = Failure(kind: .serverError, cooldown: Self.misconfiguredCooldown)
            return AttemptFailure(failure: failure, error: error)
        case .healthy:
            return AttemptFailure(failure: .passing, error: error)
        }
    }

    /// Milliseconds: often enough to notice that an operator has mended it.
    private static let misconfiguredCooldown: Int64 = 30_000

    // MARK: hold

    func hold(_ bytes: UnsafeRawBufferPointer) {
        guard machine.isHoldingStream else {
            held?.bytes.writeBytes(bytes)
            if held?.bytes.readableBytes ?? 0 > HeldAnswer.mostBytes { release() }
            return
        }
        usage?.pass(bytes) { held?.bytes.writeBytes($0) }
        guard let hasContent = usage?.reader.hasContent else { return }
        let error = usage?.reader.error
        if let error, !hasContent, let failure = failure(of: error) {
            held = nil
            guard machine.failed() == .reroute(cancelling: true) else { return }
            rerouteWhenCancelled = failure
            attempt?.cancel()
        } else if hasContent || error != nil || held?.bytes.readableBytes ?? 0 > HeldAnswer.mostBytes {
            release()
        }
    }

    /// What an error at the beginning of a stream means; `nil` where it is the client's.
    private func failure(of error: AnswerError) -> AttemptFailure? {
        guard let held else { return nil }
        var verdict = Verdict.of(
            error,
            head: held.head,
            jitter: worker.jitter,
            now: LocalCoordinator.wallClock() / 1000
        )
        // Without another deployment it is as good as the client's own.
        if !mayReroute, case .suspect = verdict.finding { verdict = .healthy }
        let status = error.kind == .rateLimit ? 429 : 502
        return attemptFailure(
            verdict,
            GatewayError(
                status,
                error.kind == .rateLimit ? "429" : "upstream_failed",
                "Azure OpenAI refused the stream.",
                source: .upstream
            )
        )
    }

    /// Nothing more is to be learned from what is held.
    func release() { perform(machine.held()) }

    /// Passes on what is held, as the beginning of the answer.
    func relayHeld() {
        guard let held else { return }
        self.held = nil
        let isStream = held.headers.isEventStream && held.head.status < 300
        if isStream, let candidate = passage?.candidate { worker.streaks.succeeded(candidate.id) }
        beginRelay(held.head, held.headers, retryAfter: held.retryAfter)
        // The bytes of a stream have been read for usage when they came.
        held.bytes.withUnsafeReadableBytes { if $0.count > 0 { isStream ? relayed($0) : relay($0) } }
    }
}

extension Failure {
    /// The deployment has said nothing.
    fileprivate var isOfTransport: Bool { kind == .connection || kind == .timeout }

    /// Where a deployment that is down has not said how long: one request of the fleet tries it each second, so that everyone
    /// is back within two of its recovery. Not after a time limit, whose every try costs somebody all of it: those waits double.
    var probedEverySecond: Failure {
        guard cooldown == nil, kind != .quota, kind != .timeout else { return self }
        return Failure(kind: kind, cooldown: 1000 + jitter, jitter: jitter, feedback: feedback)
    }

    /// A provisioned deployment has no limits of the kinds that the fields tell of.
    fileprivate var withoutFeedback: Failure { Failure(kind: kind, cooldown: cooldown, jitter: jitter) }

    /// Says nothing about the deployment: the exchange only goes elsewhere.
    static let passing = Failure(kind: .quota, cooldown: 0)
}

extension GatewayError {
    fileprivate static let upstreamFailed = GatewayError(
        502,
        "upstream_failed",
        "Azure OpenAI could not be reached or gave no valid answer.",
        source: .upstream
    )
}
