import TestSupport
import Testing

@testable import Gateway

@Suite("The queue of a model")
struct AdmissionQueueTests {
    private typealias Queue = AdmissionQueue

    private static let bounds = AdmissionQueue.Bounds(count: 4, bytes: 1000, wait: 5000)

    private static func queue(_ bounds: AdmissionQueue.Bounds = bounds) -> AdmissionQueue { AdmissionQueue(bounds) }

    /// Enters what was refused with a wait, and returns its ticket.
    private func ticket(
        _ queue: inout AdmissionQueue,
        priority: Int = 5,
        bytes: Int = 10,
        wait: Int64? = 100,
        now: Int64 = 0
    ) throws -> UInt64 {
        guard
            case .waits(let ticket, let displaced) = queue.enter(priority: priority, bytes: bytes, wait: wait, now: now)
        else { throw Unexpected("a full queue") }
        #expect(displaced.isEmpty)
        return ticket
    }

    // MARK: turns

    @Test("asks for the first when the wait of its refusal is over, and for one at a time")
    func oneAtATime() throws {
        var queue = Self.queue()
        #expect(queue.next(now: 0) == .idle)
        let first = try ticket(&queue)
        let second = try ticket(&queue, wait: nil)
        #expect(queue.next(now: 0) == .sleep(until: 100))
        #expect(queue.next(now: 99) == .sleep(until: 100))
        #expect(queue.next(now: 100) == .ask(first))
        #expect(queue.next(now: 101) == .sleep(until: 5000), "the answer is on its way")
        queue.answered(first, .admitted, now: 102)
        #expect(queue.next(now: 102) == .ask(second), "where one got in, the next may")
        queue.answered(second, .refused(wait: 250), now: 103)
        #expect(queue.next(now: 103) == .sleep(until: 353))
        #expect(queue.count == 1)
    }

    @Test("goes by priority, then by age")
    func order() throws {
        var queue = Self.queue()
        let low = try ticket(&queue, priority: 9)
        let older = try ticket(&queue, priority: 5)
        let younger = try ticket(&queue, priority: 5)
        let high = try ticket(&queue, priority: 0)
        var order: [UInt64] = []
        while case .ask(let ticket) = queue.next(now: 1000) {
            order.append(ticket)
            queue.answered(ticket, .admitted, now: 1000)
        }
        #expect(order == [high, older, younger, low])
        #expect(queue.next(now: 1000) == .idle)
        #expect(queue.count == 0 && queue.bytes == 0)
    }

    @Test("a request of a higher priority is asked for first, and one of the same or a lower one waits behind")
    func newcomers() throws {
        var queue = Self.queue()
        for priority in 0...9 { #expect(!queue.isAhead(ofPriority: priority)) }
        _ = try ticket(&queue, priority: 4)
        for priority in 0...9 { #expect(queue.isAhead(ofPriority: priority) == (priority >= 4)) }
    }

    @Test("does not ask again before a pause, however short the wait is")
    func shortestPause() throws {
        var queue = Self.queue()
        let first = try ticket(&queue, wait: 1)
        #expect(queue.next(now: 0) == .sleep(until: 10))
        #expect(queue.next(now: 10) == .ask(first))
        queue.answered(first, .refused(wait: 1), now: 11)
        #expect(queue.next(now: 11) == .sleep(until: 21))
    }

    // MARK: capacity

    @Test("asks at once when something was given back, but not more often than the pause allows")
    func capacityReturns() throws {
        var queue = Self.queue()
        queue.capacityReturned(now: 0)
        #expect(queue.next(now: 0) == .idle)
        let first = try ticket(&queue, wait: 4000)
        queue.capacityReturned(now: 1000)
        #expect(queue.next(now: 1000) == .ask(first))
        queue.answered(first, .refused(wait: 4000), now: 1002)
        for now in 1003...1009 as ClosedRange<Int64> {
            queue.capacityReturned(now: now)
            #expect(queue.next(now: now) == .sleep(until: 1010))
        }
        #expect(queue.next(now: 1010) == .ask(first))
    }

    @Test("asks again when something was given back while it asked")
    func capacityReturnsWhileAsking() throws {
        var queue = Self.queue()
        let first = try ticket(&queue)
        #expect(queue.next(now: 100) == .ask(first))
        queue.capacityReturned(now: 101)
        queue.answered(first, .refused(wait: 4000), now: 102)
        #expect(queue.next(now: 102) == .sleep(until: 110))
        #expect(queue.next(now: 110) == .ask(first))
    }

    // MARK: ends

    @Test("nobody waits longer than the longest wait, whether asked for or not")
    func expiry() throws {
        var queue = Self.queue()
        let first = try ticket(&queue, priority: 9, wait: 60_000, now: 0)
        let second = try ticket(&queue, priority: 0, wait: 60_000, now: 10)
        #expect(queue.next(now: 4999) == .sleep(until: 5000))
        #expect(queue.next(now: 5000) == .expire(first, wait: 55_010))
        #expect(queue.next(now: 5000) == .sleep(until: 5010))
        #expect(queue.next(now: 5010) == .expire(second, wait: 55_000))
        #expect(queue.next(now: 5010) == .idle)

        let asked = try ticket(&queue, wait: 4990, now: 6000)
        #expect(queue.next(now: 10_990) == .ask(asked))
        #expect(queue.next(now: 11_000) == .expire(asked, wait: 10), "its answer comes too late")
        queue.answered(asked, .admitted, now: 11_001)
        #expect(queue.next(now: 11_001) == .idle)
    }

    @Test("one that leaves makes way, at any place and at any time")
    func leaving() throws {
        var queue = Self.queue()
        let first = try ticket(&queue)
        let second = try ticket(&queue)
        let third = try ticket(&queue)
        queue.leave(second)
        queue.leave(second)
        #expect(queue.count == 2 && queue.bytes == 20)
        #expect(queue.next(now: 100) == .ask(first))
        queue.leave(first)
        #expect(queue.next(now: 101) == .sleep(until: 5000), "its answer is still on its way")
        queue.answered(first, .admitted, now: 102)
        #expect(queue.next(now: 102) == .ask(third), "what it got was given back")
        queue.answered(third, .ended, now: 103)
        #expect(queue.next(now: 103) == .idle)
        #expect(queue.count == 0 && queue.bytes == 0)
    }

    @Test("an answer that nobody asked for changes nothing")
    func strayAnswers() throws {
        var queue = Self.queue()
        let first = try ticket(&queue)
        for answer in [Queue.Answer.admitted, .refused(wait: 1), .ended] { queue.answered(first, answer, now: 0) }
        #expect(queue.count == 1)
        #expect(queue.next(now: 0) == .sleep(until: 100))
        #expect(queue.next(now: 100) == .ask(first))
        queue.answered(first + 1, .admitted, now: 100)
        #expect(queue.next(now: 100) == .sleep(until: 5000))
    }

    @Test("a shutdown ends all of them, first to last")
    func closing() throws {
        var queue = Self.queue()
        let low = try ticket(&queue, priority: 7)
        let high = try ticket(&queue, priority: 2)
        #expect(queue.close() == [high, low])
        #expect(queue.close().isEmpty)
        #expect(queue.next(now: 10_000) == .idle)
        #expect(queue.count == 0 && queue.bytes == 0)
    }

    // MARK: bounds

    @Test("holds no more than its bounds, and a higher priority takes the place of the youngest of the lowest")
    func displacing() throws {
        var queue = Self.queue()
        let oldest = try ticket(&queue, priority: 5)
        _ = try ticket(&queue, priority: 3)
        let old = try ticket(&queue, priority: 8)
        let young = try ticket(&queue, priority: 8)
        #expect(queue.enter(priority: 8, bytes: 1, wait: 1, now: 0) == .full)
        #expect(queue.enter(priority: 9, bytes: 1, wait: 1, now: 0) == .full)
        #expect(queue.enter(priority: 5, bytes: 1, wait: 1, now: 0) == .waits(ticket: 5, displaced: [young]))
        #expect(queue.enter(priority: 5, bytes: 1, wait: 1, now: 0) == .waits(ticket: 6, displaced: [old]))
        #expect(queue.enter(priority: 5, bytes: 1, wait: 1, now: 0) == .full)
        #expect(queue.enter(priority: 4, bytes: 1, wait: 1, now: 0) == .waits(ticket: 7, displaced: [6]))
        #expect(queue.count == 4)
        queue.leave(oldest)
        #expect(queue.enter(priority: 9, bytes: 1, wait: 1, now: 0) == .waits(ticket: 8, displaced: []))
    }

    @Test("holds no more bytes than its bounds, and displaces nobody in vain")
    func bytes() throws {
        var queue = Self.queue()
        let low = try ticket(&queue, priority: 8, bytes: 600)
        _ = try ticket(&queue, priority: 2, bytes: 300)
        #expect(queue.enter(priority: 9, bytes: 101, wait: 1, now: 0) == .full)
        #expect(queue.enter(priority: 5, bytes: 1001, wait: 1, now: 0) == .full)
        #expect(queue.enter(priority: 5, bytes: 701, wait: 1, now: 0) == .full, "not even with the other gone")
        #expect(queue.bytes == 900 && queue.count == 2)
        #expect(queue.enter(priority: 5, bytes: 700, wait: 1, now: 0) == .waits(ticket: 3, displaced: [low]))
        #expect(queue.bytes == 1000)
    }

    @Test("without room nobody waits")
    func noRoom() {
        var queue = Self.queue(.init(count: 0, bytes: 1000, wait: 5000))
        #expect(queue.enter(priority: 0, bytes: 0, wait: 1, now: 0) == .full)
    }

    // MARK: any order

    @Test("keeps its promises in any order of events", arguments: [1, 2, 3, 4] as [UInt64])
    func anyOrder(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<300 {
            var queue = Self.queue(.init(count: 6, bytes: 300, wait: 200))
            // What the queue should hold, as plain facts.
            var waiting: [UInt64: (priority: Int, entered: Int64, bytes: Int)] = [:]
            var asked: UInt64?
            var lastAsked: Int64 = .min / 2
            var now: Int64 = 0
            for _ in 0..<120 {
                now += Int64.random(in: 0...30, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    let (priority, bytes) = (
                        Int.random(in: 0...9, using: &random), Int.random(in: 0...120, using: &random)
                    )
                    let wait: Int64? = Bool.random(using: &random) ? nil : Int64.random(in: 0...100, using: &random)
                    if case .waits(let ticket, let displaced) = queue.enter(
                        priority: priority,
                        bytes: bytes,
                        wait: wait,
                        now: now
                    ) {
                        for other in displaced {
                            let gone = waiting.removeValue(forKey: other)
                            #expect(try #require(gone).priority > priority)
                        }
                        waiting[ticket] = (priority, now, bytes)
                    }
                case 2:
                    if let ticket = waiting.keys.sorted().randomElement(using: &random) {
                        queue.leave(ticket)
                        waiting[ticket] = nil
                    }
                case 3:
                    queue.capacityReturned(now: now)
                default:
                    if let ticket = asked {
                        let answer: Queue.Answer = [.admitted, .refused(wait: 40), .ended].randomElement(
                            using: &random
                        )!
                        queue.answered(ticket, answer, now: now)
                        if case .refused = answer {} else { waiting[ticket] = nil }
                        asked = nil
                    }
                }
                loop: while true {
                    switch queue.next(now: now) {
                    case .ask(let ticket):
                        #expect(asked == nil, "one at a time")
                        #expect(lastAsked <= now)
                        let entry = try #require(waiting[ticket])
                        let first = try #require(
                            waiting.min { ($0.value.priority, $0.key) < ($1.value.priority, $1.key) }
                        )
                        #expect(first.key == ticket, "in order")
                        #expect(entry.entered + 200 > now)
                        (asked, lastAsked) = (ticket, now)
                    case .expire(let ticket, let wait):
                        let gone = waiting.removeValue(forKey: ticket)
                        #expect(try #require(gone).entered + 200 <= now)
                        #expect(wait >= Queue.shortestPause)
                    case .sleep(let until):
                        #expect(until > now)
                        break loop
                    case .idle:
                        #expect(waiting.isEmpty)
                        break loop
                    }
                }
                #expect(queue.count == waiting.count)
                #expect(queue.bytes == waiting.values.reduce(0) { $0 + $1.bytes })
                #expect(queue.count <= 6 && queue.bytes <= 300)
                #expect(waiting.values.allSatisfy { $0.entered + 200 > now }, "nobody waits too long")
            }
        }
    }
}
