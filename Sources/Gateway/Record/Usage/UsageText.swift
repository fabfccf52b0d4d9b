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

    static func appendCSV(_ event: UsageEvent, to bytes: inout [UInt8]) {
        let usage = event.usage
        let attempts = event.attempts.map { "\($0.endpoint)/\($0.deployment)=\($0.status)" }.joined(separator: ";")
        appendRow(
            [
                event.idText, UsageTime.text(event.received), "\(event.duration)",
                event.firstByte.map { "\($0)" } ?? "", event.client, event.identity, event.method, event.path,
                event.apiVersion, event.model, event.endpoint, event.deployment,
                event.attempts.isEmpty ? "" : "\(event.tier)", event.isProvisioned ? "1" : "0", event.serviceTier,
                attempts, event.isStream ? "1" : "0", "\(event.status)", event.errorCode, event.errorSource,
                "\(usage.input)", "\(usage.output)", "\(usage.total)", "\(usage.cached)", "\(usage.reasoning)",
                "\(usage.inputAudio)", "\(usage.outputAudio)", "\(usage.inputImages)", "\(usage.outputImages)",
                usage.milliseconds == 0 ? "" : JSONRow.seconds(usage.milliseconds), usage.isEstimated ? "1" : "0",
                "\(event.requestBytes)", "\(event.responseBytes)", event.region, event.upstreamRequestID,
                event.frontDoorReference,
            ],
            to: &bytes
        )
    }

    static func appendRow(_ fields: [String], to bytes: inout [UInt8]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            appendField(field, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    static func appendField(_ field: String, to bytes: inout [UInt8]) {
        let needsQuotes = field.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 < 0x20 }
        guard needsQuotes else { return bytes.append(contentsOf: field.utf8) }
        bytes.append(0x22)
        for byte in field.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
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
    static func text(_ microseconds: Int64) -> String { text(microseconds, separator: "T", zone: "Z") }

    /// - Parameters:
    ///   - separator: between date and time.
    ///   - zone: at the end.
    static func text(_ microseconds: Int64, separator: String, zone: String) -> String {
        let parts = parts(microseconds)
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        let fraction = String(microseconds - microseconds / 1_000_000 * 1_000_000)
        let zeros = String(repeating: "0", count: max(0, 6 - fraction.utf8.count))
        return "\(date)\(separator)\(time).\(zeros)\(fraction)\(zone)"
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
