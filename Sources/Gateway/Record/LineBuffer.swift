/// Bytes of lines, which grow at the end. Room is made once for a member of a line; its bytes are then stored as they are: a line
/// has some three hundred, and an array would ask for each whether there is room and whether somebody else holds it.
struct LineBuffer: ~Copyable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        bytes = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { bytes.deallocate() }

    /// Makes room for so many bytes more; `store` relies on it.
    mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        capacity = max(2 * capacity, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: bytes, count: count)
        bytes.deallocate()
        bytes = larger
    }

    /// A byte that is stored.
    subscript(index: Int) -> UInt8 {
        get {
            assert(index < count)
            return bytes[index]
        }
        set {
            assert(index < count)
            bytes[index] = newValue
        }
    }

    mutating func store(_ byte: UInt8) {
        assert(count < capacity)
        bytes[count] = byte
        count += 1
    }

    mutating func store(_ text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress else { return }
        assert(count + text.count <= capacity)
        (bytes + count).update(from: start, count: text.count)
        count += text.count
    }

    /// Makes room and stores.
    mutating func append(contentsOf text: String) {
        text.withBytes {
            reserve($0.count)
            store($0)
        }
    }

    /// Decimal digits, 20 at most.
    mutating func store(decimal number: UInt) {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        assert(count + digits <= capacity)
        rest = number
        for at in (count..<count + digits).reversed() {
            bytes[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// 16 hexadecimal digits.
    mutating func store(hexadecimal number: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> shift) & 0xF
            store(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }

    /// The bytes, which are then no longer here.
    mutating func take() -> [UInt8] {
        defer { count = 0 }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}

extension LineBuffer: ByteStore {}
