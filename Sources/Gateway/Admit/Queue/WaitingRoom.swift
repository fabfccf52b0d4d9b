internal import Coordination
internal import NIOCore
internal import Transport

/// The requests of one model that wait on one event loop: performs what `AdmissionQueue` decides.
final class WaitingRoom {
    private var queue: AdmissionQueue
    private var waiting: [UInt64: Exchange] = [:]
    private let timer: DeadlineTimer
    private var isRunning = false
    /// For the metrics.
    private(set) var counts = QueueCounts()

    /// To be called on the event loop, as all of its methods.
    init(_ bounds: AdmissionQueue.Bounds, eventLoop: any EventLoop) {
        queue = AdmissionQueue(bounds)
        timer = DeadlineTimer(eventLoop: eventLoop)
        timer.attach(self)
    }

    deinit { timer.stop() }

    /// What may wait.
    var bounds: AdmissionQueue.Bounds {
        get { queue.bounds }
        set { queue.bounds = newValue }
    }

    /// Milliseconds until it is worth asking for the first again.
    var waitLeft: Int64 { queue.waitLeft(Self.now()) }

    /// Whether a request of this priority is to enter without being asked for first.
    func isAhead(ofPriority priority: Int) -> Bool { queue.isAhead(ofPriority: priority) }

    /// - Parameter wait: milliseconds that its refusal named; `nil` where it was not asked for.
    /// - Returns: its ticket; `nil` if there is no room for it.
    func enter(_ exchange: Exchange, priority: Int, bytes: Int, wait: Int64?) -> UInt64? {
        switch queue.enter(priority: priority, bytes: bytes, wait: wait, now: Self.now()) {
        case .full:
            counts.full += 1
            return nil
        case .waits(let ticket, let displaced):
            waiting[ticket] = exchange
            counts.waiting += 1
            let wait = waitLeft
            for other in displaced { take(other, \.displaced)?.waitedInVain(wait: wait) }
            return ticket
        }
    }

    /// It waits no longer, for a reason of its own.
    func leave(_ ticket: UInt64) {
        guard take(ticket, \.left) != nil else { return }
        queue.leave(ticket)
        run()
    }

    /// What the coordinator said to the one that was asked for.
    func answered(_ ticket: UInt64, _ answer: AdmissionQueue.Answer, waited: TimeAmount) {
        switch answer {
        case .admitted: if take(ticket, \.admitted) != nil { counts.waits.observe(waited) }
        case .ended: _ = take(ticket, \.ended)
        case .refused: break
        }
        queue.answered(ticket, answer, now: Self.now())
        run()
    }

    /// An exchange of this loop has given something back.
    func capacityReturned() {
        guard counts.waiting > 0 else { return }
        queue.capacityReturned(now: Self.now())
        run()
    }

    /// Nobody waits for what will not come: the gateway is shutting down.
    func close() {
        for ticket in queue.close() { take(ticket, \.drained)?.waitIsOver(.shuttingDown) }
        timer.stop()
    }

    /// Does what there is to do now, and sets the timer for the rest.
    func run() {
        // Exchanges that are asked or refused may end at once, and come back here.
        guard !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        while true {
            switch queue.next(now: Self.now()) {
            case .ask(let ticket):
                guard let exchange = waiting[ticket] else {
                    queue.answered(ticket, .ended, now: Self.now())
                    continue
                }
                exchange.askAgain(ticket)
            case .expire(let ticket, let wait):
                take(ticket, \.expired)?.waitedInVain(wait: wait)
            case .sleep(let until):
                return timer.set(.uptimeNanoseconds(UInt64(until) * 1_000_000))
            case .idle:
                return timer.set(.distantFuture)
            }
        }
    }

    private func take(_ ticket: UInt64, _ outcome: WritableKeyPath<QueueCounts, Int>) -> Exchange? {
        guard let exchange = waiting.removeValue(forKey: ticket) else { return nil }
        counts.waiting -= 1
        counts[keyPath: outcome] += 1
        exchange.ticket = nil
        return exchange
    }

    private static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
}

extension WaitingRoom: DeadlineHandler {
    func deadlineReached(_ timer: DeadlineTimer) { run() }
}

/// The waiting rooms of one event loop, made when they are needed first.
struct WaitingRooms {
    private var rooms: [String: WaitingRoom] = [:]
    private let eventLoop: any EventLoop
    /// The gateway is shutting down: nobody waits any more.
    private var isClosed = false

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func room(ofModel name: String) -> WaitingRoom? { rooms[name] }

    mutating func room(ofModel name: String, _ bounds: AdmissionQueue.Bounds) -> WaitingRoom? {
        if isClosed { return nil }
        if let room = rooms[name] {
            room.bounds = bounds
            return room
        }
        let room = WaitingRoom(bounds, eventLoop: eventLoop)
        rooms[name] = room
        return room
    }

    /// Deployments are shared by models, so all of them are told.
    func capacityReturned() { for room in rooms.values { room.capacityReturned() } }

    mutating func close() {
        isClosed = true
        for room in rooms.values { room.close() }
    }

    func counts(ofModel name: String) -> QueueCounts { rooms[name]?.counts ?? QueueCounts() }
}

/// What became of the requests that waited for one model.
struct QueueCounts {
    var waiting = 0
    var admitted = 0
    /// Refused when their time was over.
    var expired = 0
    /// Their clients left, or what they had begun ended otherwise.
    var left = 0
    /// Refused for one of a higher priority.
    var displaced = 0
    /// Refused because there was no room to wait.
    var full = 0
    /// Answered otherwise when it was their turn, such as by a limit of their client.
    var ended = 0
    /// Refused by a shutdown.
    var drained = 0
    /// Of those that were admitted.
    var waits = Histogram(bounds: Histogram.timeBounds)

    /// Outcomes with their names in the metrics.
    var outcomes: [(name: String, count: Int)] {
        [
            ("admitted", admitted), ("expired", expired), ("left", left), ("displaced", displaced), ("full", full),
            ("refused", ended), ("drained", drained),
        ]
    }

    var wasUsed: Bool { waiting > 0 || outcomes.contains { $0.count > 0 } }

    mutating func add(_ other: Self) {
        waiting += other.waiting
        admitted += other.admitted
        expired += other.expired
        left += other.left
        displaced += other.displaced
        full += other.full
        ended += other.ended
        drained += other.drained
        waits.add(other.waits)
    }
}
