/// A table that never holds more than it was made for: what comes puts out what matters least among a few neighbours.
///
/// Keys fall into sets of eight by their hash. A set takes memory only when something falls into it, lookups look at eight
/// entries at most, and nothing is ever moved to make room.
struct BoundedTable<Key: Equatable, Value> {
    /// What a table wants to know of its entries.
    typealias Rank = (borrowing Value) -> Int64

    private struct Entry {
        let key: Key
        var value: Value
    }

    static var ways: Int { 8 }

    private var sets: [ContiguousArray<Entry>]
    private(set) var count = 0

    /// Bytes of one entry.
    static var entryBytes: Int { MemoryLayout<Entry>.stride }

    /// - Parameter capacity: entries, at least; rounded up to a power of two.
    init(capacity: Int) {
        var sets = 1
        while sets * Self.ways < capacity { sets *= 2 }
        self.sets = Array(repeating: [], count: sets)
    }

    var capacity: Int { sets.count * Self.ways }

    /// Shows an entry to `body`, which may change it and says whether it stays.
    mutating func withValue<Result>(of key: Key, hash: Int, _ body: (inout Value) -> (Result, keep: Bool)) -> Result? {
        let set = hash & (sets.count - 1)
        guard let index = sets[set].firstIndex(where: { $0.key == key }) else { return nil }
        let (result, keep) = body(&sets[set][index].value)
        if !keep {
            sets[set].remove(at: index)
            count -= 1
        }
        return result
    }

    /// - Parameter rank: of two entries, the one with the lower rank makes room.
    mutating func set(_ key: Key, hash: Int, to value: Value, rank: Rank) {
        let set = hash & (sets.count - 1)
        if let index = sets[set].firstIndex(where: { $0.key == key }) {
            sets[set][index].value = value
        } else if sets[set].count < Self.ways {
            sets[set].append(Entry(key: key, value: value))
            count += 1
        } else {
            var lowest = 0
            for index in 1..<Self.ways where rank(sets[set][index].value) < rank(sets[set][lowest].value) {
                lowest = index
            }
            sets[set][lowest] = Entry(key: key, value: value)
        }
    }
}
