internal import NIOCore

/// A usage event as bytes, on their way from an event loop over the spool to the sinks.
///
/// A frame is its length and its fields in a fixed order: numbers as LEB128, texts with their length. A build reads the frames
/// of older ones; what it does not know behind the fields that it knows, it passes over.
struct UsageFrameWriter: ~Copyable {
    private var bytes: LineBuffer

    /// Texts that a peer chose are cut there.
    static let mostText = 512
    /// Room for the frame's length, which is known last: LEB128 in full width.
    private static let lengthBytes = 3
    /// LEB128 of 64 bits.
    private static let mostNumberBytes = 10

    /// - Parameter capacity: bytes to make room for at first.
    init(capacity: Int = 1024) { bytes = LineBuffer(capacity: capacity) }

    /// Bytes of the frames.
    var count: Int { bytes.count }

    /// The frames, which are then no longer here.
    mutating func take() -> [UInt8] { bytes.take() }

    /// - Parameters:
    ///   - received: when the exchange began, in microseconds since 1970.
    ///   - endpointName: of an index in the record.
    mutating func write(_ record: borrowing ExchangeRecord, received: Int64, endpointName: (Int) -> String) {
        let start = bytes.count
        bytes.reserve(Self.lengthBytes)
        for _ in 0..<Self.lengthBytes { bytes.store(0) }
        add(UsageEvent.schemaVersion)
        let flags = (record.isStream ? 1 : 0) | (record.usage.isEstimated ? 2 : 0) | (record.isProvisioned ? 4 : 0)
        add(flags)
        add(UInt64(bitPattern: Int64(bitPattern: record.id.value)))
        add(UInt64(bitPattern: received))
        add(Int((record.end - record.start).nanoseconds / 1000))
        add(record.firstByte.map { Int(($0 - record.start).nanoseconds / 1000) + 1 } ?? 0)
        add(record.status)
        add(record.usage)
        add(record.requestBytes)
        add(record.responseBytes)
        add(record.tier)
        add(record.clientName ?? "")
        add(record.identity?.principal)
        add(record.method)
        add(record.path)
        add(Self.apiVersion(record.query))
        add(record.modelName ?? "")
        add(record.serviceTier?.name ?? "")
        add(record.error?.code ?? "")
        add(record.error?.source.rawValue ?? "")
        add(record.region ?? "")
        add(record.upstreamRequestID ?? "")
        add(record.frontDoorReference ?? "")
        add(record.attempts > 0 ? record.earlierAttempts.count + 1 : 0)
        for attempt in record.earlierAttempts { add(attempt, endpointName) }
        if record.attempts > 0 { add(record.lastAttempt, endpointName) }
        if let shadow = record.shadow.client { add(shadow.kind.name) }
        putLength(bytes.count - start - Self.lengthBytes, at: start)
    }

    private mutating func add(_ attempt: ExchangeRecord.Attempt, _ endpointName: (Int) -> String) {
        add(endpointName(attempt.endpoint))
        add(attempt.deployment ?? "")
        add(attempt.status)
    }

    private mutating func add(_ usage: TokenUsage) {
        add(usage.input)
        add(usage.output)
        add(usage.total)
        add(usage.cached)
        add(usage.reasoning)
        add(usage.inputAudio)
        add(usage.outputAudio)
        add(usage.inputImages)
        add(usage.outputImages)
        add(Int((min(max(usage.seconds, 0), 1e9) * 1000).rounded()))
    }

    private mutating func add(_ number: Int) { add(UInt64(max(0, number))) }

    private mutating func add(_ number: UInt64) {
        bytes.reserve(Self.mostNumberBytes)
        var rest = number
        while rest >= 0x80 {
            bytes.store(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.store(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func add(_ text: String) {
        text.withBytes { add($0) }
    }

    private mutating func add(_ text: Substring) {
        text.withBytes { add($0) }
    }

    private mutating func add(_ text: StaticString) { text.withUTF8Buffer { add($0) } }

    private mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
        let text = UnsafeBufferPointer(rebasing: text.prefix(Self.mostText))
        add(text.count)
        bytes.reserve(text.count)
        bytes.store(text)
    }

    private mutating func add(_ name: GUID?) {
        guard let name else { return add(0) }
        add(36)
        bytes.reserve(36)
        name.write(to: &bytes)
    }

    private mutating func putLength(_ length: Int, at index: Int) {
        for place in 0..<Self.lengthBytes {
            let more: UInt8 = place < Self.lengthBytes - 1 ? 0x80 : 0
            bytes[index + place] = UInt8(truncatingIfNeeded: length >> (7 * place)) & 0x7F | more
        }
    }

    /// The value of `api-version`; empty where there is none.
    static func apiVersion(_ query: Substring) -> Substring {
        for part in query.dropFirst().split(separator: "&", omittingEmptySubsequences: true)
        where part.prefix(12).isSame("api-version=") {
            return part.dropFirst(12)
        }
        return ""
    }
}

/// Reads frames one after the other.
struct UsageFrameReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next event; `nil` at the end, and where the bytes are no frame.
    mutating func next() -> UsageEvent? {
        guard at < bytes.count, let length = number(bytes.count), length <= UInt64(bytes.count - at) else { return nil }
        let end = at + Int(length)
        defer { at = end }
        return event(end)
    }

    private mutating func event(_ end: Int) -> UsageEvent? {
        var event = UsageEvent()
        guard let version = int(end), version >= 1, let flags = int(end), let id = number(end),
            let received = number(end), let duration = int(end), let first = int(end), let status = int(end),
            let usage = usage(end), let requestBytes = int(end), let responseBytes = int(end), let tier = int(end)
        else { return nil }
        event.isStream = flags & 1 != 0
        event.isProvisioned = flags & 4 != 0
        event.id = id
        event.received = Int64(bitPattern: received)
        event.duration = Int64(duration)
        event.firstByte = first == 0 ? nil : Int64(first - 1)
        event.status = status
        event.usage = usage
        event.usage.isEstimated = flags & 2 != 0
        event.requestBytes = requestBytes
        event.responseBytes = responseBytes
        event.tier = tier
        guard let client = text(end), let identity = text(end), let method = text(end), let path = text(end),
            let apiVersion = text(end), let model = text(end), let serviceTier = text(end),
            let errorCode = text(end), let errorSource = text(end), let region = text(end),
            let upstreamRequestID = text(end), let frontDoorReference = text(end)
        else { return nil }
        (event.client, event.identity, event.method, event.path) = (client, identity, method, path)
        (event.apiVersion, event.model, event.serviceTier) = (apiVersion, model, serviceTier)
        (event.errorCode, event.errorSource, event.region) = (errorCode, errorSource, region)
        (event.upstreamRequestID, event.frontDoorReference) = (upstreamRequestID, frontDoorReference)
        guard let attempts = int(end), attempts <= 1000 else { return nil }
        for _ in 0..<attempts {
            guard let endpoint = text(end), let deployment = text(end), let status = int(end) else { return nil }
            event.attempts.append(.init(endpoint: endpoint, deployment: deployment, status: status))
        }
        // Most frames end here.
        if at < end {
            guard let shadowLimit = text(end) else { return nil }
            event.shadowLimit = shadowLimit
        }
        return event
    }

    private mutating func usage(_ end: Int) -> TokenUsage? {
        guard let input = int(end), let output = int(end), let total = int(end), let cached = int(end),
            let reasoning = int(end), let inputAudio = int(end), let outputAudio = int(end),
            let inputImages = int(end), let outputImages = int(end), let milliseconds = int(end)
        else { return nil }
        return TokenUsage(
            input: input,
            output: output,
            total: total,
            cached: cached,
            reasoning: reasoning,
            inputAudio: inputAudio,
            outputAudio: outputAudio,
            inputImages: inputImages,
            outputImages: outputImages,
            seconds: Double(milliseconds) / 1000
        )
    }

    private mutating func int(_ end: Int) -> Int? { number(end).flatMap { Int(exactly: $0) } }

    private mutating func number(_ end: Int) -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard at < end else { return nil }
            let byte = bytes[at]
            at += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        return nil
    }

    private mutating func text(_ end: Int) -> String? {
        guard let count = number(end), count <= UInt64(max(0, end - at)) else { return nil }
        defer { at += Int(count) }
        return bytes.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[at..<at + Int(count)]), as: UTF8.self)
        }
    }
}

extension TokenIdentity {
    /// Who used it: the application that calls for itself, or else the user.
    fileprivate var principal: GUID? { isApplication ? application ?? objectID : objectID }
}
