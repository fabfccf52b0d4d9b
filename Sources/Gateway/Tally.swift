internal import NIOConcurrencyHelpers
internal import Synchronization

/// Counts what is open in the process, and lets a shutdown wait until nothing is. The count itself takes no lock.
package final class Tally: Sendable {
    private let value = Atomic<Int>(0)
    private let waiting = NIOLockedValueBox<[AsyncStream<Void>.Continuation]>([])
    private let isAwaited = Atomic<Bool>(false)

    package init() {}

    package var count: Int { value.load(ordering: .relaxed) }

    /// Counts one more; returns how many there are with it.
    @discardableResult
    func add() -> Int { value.add(1, ordering: .sequentiallyConsistent).newValue }

    func remove() {
        guard value.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
            isAwaited.load(ordering: .sequentiallyConsistent)
        else { return }
        wakeAll()
    }

    /// Returns when the count is zero, or after `limit`. The result tells which: whether it is zero.
    func waitUntilZero(limit: Duration) async -> Bool {
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        let (zero, continuation) = AsyncStream.makeStream(of: Void.self)
        waiting.withLockedValue { $0.append(continuation) }
        // It may have become zero before anyone knew that somebody waits.
        if count == 0 { wakeAll() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in zero {} }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        isAwaited.store(false, ordering: .sequentiallyConsistent)
        return count == 0
    }

    private func wakeAll() {
        let continuations = waiting.withLockedValue { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in continuations { continuation.finish() }
    }
}
