internal import Transport

/// Fields that the gateway knows better than one deployment.
struct ReplacedFields {
    /// `nil` leaves Azure's.
    var rateLimits: RateLimitFields?
    /// Milliseconds; `nil` leaves what Azure says.
    var retryAfter: Int64?
    /// Where the answer comes from; `nil` where clients are not to know.
    var origin: AnswerOrigin?
    /// Fields of hooks.
    var added: [HookField] = []

    func replaces(_ field: ResponseHead.Field, of head: ResponseHead) -> Bool {
        if rateLimits != nil, head.begins(field, "x-ratelimit-") { return true }
        if head.begins(field, "x-sluice-") { return true }
        if !added.isEmpty {
            let name = String(decoding: head.bytes[field.name], as: UTF8.self).lowercased()
            if added.contains(where: { $0.name.lowercased() == name }) { return true }
        }
        return retryAfter != nil && (head.matches(field, "retry-after") || head.matches(field, "retry-after-ms"))
    }

    func write(to writer: inout ResponseWriter) {
        rateLimits?.write(to: &writer)
        origin?.write(to: &writer)
        for field in added { writer.add(field) }
        guard let retryAfter else { return }
        writer.add("retry-after", (retryAfter + 999) / 1000)
        writer.add("retry-after-ms", retryAfter)
    }
}

/// Where an answer comes from, for those who operate the gateway and those who ask them.
struct AnswerOrigin {
    /// `<endpoint>/<deployment>` of the last attempt; `nil` if there was none.
    var deployment: String?
    var attempts: Int

    func write(to writer: inout ResponseWriter) {
        if let deployment { writer.add("x-sluice-deployment", deployment) }
        writer.add("x-sluice-attempts", Int64(attempts))
    }
}

/// What the client gets to see of an upstream's head, and how the body behind it is framed.
///
/// Fields for one hop (RFC 9110 section 7.6.1) and those that `Connection` names are dropped; all others pass as they came.
struct ResponseHeaders {
    private(set) var isEventStream = false
    private var isJSON = false
    private var contentLength: Int?
    private var isChunked = false
    private var connectionNames: [String] = []

    init(_ head: ResponseHead) {
        for field in head.fields {
            switch field.name.count {
            case 10 where head.matches(field, "connection"):
                for name in head.value(field).split(separator: ",") {
                    connectionNames.append(name.trimmed.lowercased())
                }
            case 12 where head.matches(field, "content-type"):
                isEventStream = head.isMediaType(field, "text/event-stream")
                isJSON = head.isMediaType(field, "application/json")
            case 14 where head.matches(field, "content-length"):
                contentLength = head.number(field)
            case 17 where head.matches(field, "transfer-encoding"):
                isChunked = true
            default: break
            }
        }
        if isChunked || (contentLength ?? -1) < 0 { contentLength = nil }
    }

    /// How the body tells what it cost.
    var usageFormat: UsageReader.Format { isEventStream ? .eventStream : isJSON ? .json : .opaque }

    /// The body will not have the length that was announced.
    mutating func forgetLength() { contentLength = nil }

    /// What an attempt with these fields promises.
    func promise(status: Int) -> ExchangeStateMachine.Head {
        if Verdict.needsBody(status: status) { return .error }
        return isEventStream && status < 300 ? .eventStream : .good
    }

    /// How to frame the body for this client.
    func framing(status: Int, method: String, isHTTP10: Bool) -> ResponseWriter.Framing {
        if status == 204 || status == 304 { return .none }
        if method == "HEAD" { return .none }
        if let contentLength { return .length(contentLength) }
        return isHTTP10 ? .untilClose : .chunked
    }

    func write(_ head: ResponseHead, method: String, replacing ours: ReplacedFields, to writer: inout ResponseWriter) {
        head.bytes.withUnsafeBytes { bytes in
            // Lines that follow one another are passed on in one piece.
            var kept = 0..<0
            for field in head.fields where !isDropped(field, head) && !ours.replaces(field, of: head) {
                let line = field.line
                if line.lowerBound == kept.upperBound {
                    kept = kept.lowerBound..<line.upperBound
                } else {
                    writer.add(lines: UnsafeRawBufferPointer(rebasing: bytes[kept]))
                    kept = line
                }
            }
            writer.add(lines: UnsafeRawBufferPointer(rebasing: bytes[kept]))
        }
        ours.write(to: &writer)
        // A HEAD answer tells the length of the body that a GET would have.
        if method == "HEAD", let contentLength { writer.add("content-length", String(contentLength)) }
        if isEventStream {
            writer.add(line: "cache-control: no-cache, no-transform")
            writer.add(line: "x-accel-buffering: no")
        }
    }

    private func isDropped(_ field: ResponseHead.Field, _ head: ResponseHead) -> Bool {
        let isOfThisHop =
            switch field.name.count {
            case 2: head.matches(field, "te")
            case 7: head.matches(field, "trailer") || head.matches(field, "upgrade") || head.matches(field, "alt-svc")
            case 10: head.matches(field, "connection") || head.matches(field, "keep-alive")
            case 13: isEventStream && head.matches(field, "cache-control")
            case 14: head.matches(field, "content-length")
            case 16: head.matches(field, "proxy-connection")
            case 17:
                head.matches(field, "transfer-encoding") || (isEventStream && head.matches(field, "x-accel-buffering"))
            case 18: head.matches(field, "proxy-authenticate")
            case 19: head.matches(field, "proxy-authorization")
            default: false
            }
        if isOfThisHop { return true }
        guard !connectionNames.isEmpty else { return false }
        let name = String(decoding: head.bytes[field.name], as: UTF8.self).lowercased()
        return connectionNames.contains(name)
    }
}

extension ResponseHead {
    fileprivate func value(_ field: Field) -> String { String(decoding: bytes[field.value], as: UTF8.self) }
}
