internal import NIOCore
internal import Transport

/// The hooks of one exchange: what they are told, in order, and what they decide. Confined to the exchange's event loop; only
/// `HookRun` runs elsewhere.
///
/// One run at a time; what happens meanwhile waits for the next one. So one exchange's hooks never run beside each other.
final class HookLine {
    private let set: HookSet
    private let eventLoop: any EventLoop
    /// `nil` once it has ended.
    private var exchange: Exchange?
    private let id: String
    /// Empty while they run.
    private var hooks: [any ExchangeHook]
    private(set) var fields = HookFields()
    private var waiting: [HookMoment] = []
    private var waitingBytes = 0
    private var runningBytes = 0
    private var running: (task: Task<Void, Never>, moments: [HookMoment])?
    /// Nobody waits for what runs.
    private var isGivenUp = false
    private let progress = HookRun.Progress()
    /// What the exchange does when the hooks let it go on.
    private var whenPassed: (() -> Void)?
    /// A call has failed: nothing but `settled` is told any more.
    private var hasFailed = false
    private var splitter = EventSplitter()
    /// Keeps this alive until it is cancelled, or rings.
    private var alarm: Scheduled<Void>?

    /// How long hooks may take for what they are told at a time: one request, or up to `mostAtOnce` moments of an answer.
    static let patience = TimeAmount.seconds(5)
    static let mostAtOnce = 32
    /// Bytes of events that may wait for the hooks; above it Azure is read no further.
    static let mostWaiting = 256 * 1024

    init(_ set: HookSet, of exchange: Exchange) {
        self.set = set
        self.exchange = exchange
        eventLoop = exchange.worker.eventLoop
        id = exchange.record.id.description
        hooks = set.hooks
    }

    /// Events wait, and no more of the answer is to be read.
    var isFull: Bool { waitingBytes + runningBytes >= Self.mostWaiting }

    // MARK: what happens to the exchange

    /// Tells the hooks, who may refuse.
    ///
    /// - Parameter then: not called if they do, or fail, or if the exchange ends meanwhile.
    func ask(_ moment: HookMoment, then: @escaping () -> Void) {
        whenPassed = then
        tell(moment)
    }

    func tell(_ moment: HookMoment) {
        guard !hasFailed else { return }
        add(moment)
        run()
    }

    /// Bytes of a stream, as the client gets them.
    func relayed(_ bytes: UnsafeRawBufferPointer) {
        guard set.readsEvents, !hasFailed else { return }
        splitter.split(bytes) { add(.event($0)) }
        run()
    }

    /// The exchange is over. What its hooks have not heard yet they hear, and then this.
    func ended(frame: [UInt8]) {
        exchange = nil
        set.behind.add()
        // Nobody wants to know any more.
        if whenPassed != nil { giveUp() }
        whenPassed = nil
        add(.settled(frame: frame))
        // The last byte of the answer leaves in this turn.
        eventLoop.assumeIsolated().execute { self.run() }
    }

    private func add(_ moment: HookMoment) {
        waiting.append(moment)
        waitingBytes += moment.bytes
    }

    // MARK: running

    private func run() {
        guard running == nil, !waiting.isEmpty else { return }
        let moments = Array(waiting.prefix(Self.mostAtOnce))
        waiting.removeFirst(moments.count)
        runningBytes = moments.reduce(0) { $0 + $1.bytes }
        waitingBytes -= runningBytes
        let run = HookRun(hooks: hooks, fields: fields, moments: moments, progress: progress)
        hooks = []  // so that what they change is not copied
        let (set, eventLoop) = (set, eventLoop)
        let line = NIOLoopBound(self, eventLoop: eventLoop)
        let task = Task(executorPreference: set.threads) {
            var run = run
            let outcome = await run.perform()
            let hooks = run.hooks
            guard !set.isStopped else { return }
            eventLoop.execute { line.value.ran(hooks, outcome) }
        }
        running = (task, moments)
        isGivenUp = false
        alarm = eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { self.takesTooLong() }
    }

    private func ran(_ hooks: [any ExchangeHook], _ outcome: HookRun.Outcome) {
        guard let moments = running?.moments else { return }
        let wasFull = isFull
        alarm?.cancel()
        running = nil
        runningBytes = 0
        self.hooks = hooks
        switch outcome {
        case .passed(let fields):
            if hasFailed { break }
            self.fields = fields
            let then = whenPassed
            whenPassed = nil
            then?()
        case .refused(let error):
            stop(error)
        case .failed(let failure):
            if !isGivenUp { set.note(failure, of: id) }
            stop(.hookFailed(set.hooks[failure.hook].name))
        }
        if moments.last?.isSettled == true { return set.behind.remove() }
        run()
        if wasFull, !isFull { exchange?.attempt?.resumeReceiving() }
    }

    private func giveUp() {
        running?.task.cancel()
        isGivenUp = true
    }

    /// The exchange ends with this, if it has not ended.
    private func stop(_ error: GatewayError) {
        guard !hasFailed else { return }
        hasFailed = true
        whenPassed = nil
        waiting.removeAll { !$0.isSettled }
        waitingBytes = waiting.reduce(0) { $0 + $1.bytes }
        exchange?.hooksStopped(error)
    }

    /// A call takes too long. It is told to stop (`Task.isCancelled`); the exchange does not wait until it does.
    private func takesTooLong() {
        guard let running else { return }
        let (moment, hook) = progress.current
        let name = running.moments[min(moment, running.moments.count - 1)].name
        set.note(HookFailure(kind: .timedOut, hook: hook, moment: name, cause: "no answer in time"), of: id)
        giveUp()
        stop(.hookTimedOut(set.hooks[hook].name))
    }
}
