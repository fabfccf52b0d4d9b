import Testing

@testable import Coordination

struct SettleQueueTests {
    typealias Queue = SettleQueue<String>

    fileprivate static func queue(_ entries: String..., capacity: Int = 8, window: Int = 2) -> QueueHolder {
        let queue = QueueHolder(Queue(capacity: capacity, window: window))
        for entry in entries { #expect(queue.add(entry) == nil) }
        return queue
    }

    /// With `a` in flight and `b` waiting.
    fileprivate static func held() throws -> (queue: QueueHolder, ticket: UInt64) {
        let queue = queue("x", "a", "b")
        let first = try #require(queue.next())
        let second = try #require(queue.next())
        #expect(queue.failed(first.ticket, .notRun) == nil)
        return (queue, second.ticket)
    }

    // MARK: flowing

    @Test func entriesAreHandedOutInOrderAndNotMoreThanTheWindow() throws {
        let queue = Self.queue("a", "b", "c")
        let first = try #require(queue.next())
        #expect(first.entry == "a" && first.attempt == 1)
        #expect(queue.next()?.entry == "b")
        #expect(queue.next() == nil, "two are in flight")
        #expect(queue.acknowledged(first.ticket) == "a")
        #expect(queue.acknowledged(first.ticket) == nil, "once")
        #expect(queue.next()?.entry == "c")
        #expect(queue.count == 2)
    }

    @Test func anEmptyQueueHandsOutNothing() {
        let queue = Self.queue()
        #expect(queue.next() == nil)
        #expect(queue.count == 0)
    }

    @Test func aFullQueueDropsTheOldestThatWaits() throws {
        let queue = Self.queue("a", "b", "c", capacity: 3, window: 1)
        let first = try #require(queue.next())
        #expect(queue.add("d") == "b", "a is in flight")
        #expect(queue.count == 3)
        #expect(queue.acknowledged(first.ticket) == "a")
        #expect(queue.next()?.entry == "c")
    }

    @Test func resumingWhatFlowsChangesNothing() {
        let queue = Self.queue("a")
        queue.resume()
        #expect(!queue.isHeld)
        #expect(queue.next()?.attempt == 1)
    }

    // MARK: failures

    @Test(arguments: Queue.Failure.allCases) func aFailedEntryIsFirstAgain(_ failure: Queue.Failure) throws {
        let queue = Self.queue("a", "b")
        let first = try #require(queue.next())
        #expect(queue.failed(first.ticket, failure) == nil)
        #expect(queue.isHeld)
        #expect(queue.next() == nil)
        queue.resume()
        let again = try #require(queue.next())
        #expect(again.entry == "a")
        #expect(again.attempt == (failure == .notRun ? 1 : 2), "a number under which nothing ran is used again")
        #expect(again.ticket != first.ticket)
    }

    @Test func whatIsUnknownIsTriedForever() throws {
        let queue = Self.queue("a")
        for attempt in 1...100 {
            let sending = try #require(queue.next())
            #expect(sending.attempt == attempt)
            #expect(queue.failed(sending.ticket, .unknown) == nil)
            queue.resume()
        }
        #expect(queue.count == 1)
    }

    @Test func whatIsRefusedIsGivenUpAfterThreeAttempts() throws {
        let queue = Self.queue("a", "b")
        for _ in 1..<Queue.mostRefusals {
            #expect(queue.failed(try #require(queue.next()).ticket, .refused) == nil)
            queue.resume()
        }
        #expect(queue.failed(try #require(queue.next()).ticket, .refused) == "a")
        queue.resume()
        #expect(queue.next()?.entry == "b")
    }

    @Test func aTicketThatIsNotInFlightFailsWithoutEffect() {
        let queue = Self.queue("a")
        #expect(queue.failed(7, .unknown) == nil)
        #expect(!queue.isHeld)
        #expect(queue.count == 1)
    }

    // MARK: held

    @Test func aHeldQueueTakesEntriesAndHandsOutNone() throws {
        let (queue, _) = try Self.held()
        #expect(queue.add("c") == nil)
        #expect(queue.next() == nil)
        #expect(queue.isHeld)
        #expect(queue.count == 4)
    }

    @Test func aHeldQueueHearsOfWhatIsInFlight() throws {
        let (queue, ticket) = try Self.held()
        #expect(queue.acknowledged(ticket) == "a")
        #expect(queue.isHeld)
        #expect(queue.count == 2)
    }

    @Test(arguments: Queue.Failure.allCases) func aHeldQueueStaysSoWhenMoreFails(_ failure: Queue.Failure) throws {
        let (queue, ticket) = try Self.held()
        #expect(queue.failed(ticket, failure) == nil)
        #expect(queue.isHeld)
        queue.resume()
        #expect(queue.next()?.entry == "a")
    }

    @Test func aHeldQueueThatIsClosedGivesEverythingBack() throws {
        let (queue, _) = try Self.held()
        #expect(queue.close() == ["a", "x", "b"], "in flight first")
        #expect(queue.isClosed)
    }

    // MARK: closed

    @Test func aClosedQueueTakesNothingAndHandsOutNothing() throws {
        let queue = Self.queue("a", "b")
        let ticket = try #require(queue.next()).ticket
        #expect(queue.close() == ["a", "b"])
        #expect(queue.add("c") == "c")
        #expect(queue.next() == nil)
        #expect(queue.acknowledged(ticket) == nil, "it was given up")
        #expect(queue.failed(ticket, .unknown) == nil)
        queue.resume()
        #expect(queue.isClosed)
        #expect(queue.close() == [])
        #expect(queue.count == 0)
    }
}

/// The queue, held so that `#expect` can change it.
private final class QueueHolder {
    private var queue: SettleQueue<String>

    init(_ queue: SettleQueue<String>) { self.queue = queue }

    var count: Int { queue.count }
    var isHeld: Bool { queue.isHeld }
    var isClosed: Bool { queue.isClosed }

    func add(_ entry: String) -> String? { queue.add(entry) }
    func next() -> SettleQueue<String>.Sending? { queue.next() }
    func acknowledged(_ ticket: UInt64) -> String? { queue.acknowledged(ticket) }
    func failed(_ ticket: UInt64, _ failure: SettleQueue<String>.Failure) -> String? { queue.failed(ticket, failure) }
    func resume() { queue.resume() }
    func close() -> [String] { queue.close() }
}
