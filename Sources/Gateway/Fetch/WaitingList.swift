/// Those who wait on one event loop for something that is being fetched; never more than a bound.
package struct WaitingList<Answer> {
    package typealias Tell = (Answer) -> Void

    package struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// Of one list. Whoever comes then is told at once that there is nothing.
    package static var maxCount: Int { 1000 }

    private var waiting: [Ticket: Tell] = [:]
    private var tickets: UInt64 = 0

    package init() {}

    package var count: Int { waiting.count }

    /// `nil` when too many wait.
    package mutating func add(_ tell: @escaping Tell) -> Ticket? {
        guard waiting.count < Self.maxCount else { return nil }
        tickets += 1
        let ticket = Ticket(number: tickets)
        waiting[ticket] = tell
        return ticket
    }

    package mutating func remove(_ ticket: Ticket) -> Tell? { waiting.removeValue(forKey: ticket) }

    /// Those who waited, in the order in which they came. They are told by the caller: each may add another.
    package mutating func removeAll() -> [Tell] {
        let all = waiting.sorted { $0.key.number < $1.key.number }.map(\.value)
        waiting.removeAll()
        return all
    }
}
