import NIOCore
import Synchronization

/// What the resource keeps for later calls, shared by all loops. When it is full, what came first goes first.
///
/// The lock guards the values alone: nothing is written or waited for under it.
final class BoundedStore<Value: Sendable>: Sendable {
    private struct State {
        var values: [String: (value: Value, bytes: Int)] = [:]
        /// The ids in the order they came.
        var order = CircularBuffer<String>()
        var bytes = 0
    }

    private let maximumCount: Int
    private let maximumBytes: Int
    private let state = Mutex(State())

    /// - Parameter maximumBytes: of what `insert` calls the size of a value, all together.
    init(maximumCount: Int, maximumBytes: Int = .max) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// Keeps `value`, whose `id` is new. A value that is larger than the whole store empties it and is not kept.
    func insert(_ value: Value, id: String, bytes: Int = 0) {
        self.state.withLock { state in
            state.values[id] = (value, bytes)
            state.order.append(id)
            state.bytes += bytes
            while state.values.count > self.maximumCount || state.bytes > self.maximumBytes,
                let oldest = state.order.popFirst()
            {
                state.bytes -= state.values.removeValue(forKey: oldest)?.bytes ?? 0
            }
        }
    }

    func value(_ id: String) -> Value? {
        self.state.withLock { $0.values[id]?.value }
    }

    /// Changes the value of `id` in its place and returns it as it is then.
    func update(_ id: String, _ change: (inout Value) -> Void) -> Value? {
        self.state.withLock { state in
            guard var entry = state.values[id] else { return nil }
            change(&entry.value)
            state.values[id] = entry
            return entry.value
        }
    }

    func remove(_ id: String) -> Value? {
        self.state.withLock { state in
            guard let entry = state.values.removeValue(forKey: id) else { return nil }
            state.bytes -= entry.bytes
            state.order.removeAll { $0 == id }
            return entry.value
        }
    }

    /// All values, the oldest first.
    func values() -> [Value] {
        self.state.withLock { state in state.order.compactMap { state.values[$0]?.value } }
    }
}
