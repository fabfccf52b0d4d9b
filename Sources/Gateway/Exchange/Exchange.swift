internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// One request and its answer, from accept to record. This page is the whole way; the stages' details are next door.
///
///     accept -> authenticate -> admit -> forward -> settle -> record
///
/// `ExchangeStateMachine` decides, this class acts. It lives on one event loop and belongs to one `DownstreamConnection`.
final class Exchange {
    let worker: Worker
    /// The configuration that it began with, and that it ends with; a newer one only where its caller was judged by that.
    var edition: Edition
    /// Held until the exchange has ended and its attempt has let go of it.
    let connection: DownstreamConnection
    /// Hooks may replace fields of it.
    var head: HTTPRequestHead
    let fields: RequestFields
    let target: RequestTarget
    let operation: APIOperation
    /// Of a thing that lives on one resource; `nil` for every other path.
    let resourcePath: ResourcePath?

    var machine = ExchangeStateMachine()
    var record: ExchangeRecord
    var client: ClientDirectory.Client?
    /// While a token waits for its key.
    var unidentified: Unidentified?
    /// What has come of the body while it is not its turn.
    var postponed: PostponedBody?
    /// `nil` in a build without hooks, and before they are told.
    var hooks: HookLine?
    /// Azure gets the client's own credential, as it came, whatever the endpoint has.
    var passesCredential = false
    /// What the last attempt showed.
    var shown = ShownCredential.gateways
    var hasRenewed = false
    var tokenWait: TokenWait?

    /// The collected request body.
    var body: BodyStorage?
    /// What in it depends on the deployment.
    var edits: BodyEdits?
    /// What it says about its cost; `nil` where it is not read.
    var facts: RequestFacts?
    var estimate: TokenEstimate?
    /// Reads what the answer cost.
    var usage: UsageChunkFilter?
    var scanner: MultipartModelScanner?
    var upload = Upload()
    var passage: Passage?
    /// The client's limits as they are left, for the answer's head.
    var rateLimits: RateLimitFields?
    /// `nil`: not traced.
    var trace: ExchangeTrace?
    /// When the coordinator was asked, if its answer was not at hand.
    var askedForAdmission: NIODeadline?
    var attempt: Transfer?
    var arena: HeaderArena?
    /// What has come of an answer that may not be the client's.
    var held: HeldAnswer?
    var answer: AnswerInProgress?
    /// What is to be reported once the attempt that was given up has let go.
    var rerouteWhenCancelled: AttemptFailure?
    /// The client holds its body back until it is asked for it.
    var awaitsContinue: Bool
    /// What the answer's head said about the deployment's limits.
    var deploymentFields = DeploymentFields()
    /// Where the answer makes or tells of what lives on one resource.
    var resources: ResourceCapture?
    /// What the attempt that runs came to is counted already.
    var isCounted = false
    /// Of the last attempt, as answers name it.
    var lastDeployment: String?
    /// Its place in the queue of its model.
    var ticket: UInt64?
    /// When it began to wait; the start where it never did.
    var waitsSince: NIODeadline
    private var hasPlace = false

    init(
        worker: Worker,
        connection: DownstreamConnection,
        head: HTTPRequestHead,
        parsed: consuming ParsedHead,
        now: NIODeadline
    ) {
        self.worker = worker
        edition = worker.edition
        self.connection = connection
        self.head = head
        fields = parsed.fields
        target = parsed.target
        operation = APIOperation(path: target.path)
        resourcePath = operation == .other || operation == .responses ? ResourcePath(target.path) : nil
        awaitsContinue = fields.expectsContinue
        record = ExchangeRecord(id: worker.nextID(), start: now, end: now)
        waitsSince = now
        record.method = head.method.rawValue
        record.path = target.path
        record.query = target.query
        record.operation = operation
    }

    var snapshot: Snapshot { edition.snapshot }

    deinit {
        if isKnownUniquelyReferenced(&body), let body { worker.giveBack(body) }
    }

    // MARK: accept

    func start() {
        beginTrace()
        if let frontDoor = snapshot.frontDoor {
            // Probes were answered before there was an exchange.
            switch frontDoor.judge(head.headers, isHealthPath: false) {
            case .passed(let origin):
                record.address = origin.address
                record.frontDoorReference = origin.reference
            case .probe:
                break
            case .refused(let error):
                record.address = connection.peer
                return perform(machine.refused(error))
            }
        } else {
            record.address = connection.peer
        }
        guard worker.gate.enter() else { return perform(machine.refused(.overloaded)) }
        hasPlace = true
        worker.metrics.inFlight += 1
        if let hooks = worker.hooks { introduce(to: hooks) } else { authenticate() }
    }

    // MARK: authenticate (Exchange+Authenticate.swift), then the request body (Exchange+Request.swift)

    func received(_ bytes: ByteBuffer) {
        record.requestBytes += bytes.readableBytes
        receive(bytes)
    }

    func receive(_ bytes: ByteBuffer) {
        guard record.requestBytes <= snapshot.limits.bodyBytes else {
            return perform(machine.refused(.bodyTooLarge(limit: snapshot.limits.bodyBytes)))
        }
        switch machine.bodyReceived() {
        case .postpone: postponed?.parts.append(bytes)
        case .collect: collect(bytes)
        case .upload: passOn(bytes)
        case let action: perform(action)
        }
    }

    func requestEnded() {
        switch machine.requestEnded() {
        case .postpone: postponed?.hasEnded = true
        case .decide: decide()
        case .endUpload: endUpload()
        case let action: perform(action)
        }
    }

    func requestFailed(_ error: GatewayError) { perform(machine.refused(error)) }
    func clientLeft() { perform(machine.clientLeft()) }
    func graceExpired() { perform(machine.graceExpired()) }

    // MARK: endings

    /// Performs what the machine decided. Every ending goes through `settle` and `record`, once.
    func perform(_ action: ExchangeStateMachine.Action) {
        switch action {
        case .none, .authenticate, .postpone, .takeBody, .collect, .decide, .forward, .renewToken, .giveBack, .upload,
            .endUpload,
            .hold,
            .reroute, .relayHead, .relay:
            return
        case .relayHeld:
            relayHeld()
            connection.flush()
        case .complete:
            usage?.finish { relayed($0) }
            finish(status: answer?.status ?? 0, error: nil, cancelling: false)
            connection.answerEnded(reusable: true)
        case .completeHeld:
            relayHeld()
            perform(.complete)
        case .answer(let error, let cancelling):
            if awaitsContinue { connection.refuseRest() }
            finish(status: error.status, error: error, cancelling: cancelling)
            connection.answer(
                error,
                id: record.id,
                rateLimits: rateLimits,
                origin: origin,
                added: hooks?.fields.answer ?? []
            )
        case .endStream(let error, let cancelling):
            finish(status: answer?.status ?? 0, error: error, cancelling: cancelling)
            connection.endStream(with: error, at: answer?.position ?? EventStreamPosition())
        case .cut(let error, let cancelling):
            finish(status: answer?.status ?? 0, error: error, cancelling: cancelling)
            connection.cut()
        case .abandon(let cancelling):
            finish(status: GatewayError.clientLeft.status, error: .clientLeft, cancelling: cancelling)
        }
    }

    private func finish(status: Int, error: GatewayError?, cancelling: Bool) {
        if cancelling { attempt?.cancel() }
        giveUpIdentifying()
        giveUpToken()
        stopTimer()
        upload.waiting.removeAll()
        connection.releaseReads()
        if hasPlace {
            worker.gate.leave()
            worker.metrics.inFlight -= 1
        }
        leaveQueue()
        settle()
        record.serviceTier = usage?.reader.serviceTier
        record.status = status
        record.error = error
        record.end = .now()
        endTrace()
        worker.record(record)
        if let hooks { settleHooks(hooks) }
        connection.exchangeEnded(self)
    }
}

/// A request's body, as far as it has come before its turn.
struct PostponedBody {
    var parts: [ByteBuffer] = []
    var hasEnded = false
}

/// What the client is being sent.
struct AnswerInProgress {
    var status: Int
    /// Where an event stream stands.
    var position = EventStreamPosition()
    var isStream: Bool
}
