internal import Glibc
internal import NIOCore
internal import Synchronization

/// One line per exchange, gathered by the event loop and written by `LogWriter`'s thread. Confined to its loop.
final class AccessLog {
    private let writer: LogWriter
    private let format: GatewayConfiguration.Log.Format
    private let isOn: Bool
    private let level: GatewayConfiguration.Log.AccessLevel
    private var sampler: RatioSampler
    private let eventLoop: any EventLoop
    private var pending: [UInt8] = []
    private var flushIsScheduled = false
    private var clock = WallClock()

    /// Lines wait no longer than this, and no more bytes than `maxPending`.
    private static let maxDelay = TimeAmount.milliseconds(100)
    private static let maxPending = 32 * 1024

    init(_ log: GatewayConfiguration.Log, writer: LogWriter, eventLoop: any EventLoop) {
        self.writer = writer
        format = log.format
        isOn = log.access
        level = log.accessLevel
        sampler = RatioSampler(ratio: log.accessSamplingRatio, seed: .random(in: .min ... .max))
        self.eventLoop = eventLoop
    }

    func write(_ record: borrowing ExchangeRecord, endpointName: String?) {
        guard isOn, has(line: record.status) else { return }
        // Moved out, not copied: a second reference would make every append copy what is pending.
        var buffer: [UInt8] = []
        swap(&buffer, &pending)
        var line = AccessLogLine(format: format, buffer: consume buffer)
        line.begin()
        line.addTime(clock.now())
        line.add("level", raw: Self.level(record.status).rawValue)
        line.add("message", raw: "exchange")
        line.add("id", hexadecimal: record.id.value)
        line.add("status", record.status)
        line.add("method", text: record.method)
        line.add("path", text: record.path)
        if let address = record.address { line.add("client_address", address) }
        if let client = record.clientName { line.add("client", raw: client) }
        if let identity = record.identity {
            if let application = identity.application { line.add("azp", application) }
            if let principal = identity.objectID { line.add("oid", principal) }
            if identity.tokenID != TokenID() { line.add("uti", raw: identity.tokenID.description) }
        }
        if let model = record.modelName { line.add("model", text: model) }
        if let endpointName { line.add("endpoint", raw: endpointName) }
        if let deployment = record.deployment { line.add("deployment", text: deployment) }
        if let error = record.error {
            line.add("error", raw: error.code)
            line.add("error_source", raw: error.source.rawValue)
            if let reason = error.reason { line.add("error_reason", raw: reason) }
        }
        line.add("stream", raw: record.isStream ? "true" : "false")
        line.add("attempts", record.attempts)
        if let shadow = record.shadow.client {
            line.add("shadow_limit", raw: shadow.kind.name)
            line.add("shadow_scope", raw: shadow.isOfModel ? "model" : "client")
        }
        if let kind = record.shadow.deployment { line.add("shadow_deployment_limit", raw: kind.name) }
        if record.usage.total > 0 {
            line.add("input_tokens", record.usage.input)
            line.add("output_tokens", record.usage.output)
            if record.usage.cached > 0 { line.add("cached_tokens", record.usage.cached) }
            if record.usage.isEstimated { line.add("tokens_estimated", raw: "true") }
        }
        line.add("request_bytes", record.requestBytes)
        line.add("response_bytes", record.responseBytes)
        if let first = record.firstByte { line.add("first_byte_us", Int((first - record.start).nanoseconds / 1000)) }
        line.add("duration_us", Int((record.end - record.start).nanoseconds / 1000))
        if let id = record.upstreamRequestID { line.add("upstream_request_id", text: id) }
        if let reference = record.frontDoorReference { line.add("front_door_ref", text: reference) }
        if let trace = record.trace { line.add("trace_id", raw: trace.description) }
        line.end()
        pending = line.taken()
        if pending.count >= Self.maxPending { flush() } else { scheduleFlush() }
    }

    private func has(line status: Int) -> Bool {
        switch Self.level(status) {
        case .info: level == .info && sampler.draws()
        case .warning: level != .error
        case .error: true
        }
    }

    static func level(_ status: Int) -> GatewayConfiguration.Log.AccessLevel {
        status < 400 ? .info : status < 500 ? .warning : .error
    }

    func flush() {
        guard !pending.isEmpty else { return }
        writer.write(pending)
        pending = []
        pending.reserveCapacity(Self.maxPending + 1024)
    }

    private func scheduleFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.maxDelay) {
            self.flushIsScheduled = false
            self.flush()
        }
    }
}

/// The text of one line, JSON or `key=value`.
struct AccessLogLine {
    private(set) var buffer: [UInt8]
    private let isJSON: Bool
    private var isFirst = true

    init(format: GatewayConfiguration.Log.Format, buffer: consuming [UInt8] = []) {
        self.buffer = buffer
        isJSON = format == .json
    }

    /// The text, which is then empty here.
    mutating func taken() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &buffer)
        return taken
    }

    mutating func begin() { if isJSON { buffer.append(UInt8(ascii: "{")) } }

    mutating func end() {
        if isJSON { buffer.append(UInt8(ascii: "}")) }
        buffer.append(UInt8(ascii: "\n"))
    }

    mutating func add(_ key: StaticString, _ number: Int) {
        addKey(key)
        if number < 0 { buffer.append(UInt8(ascii: "-")) }
        addDigits(number.magnitude)
    }

    private mutating func addDigits(_ number: UInt) {
        if number >= 10 { addDigits(number / 10) }
        buffer.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    /// 16 hexadecimal digits.
    mutating func add(_ key: StaticString, hexadecimal number: UInt64) {
        addKey(key)
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> shift) & 0xF
            buffer.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
    }

    /// `192.0.2.7`, or the network of an IPv6 address, `2001:db8:0:1::/64`.
    mutating func add(_ key: StaticString, _ address: CallerAddress) {
        addKey(key)
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        address.write(to: &buffer)
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
    }

    mutating func add(_ key: StaticString, _ id: GUID) {
        addKey(key)
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        id.write(to: &buffer)
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
    }

    mutating func addTime(_ time: WallClock.Time) {
        addKey("time")
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        buffer.append(contentsOf: time.second)
        buffer.append(UInt8(ascii: "."))
        buffer.append(UInt8(ascii: "0") + UInt8(time.millisecond / 100))
        buffer.append(UInt8(ascii: "0") + UInt8(time.millisecond / 10 % 10))
        buffer.append(UInt8(ascii: "0") + UInt8(time.millisecond % 10))
        buffer.append(UInt8(ascii: "Z"))
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
    }

    /// A text that is known to need no escape.
    mutating func add(_ key: StaticString, raw text: String) {
        addKey(key)
        let isWord = !isJSON || text == "true" || text == "false"
        if !isWord { buffer.append(UInt8(ascii: "\"")) }
        buffer.append(contentsOf: text.utf8)
        if !isWord { buffer.append(UInt8(ascii: "\"")) }
    }

    /// A text that a peer chose: escaped, and cut at 512 bytes.
    mutating func add(_ key: StaticString, text: some StringProtocol) {
        addKey(key)
        if text.utf8.count <= 512, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
            buffer.append(UInt8(ascii: "\""))
            buffer.append(contentsOf: text.utf8)
            return buffer.append(UInt8(ascii: "\""))
        }
        buffer.append(contentsOf: JSONText.quoted(String(decoding: text.utf8.prefix(512), as: UTF8.self)).utf8)
    }

    /// A member whose name is not known beforehand.
    mutating func add(name: String, text: String) {
        separate()
        buffer.append(contentsOf: (isJSON ? JSONText.quoted(name) + ":" : name + "=").utf8)
        buffer.append(contentsOf: JSONText.quoted(text).utf8)
    }

    private mutating func separate() {
        if !isFirst { buffer.append(isJSON ? UInt8(ascii: ",") : UInt8(ascii: " ")) }
        isFirst = false
    }

    private mutating func addKey(_ key: StaticString) {
        separate()
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        key.withUTF8Buffer { buffer.append(contentsOf: $0) }
        if isJSON { buffer.append(UInt8(ascii: "\"")) }
        buffer.append(isJSON ? UInt8(ascii: ":") : UInt8(ascii: "="))
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
        if time.tv_sec != second {
            second = time.tv_sec
            var parts = tm()
            gmtime_r(&time.tv_sec, &parts)
            let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
            let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
            let text =
                date.map(Self.padded).joined(separator: "-") + "T" + clock.map(Self.padded).joined(separator: ":")
            prefix = Array(text.utf8)
        }
        return Time(second: prefix, millisecond: time.tv_nsec / 1_000_000)
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
