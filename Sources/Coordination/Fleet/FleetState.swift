internal import NIOConcurrencyHelpers

/// What the event loops of a process share while they coordinate through Redis.
final class FleetState: Sendable {
    private struct Guarded {
        /// Loops that cannot ask Redis now.
        var degraded: Set<ObjectIdentifier> = []
        var mode = CoordinationMode.degraded(.notConnected)
        /// What the observer was told last.
        var reported: Bool?
        /// What needs attention is told once until all is well again.
        var complaints: Set<RedisError.Code> = []
    }

    let fallback: FallbackCoordinator
    let observe: @Sendable (CoordinationEvent) -> Void
    private let guarded = NIOLockedValueBox(Guarded())
    let counters = FleetCounters()

    init(fallback: FallbackCoordinator, observe: @escaping @Sendable (CoordinationEvent) -> Void) {
        self.fallback = fallback
        self.observe = observe
    }

    var mode: CoordinationMode { guarded.withLockedValue { $0.mode } }

    /// A loop that has yet to connect. That is no failure, and not told.
    func loopAdded(_ loop: ObjectIdentifier) { guarded.withLockedValue { _ = $0.degraded.insert(loop) } }

    func loopDegraded(_ loop: ObjectIdentifier, because code: RedisError.Code) {
        let event = guarded.withLockedValue { guarded -> CoordinationEvent? in
            guarded.degraded.insert(loop)
            guarded.mode = .degraded(code)
            guard guarded.reported != false else { return nil }
            guarded.reported = false
            return .modeChanged(guarded.mode)
        }
        if let event { observe(event) }
    }

    func loopShared(_ loop: ObjectIdentifier) {
        let event = guarded.withLockedValue { guarded -> CoordinationEvent? in
            guarded.degraded.remove(loop)
            guard guarded.degraded.isEmpty else { return nil }
            guarded.mode = .shared
            guarded.complaints = []
            guard guarded.reported != true else { return nil }
            guarded.reported = true
            return .modeChanged(.shared)
        }
        if let event { observe(event) }
    }

    func needsAttention(_ error: RedisError) {
        let isNew = guarded.withLockedValue { $0.complaints.insert(error.code).inserted }
        if isNew { observe(.needsAttention(error)) }
    }
}
