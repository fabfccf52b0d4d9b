/// Everything that coordination remembers, as a value: what the scripts keep in Redis, and the same decisions.
///
/// Pure: the time is an argument. It is the state of `LocalCoordinator` and the model that the scripts are tested against to
/// the bit, so each rule stands here once in Swift and once in Lua.
struct LimiterState {
    var scopes: [ScopeID: ScopeState] = [:]
    var deployments: [DeploymentID: DeploymentState] = [:]
    var leases: [LeaseID: LeaseState] = [:]
    var scopeSlots: [ScopeID: Slots] = [:]
    var deploymentSlots: [DeploymentID: Slots] = [:]
    /// Until when each process counts as alive.
    var instances: [UInt32: Int64] = [:]
    /// What Redis counts; a process that decides alone counts nothing here: its spool is exported by itself.
    var usage: [UsageKey: UsageState] = [:]

    /// How long counters are kept after they were written first, in milliseconds.
    static let usageTerm = 40 * UTCDate.millisecondsPerDay
    /// Who says to have decided.
    let authority: Authority

    init(authority: Authority) { self.authority = authority }

    /// What is stored of a scope, or what it starts with. A clock that went back by much is believed, and that is written down
    /// whatever is decided: a refusal would meet the same clock again.
    mutating func scope(_ scope: ClientScope, now: Int64) -> ScopeState {
        guard var state = scopes[scope.id] else { return ScopeState(now: now, scope.limits) }
        if state.rebase(now: now) { scopes[scope.id] = state }
        return state
    }

    /// What is stored of a deployment, likewise.
    mutating func deployment(_ candidate: Candidate, now: Int64) -> DeploymentState {
        guard var state = deployments[candidate.id] else { return DeploymentState(now: now, candidate.limits) }
        if state.rebase(now: now) { deployments[candidate.id] = state }
        if state.liveUntil <= now { (state.live, state.liveUntil) = (0, 0) }
        return state
    }

    /// How many things are remembered, which is what a sweep takes time for.
    var count: Int {
        scopes.count + deployments.count + leases.count + usage.count
            + scopeSlots.values.reduce(0) { $0 + $1.count } + deploymentSlots.values.reduce(0) { $0 + $1.count }
    }

    /// Forgets what nobody can tell from never having been: full buckets, leases that expired, counters of old days.
    mutating func sweep(now: Int64) {
        scopes = scopes.filter { $1.keptUntil > now }
        deployments = deployments.filter { $1.keptUntil > now }
        leases = leases.filter { $1.keptUntil > now }
        usage = usage.filter { $1.keptUntil > now }
        instances = instances.filter { $1 > now }
        scopeSlots = Self.trimmed(scopeSlots, now: now)
        deploymentSlots = Self.trimmed(deploymentSlots, now: now)
    }

    private static func trimmed<ID>(_ slots: [ID: Slots], now: Int64) -> [ID: Slots] {
        var slots = slots
        for id in slots.keys {
            slots[id]?.trim(now: now)
            if slots[id]?.count == 0 { slots[id] = nil }
        }
        return slots
    }
}

/// What is remembered of a client, or of a client with one model.
struct ScopeState: Hashable, Sendable {
    var meter: Meter
    /// The UTC day that `dayUsed` counts, as `UTCDate` does; 0 before the first.
    var day: Int64 = 0
    var dayUsed: Int64 = 0
    var month: Int64 = 0
    var monthUsed: Int64 = 0
    var keptUntil: Int64 = 0

    init(meter: Meter) { self.meter = meter }

    /// Full and unused.
    init(now: Int64, _ limits: ClientLimits) {
        meter = Meter(now: now, requests: limits.requests, tokens: limits.tokens)
    }

    /// The day and the month are no later than the clock says.
    mutating func rebase(now: Int64) -> Bool {
        guard meter.rebase(now: now) != nil else { return false }
        day = min(day, UTCDate.day(of: now))
        month = min(month, UTCDate.month(of: now))
        return true
    }

    mutating func refill(now: Int64, _ limits: ClientLimits) {
        meter.refill(now: now, requests: limits.requests, tokens: limits.tokens)
    }

    mutating func keep(now: Int64, _ limits: ClientLimits) {
        let fill = meter.timeToFull(now: now, requests: limits.requests, tokens: limits.tokens)
        let period: Int64 = month > 0 ? 32 : day > 0 ? 2 : 0
        keptUntil = now + max(fill + Bucket.unit, period * UTCDate.millisecondsPerDay)
    }
}

/// What is remembered of a deployment.
struct DeploymentState: Hashable, Sendable {
    var meter: Meter
    /// Left alone until then.
    var cool: Int64 = 0
    /// Failures in a row.
    var streak: Int64 = 0
    /// While the streak lasts: nobody else tries it until then.
    var probe: Int64 = 0
    /// Tokens per minute that the deployment itself named; 0 for none.
    var live: Int64 = 0
    /// Until when `live` holds.
    var liveUntil: Int64 = 0
    var keptUntil: Int64 = 0

    /// A streak is forgotten after so long without an event.
    static let shortestTerm: Int64 = 600_000

    init(meter: Meter) { self.meter = meter }

    /// Full and in service.
    init(now: Int64, _ limits: DeploymentLimits) {
        meter = Meter(now: now, requests: limits.requests, tokens: limits.tokens)
    }

    /// What is left of a cooldown, of a probe and of a live limit stays as long as it was.
    mutating func rebase(now: Int64) -> Bool {
        guard let back = meter.rebase(now: now) else { return false }
        cool = max(0, cool - back)
        probe = max(0, probe - back)
        liveUntil = max(0, liveUntil - back)
        return true
    }

    /// What holds: of a configured limit of tokens and a live one, the lower.
    func limits(_ configured: DeploymentLimits) -> DeploymentLimits {
        guard live > 0 else { return configured }
        var limits = configured
        limits.tokens = Rate(
            perMinute: min(live, configured.tokens?.perMinute ?? live),
            burst: min(live, configured.tokens?.burst ?? live)
        )
        return limits
    }

    /// Takes the limit that an answer named.
    mutating func renew(_ feedback: Feedback, _ configured: DeploymentLimits, now: Int64) {
        guard let named = feedback.tokenLimit else { return }
        let isLower = configured.tokens.map { named < $0.perMinute } ?? true
        (live, liveUntil) = isLower ? (named, now + Feedback.lifetime) : (0, 0)
    }

    mutating func refill(now: Int64, _ limits: DeploymentLimits) {
        meter.refill(now: now, requests: limits.requests, tokens: limits.tokens)
    }

    mutating func keep(now: Int64, _ limits: DeploymentLimits) {
        let fill = meter.timeToFull(now: now, requests: limits.requests, tokens: limits.tokens)
        keptUntil = now + max(fill + Bucket.unit, Self.shortestTerm)
    }
}

/// The witness of an admission.
struct LeaseState: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// Admitted at `charged`. `trial` is when it was sent to a deployment that had failed before, and 0 if it was not;
        /// `home` is where it is, `nil` after the last deployment refused. Can go to: `.held`, `.ended`, or gone.
        case held(charged: Int64, trial: Int64, home: DeploymentID?)
        /// Whatever still arrives is too late.
        case ended
    }

    var phase: Phase
    var keptUntil: Int64
}

struct UsageKey: Hashable, Sendable {
    let day: Int
    let client: ScopeID
}

struct UsageState: Hashable, Sendable {
    /// `Usage.Counts.values`, summed up by the lines of the books.
    private var sums: [String: SIMD16<Int64>] = [:]
    private(set) var keptUntil: Int64 = 0

    /// As Redis keeps them: by `<line>:<count>`, and none that is zero.
    var counts: [String: Int64] {
        sums.reduce(into: [:]) { counts, sum in
            for (index, name) in Usage.Counts.names.enumerated() where sum.value[index] != 0 {
                counts["\(sum.key):\(name)"] = sum.value[index]
            }
        }
    }

    mutating func add(_ usage: Usage, keptUntil end: Int64) {
        sums[usage.line, default: .zero] &+= usage.counts.values
        keptUntil = max(keptUntil, end)
    }
}

/// Who holds the slots of one concurrency limit, and until when.
struct Slots: Hashable, Sendable {
    private(set) var members: [LeaseID: Int64] = [:]
    /// No member's slot ends before it, so up to then all are live and need not be looked at.
    private var earliest: Int64 = .max

    var count: Int { members.count }

    /// Slots that have not run out.
    mutating func live(now: Int64) -> Int64 {
        if now < earliest { return Int64(members.count) }
        earliest = members.values.min() ?? .max
        if now < earliest { return Int64(members.count) }
        return members.values.reduce(0) { $1 > now ? $0 + 1 : $0 }
    }

    mutating func hold(_ lease: LeaseID, until: Int64) {
        members[lease] = until
        earliest = min(earliest, until)
    }

    mutating func release(_ lease: LeaseID) { members[lease] = nil }

    mutating func trim(now: Int64) {
        guard now >= earliest else { return }
        members = members.filter { $1 > now }
        earliest = members.values.min() ?? .max
    }
}
