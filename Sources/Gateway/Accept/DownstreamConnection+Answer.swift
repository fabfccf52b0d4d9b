internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// What an exchange has its connection write.
extension DownstreamConnection {
    /// A body up to this size has room behind its head.
    private static let bodyWithHead = 8 * 1024

    /// Milliseconds: one minute.
    private static let longestWorthwhileWait: Int64 = 60_000

    func sayContinue() {
        compose { writer, _ in
            writer.beginInterim()
        }
        flush()
    }

    func relayHead(_ head: ResponseHead, _ headers: ResponseHeaders, method: String, replacing ours: ReplacedFields) {
        let closes = saysClose
        compose { writer, isHTTP10 in
            let framing = headers.framing(status: head.status, method: method, isHTTP10: isHTTP10)
            let body = if case .length(let length) = framing { min(length, Self.bodyWithHead) } else { 0 }
            writer.beginHead(status: head.status, expectedBytes: head.bytes.count + body)
            headers.write(head, method: method, replacing: ours, to: &writer)
            writer.endHead(framing, closes: closes || framing == .untilClose)
        }
    }

    func relay(_ body: UnsafeRawBufferPointer) {
        compose { writer, _ in writer.add(body: body) }
        // One turn may bring more than may wait, and no writability change would follow. A whole answer need not wait until
        // libcurl has put its connection away, unless others are on their way as well: they leave together.
        if !takesBytes || (hasWholeAnswer && !worker.servesSeveral) { flush() }
    }

    func sendHeartbeat() {
        send(": ping\n\n")
        flush()
    }

    /// Ends an event stream with an error event, as Azure itself reports errors inside a stream.
    ///
    /// In the middle of a line that cannot be done: half a JSON document would reach the client as an event.
    func endStream(with error: GatewayError, at position: EventStreamPosition) {
        guard isOpenEnded, let completion = position.completion else { return cut() }
        send("\(completion)data: \(error.json)\n\n")
        answerEnded(reusable: true)
    }

    /// Ends an answer that has a length or is no event stream: the only way left to say that it is not whole.
    func cut() {
        flush()
        closeNow()
    }

    /// A whole answer of the gateway's own.
    func answer(
        _ error: GatewayError,
        id: ExchangeID,
        rateLimits: RateLimitFields? = nil,
        origin: AnswerOrigin? = nil,
        added: [HookField] = []
    ) {
        if error.status == 413 { refuseRest() }
        write(error, id: id, rateLimits: rateLimits, origin: origin, added: added)
        answerEnded(reusable: true)
    }

    func write(
        _ error: GatewayError,
        id: ExchangeID,
        rateLimits: RateLimitFields? = nil,
        origin: AnswerOrigin? = nil,
        added: [HookField] = []
    ) {
        let closes = saysClose
        compose { writer, _ in
            writer.beginHead(status: error.status)
            writer.add("date", worker.httpDate())
            writer.add(line: "content-type: application/json")
            writer.add("x-request-id", id.description)
            if error.status == 401 {
                switch error.challenge {
                case .bearer: writer.add(line: "www-authenticate: Bearer")
                case .invalidToken: writer.add(line: "www-authenticate: Bearer error=\"invalid_token\"")
                }
            }
            if error.status == 405 { writer.add(line: "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") }
            if let wait = error.retryAfter {
                writer.add("retry-after", (wait + 999) / 1000)
                writer.add("retry-after-ms", wait)
                // The SDKs of OpenAI heed this; none of them waits longer than a minute of its own accord.
                if wait > Self.longestWorthwhileWait { writer.add(line: "x-should-retry: false") }
            }
            rateLimits?.write(to: &writer)
            // One that got nowhere has nothing to tell.
            if let origin, origin.attempts > 0 { origin.write(to: &writer) }
            for field in added { writer.add(field) }
            let json = error.json
            writer.endHead(.length(json.utf8.count), closes: closes)
            writer.add(text: json)
        }
    }

    /// Answers probes of Front Door and PowerProxy's users: no key, no log line, no metric. Returns whether it was one.
    func answerHealth(_ target: RequestTarget, _ head: HTTPRequestHead) -> Bool {
        let status: Int
        switch target.kind {
        case .frontDoorHealth: status = 200
        case .liveness: status = 204
        case .deployment, .other: return false
        }
        guard head.method == .GET || head.method == .HEAD else {
            answer(.methodNotAllowed, id: worker.nextID())
            return true
        }
        let closes = saysClose
        compose { writer, _ in
            writer.beginHead(status: status)
            writer.add("date", worker.httpDate())
            writer.add(line: "cache-control: no-store")
            if status == 200 {
                writer.add(line: "content-type: text/plain")
                if head.method == .HEAD { writer.add(line: "content-length: 3") }
            }
            writer.endHead(status == 200 && head.method == .GET ? .length(3) : .none, closes: closes)
            if status == 200, head.method == .GET { writer.add(text: "ok\n") }
        }
        answerEnded(reusable: true)
        return true
    }

    private func send(_ text: String) { compose { writer, _ in writer.add(text: text) } }
}

extension ResponseWriter {
    mutating func add(text: String) {
        var text = text
        text.withUTF8 { add(body: UnsafeRawBufferPointer($0)) }
    }
}
