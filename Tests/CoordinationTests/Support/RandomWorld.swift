import TestSupport

@testable import Coordination

/// What can happen to the shared state, in a form that both the scripts and the machine can be given.
enum Step {
    case admit(Admission)
    case reroute(Reroute)
    case settle(Settlement)
    case cancel(Cancellation)
    case beat(Beat)
    /// A lease ran out.
    case expire(LeaseID)
    /// Redis lost a key.
    case loseScope(ScopeID)
    case loseDeployment(DeploymentID)
}

/// Makes steps from a seed: a few clients and deployments, limits between one and the largest and changed now and then, a
/// clock that runs, jumps by days and goes back, leases that are settled, rerouted, cancelled, renewed and lost in any order.
struct RandomWorld {
    private(set) var now: Int64 = 1_774_000_000_000
    private var random: SplitMix
    private var scopes: [[ClientScope]] = []
    private var candidates: [Candidate] = []
    private var open: [Admission] = []
    private var ended: [Admission] = []
    private var times: [LeaseID: Int64] = [:]
    private var sequence: UInt64 = 0
    /// Renewed after every admission so that most estimates suit most limits.
    private static let sizes: [Int64] = [1, 2, 7, 60, 600, 6000, 100_000, 1_000_003, 30_000_000]

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        for client in 0..<4 {
            scopes.append([
                ClientScope(id: ScopeID(client: "client-\(client)"), limits: clientLimits()),
                ClientScope(id: ScopeID(client: "client-\(client)", model: "m {ö}/"), limits: clientLimits()),
            ])
        }
        for deployment in 0..<6 {
            candidates.append(
                Candidate(
                    id: DeploymentID(endpoint: "sweden", deployment: "gpt-\(deployment)"),
                    limits: deploymentLimits(),
                    isProbed: chance(80)
                )
            )
        }
    }

    /// The next step, at the time `now`.
    mutating func next() -> Step {
        advance()
        if chance(1) { change() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: return admit()
        case 40..<65: return settle()
        case 65..<77: return reroute()
        case 77..<85: return cancel()
        case 85..<89: return beat()
        case 89..<91: return randomLease().map { .expire($0.lease) } ?? admit()
        case 91: return .loseScope(pick(scopes)[0].id)
        case 92: return .loseDeployment(pick(candidates).id)
        default: return settleAgain()
        }
    }

    /// Lets the world know what an admission came to.
    mutating func note(_ admission: Admission, _ decision: AdmissionDecision) {
        guard case .admitted(let reservation) = decision else { return }
        open.append(admission)
        times[admission.lease] = reservation.time
    }

    private mutating func advance() {
        switch Int.random(in: 0..<1000, using: &random) {
        case 0: now += Int64.random(in: 0..<40 * 86_400_000, using: &random)
        case 1: now -= Int64.random(in: 0..<86_400_000, using: &random)
        case 2..<12: now -= Int64.random(in: 0..<400_000, using: &random)
        case 12..<32: now -= Int64.random(in: 0..<100, using: &random)
        case 32..<60: now += Int64.random(in: 0..<200_000, using: &random)
        case 60..<300: now += Int64.random(in: 0..<3000, using: &random)
        default: now += Int64.random(in: 0..<40, using: &random)
        }
    }

    private mutating func change() {
        let client = Int.random(in: 0..<scopes.count, using: &random)
        let scope = Int.random(in: 0..<2, using: &random)
        scopes[client][scope] = ClientScope(id: scopes[client][scope].id, limits: clientLimits())
        let deployment = Int.random(in: 0..<candidates.count, using: &random)
        candidates[deployment] = Candidate(
            id: candidates[deployment].id,
            limits: deploymentLimits(),
            isProbed: chance(80)
        )
    }

    private mutating func admit() -> Step {
        if chance(3), let used = open.randomElement(using: &random) ?? ended.last { return .admit(used) }
        sequence += 1
        let some = candidates.shuffled(using: &random).prefix(Int.random(in: 1...candidates.count, using: &random))
        return .admit(
            Admission(
                lease: LeaseID(instance: 0x1F, start: 1_774_000_000, sequence: sequence),
                estimate: tokens(),
                scopes: Array(pick(scopes).prefix(Int.random(in: 0...2, using: &random))),
                candidates: Array(some),
                terms: LeaseTerms(lease: 3_600_000, slot: 90_000, probe: 20_000)
            )
        )
    }

    private mutating func settle() -> Step {
        guard let admission = takeOpen() else { return admit() }
        return settle(admission, attempt: chance(70) ? 1 : Int.random(in: 2...3, using: &random))
    }

    private mutating func settleAgain() -> Step {
        guard let admission = ended.randomElement(using: &random) else { return admit() }
        return settle(admission, attempt: Int.random(in: 1...3, using: &random))
    }

    private mutating func settle(_ admission: Admission, attempt: Int) -> Step {
        let deployment = chance(90) ? pick(admission.candidates) : nil
        let count: Int64? = chance(80) ? (chance(70) ? admission.estimate / 2 : tokens()) : nil
        return .settle(
            Settlement(
                lease: admission.lease,
                attempt: attempt,
                isBeingRenewed: chance(20),
                estimate: admission.estimate,
                actual: count,
                admitted: times[admission.lease] ?? now,
                scopes: chance(50) ? admission.scopes : current(admission.scopes),
                deployment: deployment.map { chance(50) ? $0 : current([$0])[0] },
                refundsDeployment: chance(40),
                succeeded: chance(60),
                feedback: feedback(),
                usage: chance(70) ? usage(admission, deployment) : nil,
                authority: .shared,
                isApart: chance(10)
            )
        )
    }

    private mutating func reroute() -> Step {
        guard let admission = randomLease(), let failed = admission.candidates.randomElement(using: &random) else {
            return admit()
        }
        let others = candidates.filter { $0.id != failed.id }.shuffled(using: &random)
        return .reroute(
            Reroute(
                lease: admission.lease,
                estimate: admission.estimate,
                failed: failed,
                failure: Failure(
                    kind: pick(Failure.Kind.allCases),
                    cooldown: chance(50) ? Int64.random(in: 0...400_000, using: &random) / 20 : nil,
                    jitter: Int64.random(in: 0...100, using: &random),
                    feedback: feedback()
                ),
                candidates: Array(others.prefix(Int.random(in: 0...others.count, using: &random))),
                terms: admission.terms,
                authority: .shared
            )
        )
    }

    private mutating func cancel() -> Step {
        guard chance(80), let admission = chance(50) ? takeOpen() : ended.randomElement(using: &random) else {
            // Of an admission that never arrived.
            sequence += 1
            let lease = LeaseID(instance: 0x1F, start: 1_774_000_000, sequence: sequence)
            let admission = Admission(lease: lease, estimate: tokens(), scopes: pick(scopes), candidates: candidates)
            ended.append(admission)
            return .cancel(Cancellation(admission, authority: .shared))
        }
        return .cancel(Cancellation(admission, authority: .shared))
    }

    private mutating func beat() -> Step {
        var leases: [Renewal] = []
        for admission in (open.shuffled(using: &random).prefix(6) + ended.shuffled(using: &random).prefix(2)) {
            leases.append(
                Renewal(
                    lease: admission.lease,
                    scopes: admission.scopes,
                    deployment: pick(admission.candidates),
                    admitted: times[admission.lease] ?? now,
                    restores: chance(50)
                )
            )
        }
        return .beat(Beat(instance: UInt32.random(in: 0..<5, using: &random), leases: leases))
    }
}

extension RandomWorld {
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func pick<C: RandomAccessCollection>(_ from: C) -> C.Element {
        guard let element = from.randomElement(using: &random) else { preconditionFailure("nothing to pick from") }
        return element
    }

    private mutating func tokens() -> Int64 {
        chance(2) ? Admission.mostTokens : Int64.random(in: 1...pick(Self.sizes), using: &random)
    }

    private mutating func randomLease() -> Admission? {
        (chance(85) ? open : ended).randomElement(using: &random)
    }

    private mutating func takeOpen() -> Admission? {
        guard !open.isEmpty else { return nil }
        let admission = open.remove(at: Int.random(in: 0..<open.count, using: &random))
        ended.append(admission)
        if ended.count > 200 { ended.removeFirst(100) }
        return admission
    }

    private func current(_ old: [ClientScope]) -> [ClientScope] {
        old.compactMap { scope in scopes.joined().first { $0.id == scope.id } }
    }

    private func current(_ old: [Candidate]) -> [Candidate] {
        old.compactMap { candidate in candidates.first { $0.id == candidate.id } }
    }

    private mutating func feedback() -> Feedback {
        Feedback(
            requests: chance(20) ? tokens() / 10 : nil,
            tokens: chance(20) ? tokens() / 2 : nil,
            tokenLimit: chance(15) ? tokens() : nil
        )
    }

    private mutating func usage(_ admission: Admission, _ deployment: Candidate?) -> Usage? {
        guard let deployment else { return nil }
        return Usage(
            day: Usage.day(of: now),
            client: ScopeID(client: "client"),
            deployment: deployment.id,
            counts: Usage.Counts(requests: 1, input: tokens(), output: tokens(), throttled: chance(10) ? 1 : 0)
        )
    }

    private mutating func rate() -> Rate? {
        guard chance(75) else { return nil }
        if chance(3) { return Rate(perMinute: Rate.most, burst: Rate.mostBurst) }
        let perMinute = pick(Self.sizes)
        return chance(60) ? Rate(perMinute: perMinute) : Rate(perMinute: perMinute, burst: pick(Self.sizes))
    }

    private mutating func clientLimits() -> ClientLimits {
        ClientLimits(
            requests: rate(),
            tokens: rate(),
            concurrency: chance(40) ? Int64.random(in: 1...12, using: &random) : nil,
            tokensPerDay: chance(30) ? pick(Self.sizes) * 20 : nil,
            tokensPerMonth: chance(30) ? pick(Self.sizes) * 400 : nil,
            isShadow: chance(25)
        )
    }

    private mutating func deploymentLimits() -> DeploymentLimits {
        DeploymentLimits(
            requests: rate(),
            tokens: rate(),
            concurrency: chance(40) ? Int64.random(in: 1...6, using: &random) : nil,
            isShadow: chance(25)
        )
    }
}
