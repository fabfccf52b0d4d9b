internal import Coordination
internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// The way to Azure and back.
extension Exchange {
    // MARK: forward

    /// Sends the request to the deployment that was reserved.
    func forward() {
        guard let deployment = passage?.deployment, let payload = passage?.payload else { return }
        guard let credential = credential(for: deployment.endpoint) else { return }
        if record.attempts > 0 { record.earlierAttempts.append(record.lastAttempt) }
        record.endpoint = deployment.endpoint
        record.tier = deployment.tier
        record.isProvisioned = deployment.isProvisioned
        record.upstreamStatus = 0
        record.deployment = deployment.name ?? record.modelName
        record.attempts += 1
        traceAttempt(at: deployment.endpoint)
        if let candidate = passage?.candidate {
            let name = candidate.id.name
            // A list of models or files is asked of a resource: no deployment has a part in it.
            lastDeployment = name.utf8.last == UInt8(ascii: "/") ? String(name.dropLast()) : name
            isCounted = false
            if passage?.reserved?.isProbe == true, let number = deployment.number { worker.tallies[number].noteProbe() }
            edit(for: deployment, asksForUsage: worker.injections.isOn(candidate.id))
        }
        let body = transferBody(payload)
        let headers = snapshot.endpoints[deployment.endpoint].headers
        let arena = worker.takeArena()
        self.arena = arena
        let matcher = worker.access.matcher(of: deployment.endpoint)
        headers.write(
            head,
            connectionNames: fields.connectionNames,
            credential: credential,
            matcher: matcher,
            body: body.headerKind,
            into: arena
        )
        if matcher?.passes("traceparent") ?? headers.forwardsTrace {
            let withState = matcher?.passes("tracestate") ?? headers.forwardsTraceState
            addTrace(to: arena, withState: withState)
        }
        if let hooks { for field in hooks.fields.request { arena.add(field.name, field.value) } }
        let request = TransferRequest(
            method: head.method.rawValue,
            target: upstreamTarget(deployment),
            headers: arena,
            body: body
        )
        attempt = edition.origin(deployment.endpoint).start(request, observer: self)
    }

    private func upstreamTarget(_ deployment: ModelRoute.Deployment) -> String {
        let target: String
        if case .deployment(let name, _) = self.target.kind {
            target = self.target.naming(deployment: deployment.name ?? name)
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
        var headers = ResponseHeaders(upstream)
        let action = machine.headReceived(headers.promise(status: upstream.status))
        guard action != .none else { return }
        worker.metrics.countAttempt(endpoint: record.endpoint ?? 0, status: upstream.status)
        // Provisioned deployments are never judged by fields that they do not send.
        deploymentFields = passage?.isProvisioned == false ? DeploymentFields(upstream) : DeploymentFields()
        trace?.attemptAnswered(status: upstream.status)
        record.upstreamStatus = upstream.status
        if worker.usageLog != nil { record.region = worker.regions.name(in: upstream, endpoint: record.endpoint ?? 0) }
        record.upstreamRequestID = upstream.first("apim-request-id") ?? upstream.first("x-request-id")
        let filters = headers.isEventStream && edits?.asksForUsage == true
        if filters { headers.forgetLength() }
        usage = UsageChunkFilter(UsageReader(headers.usageFormat), isFiltering: filters)
        if action == .relayHead {
            if let candidate = passage?.candidate { worker.streaks.succeeded(candidate.id) }
            beginRelay(upstream, headers)
        } else {
            held = HeldAnswer(head: machine.isJudging ? upstream.copy() : upstream, headers: headers)
            startTimer(after: HeldAnswer.mostTime)
        }
    }

    /// The client gets this answer.
    func beginRelay(_ upstream: ResponseHead, _ headers: ResponseHeaders, retryAfter: Int64? = nil) {
        record.isStream = headers.isEventStream
        record.firstByte = .now()
        count(.answered)
        answer = AnswerInProgress(status: upstream.status, isStream: headers.isEventStream)
        if let resourcePath, 200..<300 ~= upstream.status {
            resources = ResourceCapture(term: resourcePath.collection.term)
        }
        connection.relayHead(
            upstream,
            headers,
            method: record.method,
            replacing: ReplacedFields(
                rateLimits: rateLimits,
                retryAfter: retryAfter,
                origin: origin,
                added: hooks?.fields.answer ?? []
            )
        )
        if let hooks { tellHooks(hooks, of: upstream, isStream: headers.isEventStream) }
        if headers.isEventStream {
            startTimer(after: snapshot.limits.heartbeat)
            // A stream may stay open for minutes, and thousands of them at once.
            upstream.release()
            if attempt?.releaseSentRequest() == true {
                body = nil
                giveBackArena()
            }
        } else {
            stopTimer()
        }
    }

    /// Counts what came of the attempt that runs, once.
    func count(_ outcome: DeploymentTally.Outcome) {
        guard !isCounted, let number = passage?.deployment?.number else { return }
        isCounted = true
        worker.tallies[number].note(outcome)
    }

    /// Where the answer comes from, if clients are to know.
    var origin: AnswerOrigin? {
        guard snapshot.configuration.server.routingHeaders else { return nil }
        return AnswerOrigin(deployment: lastDeployment, attempts: record.attempts)
    }

    func transferReceived(_ transfer: Transfer, body: UnsafeRawBufferPointer) -> BodyDisposition {
        guard connection.takesBytes, hooks?.isFull != true else { return .pause }
        switch machine.bytesReceived() {
        case .relay: relay(body)
        case .hold: hold(body)
        default: break
        }
        return .taken
    }

    func relay(_ body: UnsafeRawBufferPointer) { usage?.pass(body) { relayed($0) } }

    /// For bytes that have been read for usage.
    func relayed(_ body: UnsafeRawBufferPointer) {
        if answer?.isStream == true {
            answer?.position.advance(over: body)
            if let hooks { hooks.relayed(body) }
        }
        record.responseBytes += body.count
        // Before the client knows of it.
        if resources != nil { captureResources(body) }
        connection.relay(body)
    }

    func transferWantsBody(_ transfer: Transfer, into room: UnsafeMutableRawBufferPointer) -> BodySupply {
        supply(room)
    }

    func transferTurnEnded(_ transfer: Transfer) {
        // The end of a stream leaves in one write with its last event.
        guard !transfer.isOver || connection.hasWholeAnswer else { return }
        connection.flush()
        if answer?.isStream == true { startTimer(after: snapshot.limits.heartbeat) }
    }

    func transferEnded(_ transfer: Transfer, error: TransferError?) {
        attempt = nil
        giveBackArena()
        trace?.attemptEnded(error: error?.code.rawValue, at: .now())
        // One whose head came is counted by its status.
        if let error, held == nil, answer == nil, rerouteWhenCancelled == nil {
            if error.code == .cancelled {
                worker.metrics.countCancelled(endpoint: record.endpoint ?? 0)
            } else {
                worker.metrics.countAttempt(endpoint: record.endpoint ?? 0, status: 0)
            }
        }
        if let failure = rerouteWhenCancelled {
            rerouteWhenCancelled = nil
            return reroute(failure)
        }
        let (remedy, failure) = machine.isUndecided ? self.remedy(error) : (.none, nil)
        if error != nil { held = nil }
        switch machine.attemptEnded(error.map { GatewayError($0) }, remedy: remedy) {
        case .reroute:
            if let failure { reroute(failure) }
        case .forward:
            forward()
        case .renewToken:
            renewToken()
        case let action:
            perform(action)
        }
    }

    private func giveBackArena() {
        if let arena { worker.giveBack(arena) }
        arena = nil
    }

    /// The client's channel has room again.
    func clientIsWritable() { attempt?.resumeReceiving() }
}

// MARK: time

extension Exchange {
    /// The connection's timer ends the holding of an answer, and then sends comments into silent streams.
    func startTimer(after time: TimeAmount) { connection.timer(of: self)?.set(.now() + time) }

    func stopTimer() { connection.timer(of: self)?.set(.distantFuture) }

    /// From the connection.
    func deadlineReached() {
        switch machine.state {
        case .ended, .introducing, .consulting: break
        case .identifying: stopIdentifying()
        case .awaitingToken: tokenIsMissing()
        case .collecting, .admitting, .waiting, .forwarding, .holding, .judging, .rerouting: release()
        case .relaying: beat()
        }
    }

    /// The stream was silent for a while: a comment keeps proxies and clients from giving it up, never inside an event.
    private func beat() {
        guard let answer, answer.isStream else { return }
        if answer.position.isBetweenEvents, connection.takesBytes {
            connection.sendHeartbeat()
            worker.metrics.heartbeats += 1
        }
        startTimer(after: snapshot.limits.heartbeat)
    }
}
