internal import NIOCore

/// When one set of keys is fetched, and how long it counts. Pure: `KeyRing` performs what it returns.
///
/// What could not be fetched, or came broken or empty, takes nothing away.
struct KeyRingStateMachine: ~Copyable {
    enum State {
        /// Can go to: `.fetching`.
        case idle
        /// One fetch runs, and never two. Can go to: `.resting`.
        case fetching(held: Held?, failures: Int)
        /// Until the next fetch is due, or asked for. Can go to: `.fetching`.
        case resting(held: Held?, failures: Int, until: NIODeadline)
    }

    /// Keys, and when they were fetched, by whichever replica.
    struct Held {
        let keys: KeySet
        let fetchedAt: NIODeadline
    }

    enum Action {
        case none
        case fetch
        /// These count from now on.
        case install(KeySet)
        /// The old ones go on to count, if there are any.
        case keep
        /// The old ones are too old to be believed.
        case drop
        /// Both, in this order.
        case dropAndFetch
    }

    enum OnWanted: Equatable {
        case fetch
        /// One runs: its end answers this as well.
        case wait
        case refuse
    }

    /// Key ids and callers that are remembered.
    static let maxRemembered = 1024

    private(set) var state: State = .idle
    private var wantedKeys = BoundedTable<String, NIODeadline>(capacity: maxRemembered)
    private var callers = BoundedTable<CallerAddress, NIODeadline>(capacity: maxRemembered)
    private var lastFetch: NIODeadline?
    private let times: KeyRingTimes

    init(times: KeyRingTimes = .advised) { self.times = times }

    /// When `timeReached` is due.
    var deadline: NIODeadline {
        switch state {
        case .idle: .distantFuture
        case .fetching: .distantFuture
        case .resting(let held, _, let until): min(until, held.map { $0.fetchedAt + times.lifetime } ?? until)
        }
    }

    var keys: KeySet? {
        switch state {
        case .idle: nil
        case .fetching(let held, _), .resting(let held, _, _): held?.keys
        }
    }

    var isFetching: Bool {
        if case .fetching = state { true } else { false }
    }

    var hasFailed: Bool {
        switch state {
        case .idle: false
        case .fetching(_, let failures), .resting(_, let failures, _): failures > 0
        }
    }

    /// From when an unknown key may cause a fetch; `nil` for at once.
    var refreshableFrom: NIODeadline? {
        switch state {
        case .idle, .fetching: return nil
        case .resting(_, let failures, let until):
            if failures > 0 { return until }
            return lastFetch.map { $0 + times.unknownKeyInterval }
        }
    }

    // MARK: events

    mutating func start() -> Action {
        switch state {
        case .idle:
            state = .fetching(held: nil, failures: 0)
            return .fetch
        case .fetching, .resting:
            return .none
        }
    }

    /// - Parameters:
    ///   - age: how long ago they were fetched; more than nothing when another replica shared them.
    ///   - chance: uniform in 0..<1.
    mutating func fetched(_ keys: KeySet, age: TimeAmount, now: NIODeadline, chance: Double) -> Action {
        switch state {
        case .fetching:
            let fetchedAt = now - age
            let jitter = TimeAmount.nanoseconds(Int64(Double(times.refresh.nanoseconds) / 10 * chance))
            lastFetch = fetchedAt
            state = .resting(
                held: Held(keys: keys, fetchedAt: fetchedAt),
                failures: 0,
                until: max(fetchedAt + times.refresh - jitter, now)
            )
            return .install(keys)
        case .idle, .resting:
            return .none
        }
    }

    mutating func fetchFailed(now: NIODeadline, chance: Double) -> Action {
        switch state {
        case .fetching(let held, let failures):
            let until = now + times.retry.delay(failures: failures + 1, chance: chance)
            let kept = held.flatMap { now < $0.fetchedAt + times.lifetime ? $0 : nil }
            state = .resting(held: kept, failures: failures + 1, until: until)
            return kept == nil && held != nil ? .drop : .keep
        case .idle, .resting:
            return .none
        }
    }

    mutating func timeReached(now: NIODeadline) -> Action {
        switch state {
        case .idle, .fetching:
            return .none
        case .resting(let held, let failures, let until):
            let isTooOld = held.map { now >= $0.fetchedAt + times.lifetime } ?? false
            let kept = isTooOld ? nil : held
            guard now >= until else {
                guard isTooOld else { return .none }
                state = .resting(held: nil, failures: failures, until: until)
                return .drop
            }
            state = .fetching(held: kept, failures: failures)
            return isTooOld ? .dropAndFetch : .fetch
        }
    }

    /// A token asks for a key that is not here.
    mutating func wanted(_ keyID: String, by caller: CallerAddress, now: NIODeadline) -> OnWanted {
        switch state {
        case .fetching:
            return .wait
        case .idle:
            state = .fetching(held: nil, failures: 0)
            return .fetch
        case .resting(let held, let failures, _):
            if let from = refreshableFrom, now < from { return .refuse }
            guard wantedKeys.isFirst(keyID, within: times.repeatInterval, now: now),
                callers.isFirst(caller, within: times.repeatInterval, now: now)
            else {
                return .refuse
            }
            state = .fetching(held: held, failures: failures)
            return .fetch
        }
    }
}

extension BoundedTable where Key: Hashable, Value == NIODeadline {
    /// Whether a key has not been here for so long; from now on it has.
    fileprivate mutating func isFirst(_ key: Key, within interval: TimeAmount, now: NIODeadline) -> Bool {
        let last = withValue(of: key, hash: key.hashValue) { ($0, keep: true) }
        if let last, now < last + interval { return false }
        set(key, hash: key.hashValue, to: now) { Int64(clamping: $0.uptimeNanoseconds) }
        return true
    }
}
