internal import Glibc

/// A usage event in the forms that sinks write.
enum UsageText {
    /// One line of JSON, as `docs/usage.md` describes it. What is not known is left out.
    static func appendJSON(_ event: UsageEvent, to bytes: inout [UInt8]) {
        var row = JSONRow(bytes: bytes)
        bytes = []
        row.add("schema", UsageEvent.schemaVersion)
        row.add("id", event.idText)
        row.add("received", UsageTime.text(event.received))
        row.add("duration_us", Int(event.duration))
        if let first = event.firstByte { row.add("first_byte_us", Int(first)) }
        row.add("client", event.client)
        row.addIfKnown("identity", event.identity)
        row.add("method", event.method)
        row.add("path", event.path)
        row.addIfKnown("api_version", event.apiVersion)
        row.addIfKnown("model", event.model)
        row.addIfKnown("endpoint", event.endpoint)
        row.addIfKnown("deployment", event.deployment)
        if !event.attempts.isEmpty {
            row.add("tier", event.tier)
            row.add("provisioned", event.isProvisioned)
        }
        row.addIfKnown("service_tier", event.serviceTier)
        row.addArray("attempts", of: event.attempts) { attempt, row in
            row.add("endpoint", attempt.endpoint)
            row.addIfKnown("deployment", attempt.deployment)
            row.add("status", attempt.status)
        }
        row.add("stream", event.isStream)
        row.add("status", event.status)
        row.addIfKnown("error", event.errorCode)
        row.addIfKnown("error_source", event.errorSource)
        row.addObject("tokens") { row in
            row.add("input", event.usage.input)
            row.add("output", event.usage.output)
            row.add("total", event.usage.total)
            for (name, count) in event.usage.parts where count > 0 { row.add(name, count) }
        }
        if event.usage.seconds > 0 { row.add("seconds", milliseconds: event.usage.milliseconds) }
        row.add("estimated", event.usage.isEstimated)
        row.add("request_bytes", event.requestBytes)
        row.add("response_bytes", event.responseBytes)
        row.addIfKnown("region", event.region)
        row.addIfKnown("upstream_request_id", event.upstreamRequestID)
        row.addIfKnown("front_door_ref", event.frontDoorReference)
        row.addIfKnown("shadow_limit", event.shadowLimit)
        bytes = row.ended()
        bytes.append(UInt8(ascii: "\n"))
    }

    // MARK: CSV (RFC 4180, lines end with LF)

    /// The columns of an exchange in full.
    static let columns = [
        "id", "received", "duration_us", "first_byte_us", "client", "identity", "method", "path", "api_version",
        "model", "endpoint", "deployment", "tier", "provisioned", "service_tier", "attempts", "stream", "status",
        "error", "error_source", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens",
        "input_audio_tokens", "output_audio_tokens", "input_image_tokens", "output_image_tokens", "seconds",
        "estimated", "request_bytes", "response_bytes", "region", "upstream_request_id", "front_door_ref",
    ]

    static func append(_ event: UsageEvent, toCSV rows: inout CSVRows) {
        rows.add(hexadecimal: event.id)
        rows.add(time: event.received, separator: UInt8(ascii: "T"), zone: "Z")
        rows.add(Int(event.duration))
        rows.add(ifKnown: event.firstByte.map { Int($0) })
        rows.add(event.client)
        rows.add(event.identity)
        rows.add(event.method)
        rows.add(event.path)
        rows.add(event.apiVersion)
        rows.add(event.model)
        rows.add(event.endpoint)
        rows.add(event.deployment)
        rows.add(ifKnown: event.attempts.isEmpty ? nil : event.tier)
        rows.add(event.isProvisioned)
        rows.add(event.serviceTier)
        rows.add(event.attempts.map { "\($0.endpoint)/\($0.deployment)=\($0.status)" }.joined(separator: ";"))
        rows.add(event.isStream)
        rows.add(event.status)
        rows.add(event.errorCode)
        rows.add(event.errorSource)
        let usage = event.usage
        for count in [
            usage.input, usage.output, usage.total, usage.cached, usage.reasoning, usage.inputAudio,
            usage.outputAudio, usage.inputImages, usage.outputImages,
        ] { rows.add(count) }
        rows.add(usage.milliseconds == 0 ? "" : JSONRow.seconds(usage.milliseconds))
        rows.add(usage.isEstimated)
        rows.add(event.requestBytes)
        rows.add(event.responseBytes)
        rows.add(event.region)
        rows.add(event.upstreamRequestID)
        rows.add(event.frontDoorReference)
        rows.end()
    }
}

extension TokenUsage {
    var milliseconds: Int { Int((seconds * 1000).rounded()) }

    /// The parts of input and output under the names that they have in JSON.
    var parts: [(StaticString, Int)] {
        [
            ("cached", cached), ("reasoning", reasoning), ("input_audio", inputAudio), ("output_audio", outputAudio),
            ("input_images", inputImages), ("output_images", outputImages),
        ]
    }
}

/// Times of events as text, in UTC.
enum UsageTime {
    /// `2026-03-31T18:40:09.123456Z`
    static func text(_ microseconds: Int64) -> String { text(microseconds, separator: UInt8(ascii: "T"), zone: "Z") }

    /// - Parameters:
    ///   - separator: between date and time.
    ///   - zone: at the end.
    static func text(_ microseconds: Int64, separator: UInt8, zone: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(mostBytes)
        write(microseconds, separator: separator, to: &bytes)
        return String(decoding: bytes, as: UTF8.self) + zone
    }

    /// The bytes that `write` stores, of years up to 9999.
    static let mostBytes = 26

    /// `2026-03-31T18:40:09.123456`
    static func write(_ microseconds: Int64, separator: UInt8, to bytes: inout some ByteStore & ~Copyable) {
        write(second: microseconds / 1_000_000, separator: separator, to: &bytes)
        write(fraction: microseconds % 1_000_000, to: &bytes)
    }

    /// `2026-03-31T18:40:09`
    static func write(second: Int64, separator: UInt8, to bytes: inout some ByteStore & ~Copyable) {
        let parts = parts(second * 1_000_000)
        store(Int(parts.tm_year) + 1900, digits: 1000, to: &bytes)
        for (mark, number) in [
            (UInt8(ascii: "-"), parts.tm_mon + 1), (UInt8(ascii: "-"), parts.tm_mday), (separator, parts.tm_hour),
            (UInt8(ascii: ":"), parts.tm_min), (UInt8(ascii: ":"), parts.tm_sec),
        ] {
            bytes.store(mark)
            store(Int(number), digits: 10, to: &bytes)
        }
    }

    /// `.123456`
    static func write(fraction: Int64, to bytes: inout some ByteStore & ~Copyable) {
        bytes.store(UInt8(ascii: "."))
        store(Int(fraction), digits: 100_000, to: &bytes)
    }

    /// - Parameter digits: a one in the place of the first.
    private static func store(_ number: Int, digits: Int, to bytes: inout some ByteStore & ~Copyable) {
        var divisor = digits
        while divisor > 0 {
            bytes.store(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// `20260331-184009`
    static func fileName(_ microseconds: Int64) -> String {
        let parts = parts(microseconds)
        return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
            + "-\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    private static func parts(_ microseconds: Int64) -> tm {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return parts
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
