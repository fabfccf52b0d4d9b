internal import Logging
internal import NIOCore
internal import Transport

/// One set of keys of one tenant on its keeper's event loop: performs what `KeyRingStateMachine` decides.
final class KeyRing {
    let id: KeySetID
    private let tenant: EntraTenant
    private let origin: Origin
    private let eventLoop: any EventLoop
    private let shared: (any SharedKeyStore)?
    private let logger: Logger
    /// Tells all event loops how it stands.
    private let publish: (KeySetID, KeyView.Standing) -> Void
    private let times: KeyRingTimes
    private var machine: KeyRingStateMachine
    private let timer: DeadlineTimer
    private var fetch: KeyFetch?
    private var isStopped = false

    init(
        id: KeySetID,
        tenant: EntraTenant,
        origin: Origin,
        eventLoop: any EventLoop,
        shared: (any SharedKeyStore)?,
        times: KeyRingTimes,
        logger: Logger,
        publish: @escaping (KeySetID, KeyView.Standing) -> Void
    ) {
        self.id = id
        self.tenant = tenant
        self.origin = origin
        self.eventLoop = eventLoop
        self.shared = shared
        self.times = times
        machine = KeyRingStateMachine(times: times)
        self.logger = logger
        self.publish = publish
        timer = DeadlineTimer(eventLoop: eventLoop)
        timer.attach(self)
    }

    func start() { perform(machine.start()) }

    func stop() {
        isStopped = true
        timer.stop()
        fetch?.cancel()
        fetch = nil
    }

    /// Returns whether an answer will come by `publish`.
    func wanted(_ keyID: String, by caller: CallerAddress) -> Bool {
        switch machine.wanted(keyID, by: caller, now: .now()) {
        case .fetch:
            startFetch(maxAge: times.unknownKeyInterval)
            return true
        case .wait:
            return true
        case .refuse:
            return false
        }
    }

    private func perform(_ action: KeyRingStateMachine.Action) {
        switch action {
        case .none:
            timer.set(machine.deadline)
        case .fetch:
            startFetch(maxAge: times.sharedAge)
        case .dropAndFetch:
            logger.error("signing keys are too old and count no more", metadata: metadata)
            startFetch(maxAge: times.sharedAge)
        case .drop:
            logger.error("signing keys are too old and count no more", metadata: metadata)
            settle()
        case .install(let keys):
            logger.debug("signing keys fetched", metadata: metadata.merging(["keys": "\(keys.count)"]) { $1 })
            settle()
        case .keep:
            settle()
        }
    }

    private func settle() {
        timer.set(machine.deadline)
        publish(id, standing)
    }

    private var standing: KeyView.Standing {
        var standing = KeyView.Standing()
        standing.set = machine.keys
        standing.isFetching = machine.isFetching
        standing.hasFailed = machine.hasFailed
        standing.refreshableFrom =
            machine.refreshableFrom.map { UnixTime.now() + ($0 - .now()).nanoseconds / 1_000_000_000 } ?? 0
        return standing
    }

    // MARK: fetching

    /// - Parameter maxAge: how old keys may be that another replica has shared.
    private func startFetch(maxAge: TimeAmount) {
        timer.set(machine.deadline)
        publish(id, standing)
        guard let shared else { return fetchFromAuthority() }
        shared.get(name, maxAge: maxAge, on: eventLoop).assumeIsolated().whenComplete { result in
            guard !self.isStopped else { return }
            if case .success(let keys?) = result, keys.age <= maxAge,
                let set = try? KeyFetch.read(
                    keys.documents,
                    tenant: self.tenant,
                    version: self.id.version,
                    earlier: self.machine.keys
                )
            {
                self.perform(self.machine.fetched(set, age: keys.age, now: .now(), chance: .random(in: 0..<1)))
            } else {
                self.fetchFromAuthority()
            }
        }
    }

    private func fetchFromAuthority() {
        fetch = KeyFetch(tenant: tenant, version: id.version, earlier: machine.keys, origin: origin) { result in
            self.fetch = nil
            switch result {
            case .success(let fetched):
                self.shared?.put(self.name, fetched.documents, lifetime: self.times.lifetime, on: self.eventLoop)
                self.perform(self.machine.fetched(fetched.keys, age: .zero, now: .now(), chance: .random(in: 0..<1)))
            case .failure(let failure):
                self.logger.warning(
                    "signing keys could not be fetched",
                    metadata: self.metadata.merging(["reason": "\(failure.reason)"]) { $1 }
                )
                self.perform(self.machine.fetchFailed(now: .now(), chance: .random(in: 0..<1)))
            }
        }
    }

    /// The set's name among all that a store holds.
    private var name: String { "\(tenant.id)/v\(id.version.rawValue + 1)" }

    private var metadata: Logger.Metadata {
        ["tenant": "\(tenant.id)", "token_version": "\(id.version.rawValue + 1)"]
    }
}

extension KeyRing: DeadlineHandler {
    func deadlineReached(_ timer: DeadlineTimer) { perform(machine.timeReached(now: .now())) }
}
