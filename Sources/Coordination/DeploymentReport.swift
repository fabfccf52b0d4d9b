internal import NIOCore

/// What is remembered of a deployment, for people: nothing is decided by it.
package struct DeploymentReport: Sendable, Hashable {
    /// Requests and tokens that it can take at once; `nil` without a limit. Negative in debt.
    package var requests: Int64?
    package var tokens: Int64?
    /// Tokens per minute that it named itself, where they are fewer than what is configured.
    package var liveLimit: Int64?
    /// Milliseconds that it is still left alone.
    package var cooldown: Int64
    /// Failures in a row that count.
    package var streak: Int64
    /// Milliseconds that somebody still has to try it alone.
    package var probe: Int64

    init(_ state: DeploymentState, of candidate: Candidate, now: Int64) {
        var state = state
        if state.liveUntil <= now { state.live = 0 }
        let limits = state.limits(candidate.limits)
        state.refill(now: now, limits)
        requests = limits.requests.map { _ in state.meter.requests / Bucket.unit }
        tokens = limits.tokens.map { _ in state.meter.tokens / Bucket.unit }
        liveLimit = state.live > 0 ? state.live : nil
        cooldown = max(0, state.cool - now)
        streak = state.streak
        probe = state.streak > 0 ? max(0, state.probe - now) : 0
    }
}

extension LimiterState {
    func report(_ candidate: Candidate, now: Int64) -> DeploymentReport {
        let state = deployments[candidate.id] ?? DeploymentState(now: now, candidate.limits)
        return DeploymentReport(state, of: candidate, now: now)
    }
}

extension LocalCoordinator {
    /// What this process remembers of deployments.
    package func report(_ candidates: [Candidate]) -> [DeploymentReport] {
        withState { state, now in candidates.map { state.report($0, now: now) } }
    }
}

extension FleetCoordination {
    /// What the fleet remembers of deployments, as Redis says now; `nil` where it does not answer.
    package func report(_ candidates: [Candidate]) async -> [DeploymentReport]? {
        guard !candidates.isEmpty else { return [] }
        guard let coordinator = anyCoordinator else { return nil }
        let keys = candidates.map { coordinator.encoder.keys.deployment + $0.id.name }
        guard let reply = await coordinator.ask(RESPCommand(["MGET"] + keys)), let values = reply.array,
            values.count == candidates.count
        else { return nil }
        // For people, so the clock of this machine is good enough.
        let now = LocalCoordinator.wallClock()
        return zip(candidates, values).map { candidate, value in
            DeploymentReport(
                DeploymentState(stored: value) ?? DeploymentState(now: now, candidate.limits),
                of: candidate,
                now: now
            )
        }
    }
}

extension RedisCoordinator {
    /// A question of an operator, or about what is no limit; by the deadline of all others.
    func ask(_ command: RESPCommand) async -> RESPReply? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { self.ask(command) { continuation.resume(returning: $0) } }
        }
    }

    /// On the event loop. `then` is called once; with `nil` where Redis cannot be asked or does not answer well in time.
    func ask(_ command: RESPCommand, then: @escaping (RESPReply?) -> Void) {
        guard isUsable else { return then(nil) }
        client.upkeep(.plain(command), deadline: .now() + deadline) { outcome in
            switch outcome {
            case .success(let reply): then(reply)
            case .failure: then(nil)
            }
        }
    }
}

extension DeploymentState {
    /// As the scripts pack it; `nil` for anything else.
    fileprivate init?(stored reply: RESPReply) {
        guard case .string(let bytes) = reply, bytes.count >= 48 else { return nil }
        var buffer = ByteBuffer(bytes: bytes)
        let numbers = (0..<bytes.count / 8).compactMap { _ in buffer.readInteger(endianness: .little, as: Int64.self) }
        self.init(meter: Meter(stamp: numbers[0], requests: numbers[1], tokens: numbers[2]))
        (cool, streak, probe) = (numbers[3], numbers[4], numbers[5])
        if numbers.count >= 8 { (live, liveUntil) = (numbers[6], numbers[7]) }
    }
}
