internal import NIOCore

/// Decides through Redis for the exchanges of one event loop, and without it when it does not answer in time.
///
/// The client answers every call by its deadline, so that a decision never takes longer: then the fallback decides at once.
/// What Redis may have admitted without anyone knowing is cancelled, and what the fallback decided is counted in Redis when it
/// is back.
///
/// Not checked for sending between threads: everything in it is confined to `eventLoop`.
final class RedisCoordinator: Coordinator, @unchecked Sendable {
    /// A lease that Redis holds, until its end is acknowledged.
    struct LiveLease {
        let scopes: [ClientScope]
        /// Where the exchange is now.
        var deployment: Candidate
        let admitted: Int64
        /// Its end is in the queue: a beat must not bring it back.
        var isEnding = false
        /// A beat that would bring it back may still be on its way.
        var isBeingRenewed = false
        /// While Redis was away another deployment was found, and is held in this process.
        var isHere = false
    }

    let eventLoop: any EventLoop
    let fleet: FleetState
    let instance: UInt32
    let beatInterval: TimeAmount
    let encoder: ScriptEncoder
    /// How long calls took, their deadline at most, by script in the order of `Script.all`.
    private(set) var latency = [Histogram](repeating: Histogram(bounds: Histogram.lagBounds), count: Script.all.count)
    let deadline: TimeAmount
    private let redis: RedisConfiguration
    /// There is nothing to show Redis yet.
    private var awaitsCredentials: Bool
    private(set) lazy var client = RedisClient(redis, scripts: Script.all, eventLoop: eventLoop) { [weak self] in
        self?.clientChanged($0)
    }

    var live: [LeaseID: LiveLease] = [:]
    var queue = SettleQueue<LeaseEnd>()
    var queuePause = Backoff()
    var isQueuePausing = false
    var whenDrained: (() -> Void)?
    /// Admissions that Redis has not answered: whoever is gone when the answer comes still takes it back.
    private(set) var undecided = 0
    var refusals = RefusalCache()
    private var seen = LastSeen()
    var nextBeat: Scheduled<Void>?
    /// Leases that the beat under way has yet to renew; `nil` for none under way.
    var beating: ArraySlice<LeaseID>?

    init(
        _ configuration: CoordinationConfiguration,
        _ redis: RedisConfiguration,
        _ fleet: FleetState,
        eventLoop: any EventLoop
    ) {
        self.eventLoop = eventLoop
        self.fleet = fleet
        self.redis = redis
        instance = configuration.instance
        beatInterval = configuration.beatInterval
        deadline = configuration.deadline
        awaitsCredentials = configuration.awaitsCredentials
        encoder = ScriptEncoder(keys: KeySpace(namespace: configuration.namespace))
    }

    /// Whether it makes sense to ask.
    var isUsable: Bool { client.isReady && client.breaker.isClosed }

    func start() {
        if !awaitsCredentials { client.start() }
        scheduleBeat()
    }

    func authenticate(_ credentials: RedisCredentials) {
        client.authenticate(credentials)
        guard awaitsCredentials else { return }
        awaitsCredentials = false
        client.start()
    }

    // MARK: what a connection goes through

    private func clientChanged(_ event: RedisClientEvent) {
        switch event {
        case .ready, .breakerClosed:
            guard isUsable else { return }
            fleet.loopShared(ObjectIdentifier(self))
            resumeQueue()
            beatAll()
        case .lost(let error), .connectFailed(let error), .breakerOpened(_, let error):
            fleet.loopDegraded(ObjectIdentifier(self), because: error.code)
        case .needsAttention(let error):
            fleet.needsAttention(error)
        }
        if event.refusesCredentials { fleet.observe(.credentialsRefused) }
    }

    // MARK: asking

    /// Runs a script and reads its reply.
    ///
    /// - Parameters:
    ///   - completion: called exactly once, by the deadline.
    ///   - late: called once more after a `timedOut` that may have run.
    func run<Answer>(
        _ call: RedisScriptCall,
        _ read: @escaping (RESPReply) throws(ScriptDecoder.UnexpectedReply) -> Answer,
        completion: @escaping (Result<Answer, RedisError>) -> Void,
        late: ((Result<Answer, RedisError>) -> Void)? = nil
    ) {
        let start = NIODeadline.now()
        let script = call.script.name
        client.run(call, deadline: start + deadline) { outcome in
            if let index = Script.all.firstIndex(where: { $0.name == script }) {
                self.latency[index].observe(.now() - start)
            }
            let answer = self.read(outcome, read)
            if case .failure = answer { self.fleet.counters.errors.increment() }
            completion(answer)
        } late: { outcome in
            late?(self.read(outcome, read))
        }
    }

    /// An answer that makes no sense ends the connection, and leaves open what Redis did.
    private func read<Answer>(
        _ outcome: Result<RESPReply, RedisError>,
        _ read: (RESPReply) throws(ScriptDecoder.UnexpectedReply) -> Answer
    ) -> Result<Answer, RedisError> {
        switch outcome {
        case .failure(let error):
            return .failure(error)
        case .success(let reply):
            do throws(ScriptDecoder.UnexpectedReply) {
                return .success(try read(reply))
            } catch {
                let cause = "unexpected reply to \(error.script)"
                client.distrust(cause)
                return .failure(.violation(cause))
            }
        }
    }

    // MARK: admit

    func admit(_ admission: Admission, then: @escaping (AdmissionDecision) -> Void) {
        guard isUsable else { return admitAlone(admission, then: then) }
        if !refusals.isEmpty, let refusal = refusals.refusal(of: admission, now: .now()) {
            fleet.counters.rememberedRefusals.increment()
            return then(.refused(refusal))
        }
        undecided += 1
        run(encoder.call(admission)) { reply throws(ScriptDecoder.UnexpectedReply) in
            try ScriptDecoder.decision(admission, reply)
        } completion: { outcome in
            switch outcome {
            case .success(let decision):
                self.decided(admission, decision)
                then(decision)
                self.answered()
            case .failure(let error):
                // After a missed deadline the answer is still to come, or the news that it will not.
                let isOpen = error.mayHaveRun && error.code == .timedOut
                if error.mayHaveRun, !isOpen { self.takeBack(admission) }
                self.admitAlone(admission, then: then)
                if !isOpen { self.answered() }
            }
        } late: { outcome in
            self.fleet.counters.lateAnswers.increment()
            switch outcome {
            case .success(.admitted): self.takeBack(admission)
            case .success(.refused), .success(.duplicate), .success(.unavailable): break
            case .failure(let error): if error.mayHaveRun { self.takeBack(admission) }
            }
            self.answered()
        }
    }

    private func answered() {
        undecided -= 1
        finishDrainingIfTold()
    }

    private func admitAlone(_ admission: Admission, then: @escaping (AdmissionDecision) -> Void) {
        fleet.counters.fallbackAdmissions.increment()
        fleet.fallback.begin(admission, &seen)
        fleet.fallback.admit(admission, then: then)
    }

    private func decided(_ admission: Admission, _ decision: AdmissionDecision) {
        if fleet.fallback.sharesLimits { seen.note(admission, decision) }
        switch decision {
        case .admitted(let reservation):
            live[admission.lease] = LiveLease(
                scopes: admission.scopes,
                deployment: admission.candidates[reservation.candidate],
                admitted: reservation.time
            )
        case .refused(let refusal):
            refusals.note(admission, refusal, now: .now())
        case .duplicate, .unavailable:
            break
        }
    }

    /// Nobody knows of what Redis admitted, if it did.
    private func takeBack(_ admission: Admission) {
        fleet.counters.cancellations.increment()
        enqueue(LeaseEnd(.cancellation(Cancellation(admission, authority: .shared))))
    }

    // MARK: reroute

    func reroute(_ reroute: Reroute, then: @escaping (RerouteDecision) -> Void) {
        switch reroute.authority {
        case .local, .nobody:
            fleet.fallback.reroute(reroute, then: then)
        case .shared:
            guard isUsable, live[reroute.lease]?.isHere != true else { return rerouteAlone(reroute, then: then) }
            run(encoder.call(reroute)) { reply throws(ScriptDecoder.UnexpectedReply) in
                try ScriptDecoder.decision(reroute, reply)
            } completion: { outcome in
                switch outcome {
                case .success(let decision):
                    self.follow(reroute, decision)
                    then(decision)
                case .failure:
                    self.rerouteAlone(reroute, then: then)
                }
            } late: { _ in
                // What it reserved elsewhere comes back with time: the slot by not being renewed, the charge by refilling.
                self.fleet.counters.lateAnswers.increment()
            }
        }
    }

    private func rerouteAlone(_ reroute: Reroute, then: @escaping (RerouteDecision) -> Void) {
        let isHere = live[reroute.lease]?.isHere ?? false
        let answer = fleet.fallback.takeOver(reroute, isHere: isHere)
        live[reroute.lease]?.isHere = answer.isHere
        follow(reroute, answer.decision)
        then(answer.decision)
    }

    private func follow(_ reroute: Reroute, _ decision: RerouteDecision) {
        guard case .rerouted(let reservation) = decision else { return }
        live[reroute.lease]?.deployment = reroute.candidates[reservation.candidate]
    }
}

extension RedisClientEvent {
    /// What the gateway shows is no longer taken, or was never.
    fileprivate var refusesCredentials: Bool {
        switch self {
        case .ready, .breakerOpened, .breakerClosed: false
        case .lost(let error), .connectFailed(let error), .needsAttention(let error):
            error.code == .wrongPassword || error.code == .noAuthentication
        }
    }
}
