internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// The way to Azure and back.
extension Exchange {
    // MARK: forward

    /// Sends the request where its model leads, if the client may use that.
    func forward(model: String?, body: TransferRequest.Body, upload: ExchangeStateMachine.Upload) {
        record.modelName = model
        guard let client else { return }
        guard let route = worker.snapshot.route(model: model) else {
            return perform(machine.refused(.modelUnknown(model ?? "")))
        }
        record.model = route.model
        if let model, !client.mayUse(model) { return perform(machine.refused(.modelNotAllowed(model))) }
        record.endpoint = route.endpoint
        record.deployment = route.deployment ?? model
        record.attempts += 1
        let endpoint = worker.snapshot.endpoints[route.endpoint]
        let arena = worker.takeArena()
        self.arena = arena
        endpoint.headers.write(
            head,
            connectionNames: fields.connectionNames,
            apiKey: endpoint.apiKey,
            body: body.headerKind,
            into: arena
        )
        let request = TransferRequest(
            method: head.method.rawValue,
            target: upstreamTarget(route),
            headers: arena,
            body: body
        )
        machine.forwarded(upload)
        attempt = worker.origins[route.endpoint].start(request, observer: self)
    }

    private func upstreamTarget(_ route: Snapshot.Route) -> String {
        let target: String
        if case .deployment(let name, _) = self.target.kind {
            target = self.target.naming(deployment: route.deployment ?? name)
        } else {
            target = self.target.raw
        }
        return QueryCredentials.removed(from: target)
    }
}

extension TransferRequest.Body {
    fileprivate var headerKind: UpstreamHeaders.Body {
        switch self {
        case .none: .none
        case .memory: .known
        case .stream(let length): length == nil ? .chunked : .known
        }
    }
}

extension Exchange: TransferObserver {
    // MARK: relay

    func transferReceivedHead(_ transfer: Transfer) {
        let upstream = transfer.head
        let headers = ResponseHeaders(upstream)
        guard machine.headReceived(headers.isEventStream ? .eventStream : .plain) == .relayHead else { return }
        worker.metrics.countAttempt(endpoint: record.endpoint ?? 0, status: upstream.status)
        record.upstreamRequestID = upstream.first("apim-request-id") ?? upstream.first("x-request-id")
        record.isStream = headers.isEventStream
        record.firstByte = .now()
        answer = AnswerInProgress(status: upstream.status, isStream: headers.isEventStream)
        connection.relayHead(upstream, headers, method: record.method)
        if headers.isEventStream {
            startHeartbeat()
            // A stream may stay open for minutes, and thousands of them at once.
            upstream.release()
            if transfer.releaseSentRequest() {
                body = nil
                giveBackArena()
            }
        }
    }

    func transferReceived(_ transfer: Transfer, body: UnsafeRawBufferPointer) -> BodyDisposition {
        guard connection.takesBytes else { return .pause }
        guard machine.bytesReceived() == .relay else { return .taken }
        if answer?.isStream == true {
            answer?.position.advance(over: body)
        }
        record.responseBytes += body.count
        connection.relay(body)
        return .taken
    }

    func transferWantsBody(_ transfer: Transfer, into room: UnsafeMutableRawBufferPointer) -> BodySupply {
        supply(room)
    }

    func transferTurnEnded(_ transfer: Transfer) {
        connection.flush()
        if let heartbeat = answer?.heartbeat { heartbeat.set(.now() + worker.snapshot.limits.heartbeat) }
    }

    func transferEnded(_ transfer: Transfer, error: TransferError?) {
        attempt = nil
        giveBackArena()
        upload.waiting.removeAll()
        connection.releaseReads()
        if let error, answer == nil {  // one whose head came is counted by its status
            if error.code == .cancelled {
                worker.metrics.countCancelled(endpoint: record.endpoint ?? 0)
            } else {
                worker.metrics.countAttempt(endpoint: record.endpoint ?? 0, status: 0)
            }
        }
        perform(machine.attemptEnded(error.map { GatewayError($0) }))
    }

    private func giveBackArena() {
        if let arena { worker.giveBack(arena) }
        arena = nil
    }

    /// The client's channel has room again.
    func clientIsWritable() { attempt?.resumeReceiving() }
}

// MARK: heartbeat

extension Exchange: DeadlineHandler {
    private func startHeartbeat() {
        let timer = DeadlineTimer(eventLoop: worker.eventLoop)
        timer.attach(self)
        timer.set(.now() + worker.snapshot.limits.heartbeat)
        answer?.heartbeat = timer
    }

    /// The stream was silent for a while: a comment keeps proxies and clients from giving it up, never inside an event.
    func deadlineReached(_ timer: DeadlineTimer) {
        guard machine.state != .ended, let answer else { return }
        if answer.position.isBetweenEvents, connection.takesBytes {
            connection.sendHeartbeat()
            worker.metrics.heartbeats += 1
        }
        timer.set(.now() + worker.snapshot.limits.heartbeat)
    }
}

/// A client's key in the query, as WebSocket clients send it, is never passed on.
enum QueryCredentials {
    static func removed(from target: String) -> String {
        guard let question = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target }
        let query = target[target.utf8.index(after: question)...]
        guard mayHoldKey(query) else { return target }
        let kept = query.split(separator: "&", omittingEmptySubsequences: false).filter { pair in
            let name = pair.prefix { $0 != "=" }
            return !(name.isSame("api-key") || (name.contains("%") && decoded(name).isSame("api-key")))
        }
        let path = target[..<question]
        return kept.isEmpty ? String(path) : path + "?" + kept.joined(separator: "&")
    }

    /// A quick look that spares nearly all queries the splitting: "-k" of "api-key", or an escape.
    private static func mayHoldKey(_ query: Substring) -> Bool {
        var last: UInt8 = 0
        for byte in query.utf8 {
            if byte == UInt8(ascii: "%") || (last == UInt8(ascii: "-") && byte | 0x20 == UInt8(ascii: "k")) {
                return true
            }
            last = byte
        }
        return false
    }

    private static func decoded(_ name: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = name.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(Substring(rest.prefix(2)), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
