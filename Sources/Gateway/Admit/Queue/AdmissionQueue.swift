internal import DequeModule

/// Requests of one model that every deployment refused, and that wait for capacity to return. Pure: time is an argument, in
/// milliseconds; `WaitingRoom` performs what it returns.
///
/// By priority, then by age. Only the first is ever asked for, one at a time, when the wait that its last refusal named is
/// over or when this event loop has given something back: however many wait, the coordinator gets one question at a time. A
/// request that needs more than is there is not passed by a smaller one behind it, or it would wait for ever.
struct AdmissionQueue {
    struct Bounds: Equatable {
        /// Requests that may wait.
        var count: Int
        /// Bytes of their bodies together.
        var bytes: Int
        /// Milliseconds that each may wait.
        var wait: Int64
    }

    struct Entry: Equatable {
        /// Ascending in order of arrival.
        let ticket: UInt64
        /// 0 the highest ... 9 the lowest.
        let priority: Int
        let bytes: Int
        /// Answered with a refusal at this time.
        let deadline: Int64
    }

    enum Action: Equatable {
        /// Ask the coordinator for this one, and say what came of it with `answered`.
        case ask(UInt64)
        /// Its time is over: refuse it. Milliseconds until it is worth another try.
        case expire(UInt64, wait: Int64)
        /// Nothing to do before this time.
        case sleep(until: Int64)
        /// Nobody waits, or the answer for the first is on its way and no deadline is near.
        case idle
    }

    enum OnEnter: Equatable {
        /// It waits; those displaced by its higher priority are to be refused.
        case waits(ticket: UInt64, displaced: [UInt64])
        /// There is no room for it.
        case full
    }

    /// What the coordinator said to the one that was asked for.
    enum Answer: Equatable {
        case admitted
        /// No deployment is free; one may be after so many milliseconds.
        case refused(wait: Int64)
        /// It got another answer, and waits no longer.
        case ended
    }

    private enum Asking: Equatable {
        /// The first is asked for at `at`.
        case paused(until: Int64)
        /// The coordinator is asked. `again`: something was given back since.
        case asked(UInt64, again: Bool)
    }

    /// By priority, each in order of arrival.
    private var entries: [Deque<Entry>] = Array(repeating: [], count: 10)
    private var asking = Asking.paused(until: 0)
    private var lastAsked: Int64 = .min / 2
    private var nextTicket: UInt64 = 0
    /// No deadline is before it.
    private var earliest: Int64 = .max
    private(set) var count = 0
    private(set) var bytes = 0
    /// Of whoever enters; a new configuration may bring others.
    var bounds: Bounds

    /// Milliseconds between two questions, whatever comes back meanwhile and however short the wait is.
    static let shortestPause: Int64 = 10

    init(_ bounds: Bounds) { self.bounds = bounds }

    /// Whether a request of this priority has to wait behind others, and is not to be asked for before them.
    func isAhead(ofPriority priority: Int) -> Bool {
        count > 0 && entries[...priority].contains { !$0.isEmpty }
    }

    /// - Parameter wait: what its own refusal named; `nil` for a request that was not asked for, as others are ahead of it.
    mutating func enter(priority: Int, bytes: Int, wait: Int64?, now: Int64) -> OnEnter {
        guard bounds.count > 0, bytes <= bounds.bytes else { return .full }
        var displaced: [Entry] = []
        var (count, sum) = (self.count, self.bytes)
        // From the lowest priority, the youngest first, and only if that makes room.
        for level in stride(from: 9, to: priority, by: -1) {
            for entry in entries[level].reversed() {
                guard count >= bounds.count || sum + bytes > bounds.bytes else { break }
                displaced.append(entry)
                count -= 1
                sum -= entry.bytes
            }
        }
        guard count < bounds.count, sum + bytes <= bounds.bytes else { return .full }
        for entry in displaced { remove(entry.ticket) }
        nextTicket += 1
        let entry = Entry(ticket: nextTicket, priority: priority, bytes: bytes, deadline: now + bounds.wait)
        let isFirst = !isAhead(ofPriority: priority)
        entries[priority].append(entry)
        self.count += 1
        self.bytes += bytes
        earliest = min(earliest, entry.deadline)
        if isFirst, let wait, case .paused = asking { asking = .paused(until: pause(wait, now)) }
        return .waits(ticket: entry.ticket, displaced: displaced.map(\.ticket))
    }

    /// It was answered, or its client left.
    mutating func leave(_ ticket: UInt64) { remove(ticket) }

    /// An exchange of this loop has given something back that the first may need.
    mutating func capacityReturned(now: Int64) {
        switch asking {
        case .paused(let until): asking = .paused(until: min(until, max(now, lastAsked + Self.shortestPause)))
        case .asked(let ticket, _): asking = .asked(ticket, again: true)
        }
    }

    mutating func answered(_ ticket: UInt64, _ answer: Answer, now: Int64) {
        guard case .asked(ticket, let again) = asking else { return }
        switch answer {
        case .admitted, .ended:
            remove(ticket)
            asking = .paused(until: now)
        case .refused(let wait):
            asking = .paused(until: again ? lastAsked + Self.shortestPause : pause(wait, now))
        }
    }

    /// The next thing to do; to be called until it says `sleep` or `idle`.
    mutating func next(now: Int64) -> Action {
        if now >= earliest {
            if let entry = expired(now) {
                remove(entry.ticket)
                return .expire(entry.ticket, wait: waitLeft(now))
            }
            earliest = entries.lazy.joined().map(\.deadline).min() ?? .max
        }
        guard count > 0, let first = entries.first(where: { !$0.isEmpty })?.first else { return .idle }
        switch asking {
        case .asked: return .sleep(until: earliest)
        case .paused(let until):
            guard now >= until else { return .sleep(until: min(until, earliest)) }
            asking = .asked(first.ticket, again: false)
            lastAsked = now
            return .ask(first.ticket)
        }
    }

    /// All that wait, first to last; nobody does afterwards.
    mutating func close() -> [UInt64] {
        defer { for level in entries.indices { entries[level].removeAll() } }
        (count, bytes, earliest) = (0, 0, .max)
        return entries.lazy.joined().map(\.ticket)
    }

    /// Milliseconds until it is worth asking again.
    func waitLeft(_ now: Int64) -> Int64 {
        guard case .paused(let until) = asking else { return Self.shortestPause }
        return max(until - now, Self.shortestPause)
    }

    private func pause(_ wait: Int64, _ now: Int64) -> Int64 { now + max(wait, Self.shortestPause) }

    private func expired(_ now: Int64) -> Entry? {
        for level in entries { if let entry = level.first(where: { $0.deadline <= now }) { return entry } }
        return nil
    }

    private mutating func remove(_ ticket: UInt64) {
        for level in entries.indices {
            // Tickets ascend.
            var (low, high) = (0, entries[level].count)
            while low < high {
                let middle = (low + high) / 2
                if entries[level][middle].ticket < ticket { low = middle + 1 } else { high = middle }
            }
            guard low < entries[level].count, entries[level][low].ticket == ticket else { continue }
            count -= 1
            bytes -= entries[level].remove(at: low).bytes
            return
        }
    }
}
