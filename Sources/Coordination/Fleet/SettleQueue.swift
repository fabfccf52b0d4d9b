internal import DequeModule

/// What has to be told to Redis sooner or later: the ends of leases. Pure; the driver sends and says what became of it.
///
/// An entry leaves when Redis has acknowledged it. Each attempt number is sent once: the scripts then apply it at most once,
/// in whatever order attempts arrive. A number is used again only where it is certain that nothing was sent under it.
struct SettleQueue<Entry> {
    private enum State: Equatable {
        /// Entries are handed out. Can go to: `.held`, `.closed`.
        case flowing
        /// Redis did not take the last one: nothing is handed out. Can go to: `.flowing`, `.closed`.
        case held
        /// Takes and hands out nothing. Final.
        case closed
    }

    private struct Item {
        let entry: Entry
        var attempt = 1
        /// Times that Redis, in good health, answered with an error.
        var refusals = 0
    }

    struct Sending {
        let ticket: UInt64
        let entry: Entry
        let attempt: Int
    }

    /// Why an entry was not acknowledged.
    enum Failure: Equatable, CaseIterable {
        /// It certainly had no effect.
        case notRun
        /// It may have had its effect.
        case unknown
        /// A healthy Redis does not want it: a mistake of ours, or a server that is not what it should be.
        case refused
    }

    static var mostEntries: Int { 65_536 }
    /// More would delay the admissions that share the connection.
    static var mostInFlight: Int { 256 }
    static var mostRefusals: Int { 3 }

    private let capacity: Int
    private let window: Int
    private var state = State.flowing
    private var waiting: Deque<Item> = []
    private var inFlight: [UInt64: Item] = [:]
    private var lastTicket: UInt64 = 0

    init(capacity: Int = mostEntries, window: Int = mostInFlight) {
        precondition(0 < window && window < capacity, "some entries can wait while others are in flight")
        self.capacity = capacity
        self.window = window
    }

    var count: Int { waiting.count + inFlight.count }
    var isHeld: Bool { state == .held }
    var isClosed: Bool { state == .closed }

    /// - Returns: what finds no room: the oldest that waits, or after the end the entry itself.
    mutating func add(_ entry: Entry) -> Entry? {
        switch state {
        case .closed:
            return entry
        case .flowing, .held:
            // Fewer are in flight than there is room for, so a full queue has one that waits.
            let dropped = count == capacity ? waiting.popFirst() : nil
            waiting.append(Item(entry: entry))
            return dropped?.entry
        }
    }

    /// What to send next, `nil` for nothing now.
    mutating func next() -> Sending? {
        switch state {
        case .held, .closed:
            return nil
        case .flowing:
            guard inFlight.count < window, let item = waiting.popFirst() else { return nil }
            lastTicket += 1
            inFlight[lastTicket] = item
            return Sending(ticket: lastTicket, entry: item.entry, attempt: item.attempt)
        }
    }

    /// - Returns: `nil` if it had been given up before.
    mutating func acknowledged(_ ticket: UInt64) -> Entry? { inFlight.removeValue(forKey: ticket)?.entry }

    /// Puts the entry back in front, and holds the rest until `resume`.
    ///
    /// - Returns: the entry if it is given up.
    mutating func failed(_ ticket: UInt64, _ failure: Failure) -> Entry? {
        guard var item = inFlight.removeValue(forKey: ticket) else { return nil }
        switch state {
        case .closed:
            preconditionFailure("a closed queue has nothing in flight")
        case .flowing, .held:
            state = .held
        }
        switch failure {
        case .notRun: break
        case .unknown: item.attempt += 1
        case .refused:
            item.attempt += 1
            item.refusals += 1
            if item.refusals == Self.mostRefusals { return item.entry }
        }
        waiting.prepend(item)
        return nil
    }

    /// Redis is back, or has had some time.
    mutating func resume() {
        switch state {
        case .held: state = .flowing
        case .flowing, .closed: break
        }
    }

    /// - Returns: all that was not acknowledged, those in flight among them.
    mutating func close() -> [Entry] {
        switch state {
        case .closed:
            return []
        case .flowing, .held:
            state = .closed
            let left = inFlight.sorted { $0.key < $1.key }.map(\.value.entry) + waiting.map(\.entry)
            inFlight = [:]
            waiting = []
            return left
        }
    }
}
