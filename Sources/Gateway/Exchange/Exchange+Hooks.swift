internal import NIOCore
internal import NIOHTTP1
internal import Transport

/// Where an exchange tells its hooks; without hooks in the build, no more than a look at `worker.hooks`.
extension Exchange {
    // MARK: before it is known who calls

    /// Tells the hooks of the request, and goes on when they let it.
    func introduce(to set: HookSet) {
        guard set.behind.count < HookSet.mostBehind else { return perform(machine.refused(.hooksBehind)) }
        let line = HookLine(set, of: self)
        hooks = line
        machine.introducing()
        postponed = PostponedBody()
        // What has been read is kept; the rest stays in the socket.
        connection.holdReads()
        line.ask(.request(hookRequest)) { [self] in
            guard machine.introduced() == .authenticate else { return }
            connection.releaseReads()
            authenticate()
        }
    }

    private var hookRequest: HookRequest {
        HookRequest(
            id: record.id.description,
            method: head.method.rawValue,
            path: String(target.path),
            headers: head.headers.filter { !Self.carriesCredentials($0.name) }.map { HookField($0.name, $0.value) },
            address: record.address?.text
        )
    }

    private static func carriesCredentials(_ name: String) -> Bool {
        switch name.utf8.count {
        case 6: name.isSame("cookie")
        case 7: name.isSame("api-key")
        case 13: name.isSame("authorization")
        case 19: name.isSame("proxy-authorization")
        default: false
        }
    }

    // MARK: before anything is reserved

    /// Tells the hooks who calls and what for, and asks the coordinator when they let it.
    func consult(_ line: HookLine, model: String?, payload: Payload, upload: ExchangeStateMachine.Upload) {
        record.modelName = model
        guard let client else { return }
        machine.consulting(upload)
        let call = HookCall(
            request: hookRequest,
            client: client.name,
            model: model,
            isStream: record.isStream,
            body: bodyForHooks(payload)
        )
        line.ask(.call(call)) { [self] in
            guard machine.isConsulting else { return }
            for field in line.fields.request { head.headers.remove(name: field.name) }
            // The upload may have come to an end meanwhile, which the machine knows.
            ask(model: model, payload: payload, upload: upload)
        }
    }

    private func bodyForHooks(_ payload: Payload) -> [UInt8]? {
        guard case .memory = payload, let body, body.count <= HookCall.mostBody else { return nil }
        return Array(body.bytes)
    }

    // MARK: the answer

    func tellHooks(_ line: HookLine, of upstream: ResponseHead, isStream: Bool) {
        line.tell(
            .head(
                HookHead(
                    status: upstream.status,
                    headers: upstream.fields.map { field in
                        HookField(
                            String(decoding: upstream.bytes[field.name], as: UTF8.self),
                            String(decoding: upstream.bytes[field.value], as: UTF8.self)
                        )
                    },
                    endpoint: snapshot.endpoints[record.endpoint ?? 0].name,
                    deployment: record.deployment,
                    attempts: record.attempts,
                    isStream: isStream
                )
            )
        )
    }

    /// A hook refused, failed, or did not answer in time.
    func hooksStopped(_ error: GatewayError) { perform(machine.refused(error)) }

    /// The last that hooks hear: the usage event, whoever the client was.
    func settleHooks(_ line: HookLine) {
        var frame = UsageFrameWriter()
        let age = (record.end - record.start).nanoseconds / 1000
        frame.write(record, received: UsageTime.now() - age) { snapshot.endpoints[$0].name }
        line.ended(frame: frame.take())
    }
}

extension CallerAddress {
    fileprivate var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension GatewayError {
    static func hookFailed(_ name: String) -> Self {
        Self(
            500,
            "HookFailed",
            "The gateway's hook '\(name)' failed. Ask the gateway's operator.",
            source: .gateway,
            reason: "hook_\(name)"
        )
    }

    static func hookTimedOut(_ name: String) -> Self {
        Self(
            504,
            "HookTimeout",
            "The gateway's hook '\(name)' did not answer in time. Ask the gateway's operator.",
            source: .gateway,
            reason: "hook_\(name)"
        )
    }

    static let hooksBehind = Self(
        503,
        "HooksOverloaded",
        "The gateway's hooks do not keep up. Try again shortly.",
        source: .gateway,
        retryAfter: 1000
    )
}
