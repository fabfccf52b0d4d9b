internal import Glibc

/// Lines of the log, JSON or `key=value`, one behind the other.
struct LogLines: ~Copyable {
    private var buffer: LineBuffer
    private let isJSON: Bool
    private var isFirst = true

    /// - Parameter capacity: bytes to make room for at first.
    init(format: GatewayConfiguration.Log.Format, capacity: Int = 512) {
        buffer = LineBuffer(capacity: capacity)
        isJSON = format == .json
    }

    /// Bytes of the lines that have ended, and of one that has not.
    var count: Int { buffer.count }

    /// The lines, which are then no longer here.
    mutating func take() -> [UInt8] { buffer.take() }

    mutating func begin() {
        isFirst = true
        buffer.reserve(1)
        if isJSON { buffer.store(UInt8(ascii: "{")) }
    }

    mutating func end() {
        buffer.reserve(2)
        if isJSON { buffer.store(UInt8(ascii: "}")) }
        buffer.store(UInt8(ascii: "\n"))
    }

    // MARK: members

    mutating func add(_ key: StaticString, _ number: Int) {
        addKey(key, room: 21)
        if number < 0 { buffer.store(UInt8(ascii: "-")) }
        buffer.store(decimal: number.magnitude)
    }

    /// 16 hexadecimal digits.
    mutating func add(_ key: StaticString, hexadecimal number: UInt64) {
        addKey(key, room: 18)
        quote()
        buffer.store(hexadecimal: number)
        quote()
    }

    /// `192.0.2.7`, or the network of an IPv6 address, `2001:db8:0:1::/64`.
    mutating func add(_ key: StaticString, _ address: CallerAddress) {
        addKey(key, room: CallerAddress.maxTextBytes + 2)
        quote()
        address.write(to: &buffer)
        quote()
    }

    mutating func add(_ key: StaticString, _ id: GUID) {
        addKey(key, room: 38)
        quote()
        id.write(to: &buffer)
        quote()
    }

    mutating func addTime(_ time: WallClock.Time) {
        addKey("time", room: time.second.count + 7)
        quote()
        time.second.withUnsafeBufferPointer { buffer.store($0) }
        buffer.store(UInt8(ascii: "."))
        buffer.store(UInt8(ascii: "0") + UInt8(time.millisecond / 100))
        buffer.store(UInt8(ascii: "0") + UInt8(time.millisecond / 10 % 10))
        buffer.store(UInt8(ascii: "0") + UInt8(time.millisecond % 10))
        buffer.store(UInt8(ascii: "Z"))
        quote()
    }

    mutating func add(_ key: StaticString, _ truth: Bool) {
        addKey(key, room: 5)
        (truth ? "true" : "false" as StaticString).withUTF8Buffer { buffer.store($0) }
    }

    /// A text that is known to need no escape.
    mutating func add(_ key: StaticString, raw text: String) {
        text.withBytes {
            addKey(key, room: $0.count + 2)
            quote()
            buffer.store($0)
            quote()
        }
    }

    /// A text that a peer chose: escaped, and cut at 512 bytes.
    mutating func add(_ key: StaticString, text: String) {
        text.withBytes { add(key, $0) }
    }

    mutating func add(_ key: StaticString, text: Substring) {
        text.withBytes { add(key, $0) }
    }

    private mutating func add(_ key: StaticString, _ text: UnsafeBufferPointer<UInt8>) {
        if text.count <= 512, JSONBytes.arePlain(UnsafeRawBufferPointer(text)) {
            addKey(key, room: text.count + 2)
            buffer.store(UInt8(ascii: "\""))
            buffer.store(text)
            buffer.store(UInt8(ascii: "\""))
        } else {
            addKey(key, room: 0)
            buffer.append(contentsOf: JSONText.quoted(String(decoding: text.prefix(512), as: UTF8.self)))
        }
    }

    /// A member whose name is not known beforehand.
    mutating func add(name: String, text: String) {
        separate(room: 0)
        buffer.append(contentsOf: isJSON ? JSONText.quoted(name) + ":" : name + "=")
        buffer.append(contentsOf: JSONText.quoted(text))
    }

    // MARK: marks

    private mutating func quote() { if isJSON { buffer.store(UInt8(ascii: "\"")) } }

    /// Makes room for what follows, too.
    private mutating func separate(room: Int) {
        buffer.reserve(room + 1)
        if !isFirst { buffer.store(isJSON ? UInt8(ascii: ",") : UInt8(ascii: " ")) }
        isFirst = false
    }

    private mutating func addKey(_ key: StaticString, room: Int) {
        separate(room: room + key.utf8CodeUnitCount + 3)
        quote()
        key.withUTF8Buffer { buffer.store($0) }
        quote()
        buffer.store(isJSON ? UInt8(ascii: ":") : UInt8(ascii: "="))
    }
}

/// RFC 3339 times in UTC with milliseconds; the part before the seconds is made once a second.
struct WallClock {
    struct Time {
        /// "2026-11-23T18:40:09"
        let second: [UInt8]
        let millisecond: Int
    }

    private var second = Int.min
    private var prefix: [UInt8] = []

    mutating func now() -> Time {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return self.time(Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// - Parameter nanoseconds: since 1970.
    mutating func time(_ nanoseconds: Int64) -> Time {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        if seconds != second {
            second = seconds
            var parts = tm()
            gmtime_r(&seconds, &parts)
            let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
            let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
            let text =
                date.map(Self.padded).joined(separator: "-") + "T" + clock.map(Self.padded).joined(separator: ":")
            prefix = Array(text.utf8)
        }
        return Time(second: prefix, millisecond: Int(nanoseconds / 1_000_000 % 1000))
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
