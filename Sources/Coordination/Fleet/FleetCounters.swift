internal import Synchronization

/// Sums over the event loops of a process, as `CoordinationSnapshot` explains them.
final class FleetCounters: Sendable {
    let queueDepth = Atomic(0)
    let dropped = Atomic(0)
    let lateAnswers = Atomic(0)
    let cancellations = Atomic(0)
    let fallbackAdmissions = Atomic(0)
    let errors = Atomic(0)
    let rememberedRefusals = Atomic(0)
}

extension Atomic where Value == Int {
    var value: Int { load(ordering: .relaxed) }
    func increment() { add(1, ordering: .relaxed) }
    func decrement() { subtract(1, ordering: .relaxed) }
}
