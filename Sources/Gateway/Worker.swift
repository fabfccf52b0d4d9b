internal import Coordination
internal import NIOCore
internal import Synchronization
internal import Transport

/// Everything that one event loop owns: libcurl, connections to Azure, counters, its part of the log.
///
/// An exchange lives on one worker from accept to record, so nothing here is shared or locked.
final class Worker: @unchecked Sendable {  // confined to `eventLoop`; made and shut down there as well
    let eventLoop: any EventLoop
    /// What new exchanges begin with.
    private(set) var edition: Edition
    let gate: Gate
    let coordinator: any Coordinator
    let owners: ResourceOwners
    let access = Access()
    let reader = JSONRequestReader()
    let hasher = KeyHasher()
    let buffers = BufferPool()
    let accessLog: AccessLog
    /// `nil` where nobody wants usage events.
    let usageLog: UsageLog?
    var regions: RegionNames
    var metrics: MetricsShard
    /// `nil` in a build without.
    var hooks: HookSet?
    /// `nil`: no exchange is traced.
    var tracer: Tracer?
    var streaks = FailureStreaks()
    var injections = InjectionSwitches()
    var corrections = PromptCorrections()
    var waitingRooms: WaitingRooms
    /// By the deployments' numbers.
    var tallies: [DeploymentTally]
    private var liveLimits = LiveLimits()
    private var cooldowns = KnownCooldowns()
    private var random = SplitMix64(seed: .random(in: .min ... .max))
    let transfers: TransferLoop
    private var connections: [ObjectIdentifier: DownstreamConnection] = [:]
    let processID: UInt64
    private let leases: LeaseIssuer
    private let number: UInt64
    private var exchanges: UInt64 = 0
    private var arenas: [HeaderArena] = []
    private var bodies: [BodyStorage] = []
    private var date = HTTPDate()

    /// To be called on the event loop.
    init(
        number: Int,
        eventLoop: any EventLoop,
        snapshot: Snapshot,
        gate: Gate,
        coordinator: any Coordinator,
        leases: LeaseIssuer,
        owners: ResourceOwners,
        logWriter: LogWriter,
        spool: UsageSpool?,
        processID: UInt64
    ) throws {
        self.number = UInt64(number)
        self.eventLoop = eventLoop
        self.gate = gate
        self.coordinator = coordinator
        self.leases = leases
        self.owners = owners
        self.processID = processID
        waitingRooms = WaitingRooms(eventLoop: eventLoop)
        tallies = [DeploymentTally](repeating: DeploymentTally(), count: snapshot.roster.deployments.count)
        accessLog = AccessLog(snapshot.configuration.log, writer: logWriter, eventLoop: eventLoop)
        usageLog = spool.map { UsageLog(spool: $0, eventLoop: eventLoop) }
        regions = RegionNames(endpoints: snapshot.endpoints.count)
        metrics = MetricsShard(
            clients: snapshot.roster.clients.count,
            models: snapshot.roster.models.count,
            endpoints: snapshot.roster.endpoints.count
        )
        transfers = try TransferLoop(eventLoop: eventLoop, maxConnections: snapshot.maxConnections)
        edition = Edition(snapshot, transfers: transfers, after: nil)
        measureLag()
    }

    /// The configuration as new exchanges see it; one that runs has its own.
    var snapshot: Snapshot { edition.snapshot }

    /// New exchanges begin with another configuration from here on. To be called on the event loop.
    func adopt(_ snapshot: Snapshot) {
        metrics.grow(
            clients: snapshot.roster.clients.count,
            models: snapshot.roster.models.count,
            endpoints: snapshot.roster.endpoints.count
        )
        let more = snapshot.roster.deployments.count - tallies.count
        if more > 0 { tallies += [DeploymentTally](repeating: DeploymentTally(), count: more) }
        transfers.setMaxConnections(snapshot.maxConnections)
        edition = Edition(snapshot, transfers: transfers, after: edition)
    }

    // MARK: exchanges

    func nextID() -> ExchangeID {
        exchanges += 1
        return ExchangeID(process: processID, count: exchanges << 8 | (number & 0xFF))
    }

    /// The lease of an exchange of this worker, so that logs and Redis can be read together.
    func lease(of id: ExchangeID) -> LeaseID { leases.lease(id.count) }

    var leaseTerms: LeaseTerms { leases.terms }

    /// In which order a request tries the deployments of its model, as indices.
    func order(_ route: ModelRoute, priority: Int, isStream: Bool, prefix: PromptPrefix?) -> [Int] {
        let now = Self.milliseconds(.now())
        let nothingCools = cooldowns.areOver(now: now)
        if let order = route.fixedOrder, nothingCools { return order }
        return CandidateOrder.indices(
            route,
            CandidateOrder.Request(priority: priority, isStream: isStream, prefix: prefix),
            now: now,
            coolUntil: nothingCools ? nil : { self.cooldowns.until($0) },
            random: &random
        )
    }

    /// What a settlement is to tell of what a deployment said about its limits.
    func feedback(_ fields: DeploymentFields, of candidate: Candidate, levels: Levels, now: NIODeadline) -> Feedback {
        liveLimits.feedback(fields, of: candidate, levels: levels, now: Self.milliseconds(now))
    }

    /// Keeps in mind how much longer deployments cool.
    func note(_ cooldowns: [Int64], of candidates: [Candidate]) {
        let now = Self.milliseconds(.now())
        for (candidate, cooldown) in zip(candidates, cooldowns) {
            self.cooldowns.note(candidate.id, cooldown: cooldown, now: now)
        }
    }

    /// Keeps in mind what a request met at a deployment.
    func noteFailure(_ cooldown: Int64, of candidate: Candidate) {
        cooldowns.noteFailure(candidate.id, cooldown: cooldown, now: Self.milliseconds(.now()))
    }

    /// Milliseconds that deployments still cool, as far as this loop has heard.
    func cooling() -> [DeploymentID: Int64] { cooldowns.left(now: Self.milliseconds(.now())) }

    private static func milliseconds(_ time: NIODeadline) -> Int64 { Int64(time.uptimeNanoseconds / 1_000_000) }

    /// Thousandths to add to a wait, so that those who wait do not come back at once.
    var jitter: Int64 { Int64.random(in: 0...100, using: &random) }

    func jitter(of wait: Int64) -> Int64 { wait * jitter / 1000 }

    /// For answers of the gateway's own (RFC 9110 section 6.6.1); Azure's carry Azure's.
    func httpDate() -> String { date.now() }

    /// Whether answers of several deployments are being read, to be passed on together.
    var servesSeveral: Bool { transfers.servesSeveral }

    func takeArena() -> HeaderArena { arenas.popLast() ?? HeaderArena() }

    func giveBack(_ arena: HeaderArena) {
        if arenas.count < 256 { arenas.append(arena) }
    }

    /// Request bodies up to this size leave their memory to the next one.
    private static let maxPooledBody = 16 * 1024

    func takeBody(expected: Int) -> BodyStorage {
        if expected <= Self.maxPooledBody, let body = bodies.popLast() { return body }
        return BodyStorage(expected: expected)
    }

    /// Nobody else may hold it.
    func giveBack(_ body: BodyStorage) {
        guard bodies.count < 64, body.capacity <= Self.maxPooledBody else { return }
        body.clear()
        bodies.append(body)
    }

    /// The last stage of every exchange that had an id: counters, the log line and the usage event.
    func record(_ record: borrowing ExchangeRecord) {
        metrics.count(record)
        accessLog.write(record, endpointName: record.endpoint.map { snapshot.endpoints[$0].name })
        usageLog?.write(record) { snapshot.endpoints[$0].name }
    }

    // MARK: connections

    func opened(_ connection: DownstreamConnection) {
        metrics.connections += 1
        metrics.acceptedConnections += 1
        gate.connections.add()
        connections[ObjectIdentifier(connection)] = connection
    }

    func closed(_ connection: DownstreamConnection) {
        metrics.connections -= 1
        gate.connections.remove()
        connections[ObjectIdentifier(connection)] = nil
    }

    // MARK: shutdown

    /// From now on every answer says `connection: close`.
    func announceDrain() { for connection in connections.values { connection.announceDrain() } }

    /// Connections without a request are closed, and what waits for capacity is refused.
    func drain() {
        waitingRooms.close()
        for connection in Array(connections.values) { connection.drain() }
    }

    /// What still runs is ended, each exchange in the way its client can understand best.
    func endExchanges() { for connection in Array(connections.values) { connection.graceExpired() } }

    func shutdown() {
        for connection in Array(connections.values) { connection.closeNow() }
        accessLog.flush()
        tracer?.exporter.stop()
        usageLog?.flush()
        isShutDown = true
        transfers.shutdown()
    }

    // MARK: lag

    private var isShutDown = false
    private static let lagInterval = TimeAmount.milliseconds(500)

    /// How late a callback comes that was due at a known time: how long an event of this loop has to wait.
    private func measureLag() {
        let due = NIODeadline.now() + Self.lagInterval
        eventLoop.assumeIsolated().scheduleTask(deadline: due) {
            guard !self.isShutDown else { return }
            self.metrics.lag.observe(NIODeadline.now() - due)
            self.measureLag()
        }
    }
}

/// Names the leases of one process.
struct LeaseIssuer: Sendable {
    let instance: UInt32
    /// Seconds since 1970.
    let start: UInt32
    let terms: LeaseTerms

    func lease(_ sequence: UInt64) -> LeaseID { LeaseID(instance: instance, start: start, sequence: sequence) }
}

/// What all workers share: how much is in flight, and whether the gateway is going down.
final class Gate: Sendable {
    enum Phase: Int, Sendable {
        case serving
        /// Not ready; still accepting; answers say `connection: close`.
        case lameDuck
        /// No new connections; what runs may finish.
        case draining
    }

    let inFlight = Tally()
    let connections = Tally()
    private let phaseValue = Atomic<Int>(0)
    private let limitValue: Atomic<Int>

    init(limit: Int) { limitValue = Atomic(limit) }

    /// The most requests at once.
    var limit: Int {
        get { limitValue.load(ordering: .relaxed) }
        set { limitValue.store(newValue, ordering: .relaxed) }
    }

    var phase: Phase {
        get { Phase(rawValue: phaseValue.load(ordering: .acquiring)) ?? .serving }
        set { phaseValue.store(newValue.rawValue, ordering: .releasing) }
    }

    /// Takes a place if one is left; who has one gives it back with `leave`.
    func enter() -> Bool {
        if inFlight.add() <= limit { return true }
        leave()
        return false
    }

    func leave() { inFlight.remove() }
}
