/// Rows of CSV (RFC 4180, lines end with LF), one behind the other. Fields are added from left to right.
struct CSVRows: ~Copyable {
    private var buffer: LineBuffer
    private var isFirst = true
    /// The text of the second of the last time, up to its point: events that come together have it in common.
    private var second: [UInt8] = []
    private var secondsSince1970 = Int64.min

    /// - Parameter capacity: bytes to make room for at first.
    init(capacity: Int) { buffer = LineBuffer(capacity: capacity) }

    /// The rows, which are then no longer here.
    mutating func take() -> [UInt8] { buffer.take() }

    mutating func add(row fields: [String]) {
        for field in fields { add(field) }
        end()
    }

    mutating func end() {
        buffer.reserve(1)
        buffer.store(UInt8(ascii: "\n"))
        isFirst = true
    }

    mutating func add(_ field: String) {
        var field = field
        field.withUTF8 { text in
            separate(room: 2 * text.count + 2)
            guard text.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 < 0x20 }) else { return buffer.store(text) }
            buffer.store(0x22)
            for byte in text {
                if byte == 0x22 { buffer.store(0x22) }
                buffer.store(byte)
            }
            buffer.store(0x22)
        }
    }

    mutating func add(_ number: Int) {
        separate(room: 21)
        if number < 0 { buffer.store(UInt8(ascii: "-")) }
        buffer.store(decimal: number.magnitude)
    }

    /// 1 or 0.
    mutating func add(_ truth: Bool) { add(truth ? 1 : 0) }

    /// A field that is empty where there is no number.
    mutating func add(ifKnown number: Int?) {
        if let number { add(number) } else { separate(room: 0) }
    }

    /// 16 hexadecimal digits.
    mutating func add(hexadecimal number: UInt64) {
        separate(room: 16)
        buffer.store(hexadecimal: number)
    }

    /// - Parameters:
    ///   - microseconds: since 1970.
    ///   - separator: between date and time; the same for all rows.
    mutating func add(time microseconds: Int64, separator: UInt8, zone: StaticString) {
        separate(room: UsageTime.mostBytes + zone.utf8CodeUnitCount)
        let seconds = microseconds / 1_000_000
        if seconds != secondsSince1970 {
            secondsSince1970 = seconds
            second.removeAll(keepingCapacity: true)
            UsageTime.write(second: seconds, separator: separator, to: &second)
        }
        second.withUnsafeBufferPointer { buffer.store($0) }
        UsageTime.write(fraction: microseconds % 1_000_000, to: &buffer)
        zone.withUTF8Buffer { buffer.store($0) }
    }

    private mutating func separate(room: Int) {
        buffer.reserve(room + 1)
        if !isFirst { buffer.store(UInt8(ascii: ",")) }
        isFirst = false
    }
}
