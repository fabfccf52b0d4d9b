internal import Coordination

/// What changes something, and is written down.
extension Operator {
    /// The longest cooldown that can be set: what a failure can cause, times twelve.
    private static let longestCooldown = Duration.seconds(3600)

    /// Has every replica leave a deployment alone.
    ///
    /// - Parameters:
    ///   - name: `ENDPOINT/DEPLOYMENT`.
    ///   - time: as in the configuration, such as `5m`; at most an hour.
    ///   - who: for the record.
    package func setCooldown(of name: String, for time: String, who: String, now: String) async throws -> String {
        let duration: Duration
        do {
            duration = try DurationSyntax.parse(time)
        } catch {
            throw Problem("the time \(error)")
        }
        guard duration > .zero, duration <= Self.longestCooldown else {
            throw Problem("a cooldown is longer than 0s and at most 1h")
        }
        let deployment = try deployment(name)
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        try await inspector.setCooldown(of: deployment.candidate, milliseconds: milliseconds)
        return try await note("cooldown set \(name) \(time)", who: who, now: now)
    }

    /// Puts a deployment back into service: no cooldown, no failures in a row, no probe.
    package func clearCooldown(of name: String, who: String, now: String) async throws -> String {
        try await inspector.setCooldown(of: try deployment(name).candidate, milliseconds: 0)
        return try await note("cooldown clear \(name)", who: who, now: now)
    }

    /// Forgets what a client has used: its buckets are full, its day and its month begin anew. What runs keeps its slots.
    package func resetLimits(of name: String, who: String, now: String) async throws -> String {
        try await inspector.reset(scopes(of: try client(name)).map(\.scope))
        return try await note("limits reset \(name)", who: who, now: now)
    }

    private func note(_ change: String, who: String, now: String) async throws -> String {
        let line = "\(now) \(who): \(change)"
        try await inspector.note(line)
        return line
    }
}
