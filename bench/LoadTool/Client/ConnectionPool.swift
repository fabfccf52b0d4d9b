internal import DequeModule

/// The connections of one loop to one target, and the requests that wait for one.
struct ConnectionPool {
    let maximum: Int
    /// Every one that is open or opening; in no order.
    private(set) var all: [Connection] = []
    /// The last one released is the first one taken, so that few stay warm.
    private var idle: [Connection] = []
    private(set) var opening = 0
    var waiting = Deque<Exchange>()

    init(maximum: Int) { self.maximum = maximum }

    mutating func takeIdle() -> Connection? {
        while let connection = idle.popLast() {
            if connection.isUsable { return connection }
        }
        return nil
    }

    /// Whether one more should be opened: some request waits that none of those being opened will serve.
    var wantsAnother: Bool { waiting.count > opening && all.count + opening < maximum }

    mutating func beganOpening() { opening += 1 }
    mutating func failedOpening() { opening -= 1 }

    mutating func opened(_ connection: Connection) {
        opening -= 1
        connection.place = all.count
        all.append(connection)
    }

    mutating func release(_ connection: Connection) { idle.append(connection) }

    mutating func remove(_ connection: Connection) {
        let place = connection.place
        guard place < all.count, all[place] === connection else { return }
        all[place] = all[all.count - 1]
        all[place].place = place
        all.removeLast()
        idle.removeAll { $0 === connection }
    }
}
