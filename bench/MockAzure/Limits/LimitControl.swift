import NIOCore

/// `/mock/limits`: what the limits of the deployments are, and how a test changes them while it runs.
///
/// `GET` tells them. `POST` with `{"deployment": NAME, KEY: VALUE, …}` changes those that are named, takes away those that
/// are `null`, and tells them all; the keys are those of `LimitSettings`.
struct LimitControl {
    let deployments: DeploymentTable

    func answer(_ body: ByteBuffer, changes: Bool, now: Int) -> Answer {
        do throws(BadRequest) {
            if changes { try self.change(body) }
        } catch {
            return Answer(.badRequest(error))
        }
        var buffer = ByteBuffer()
        self.write(into: &buffer, now: now)
        return Answer(.whole(buffer))
    }

    private func change(_ body: ByteBuffer) throws(BadRequest) {
        var name: String?
        var edits: [(key: LimitSettings.Key, value: String?)] = []
        try body.readJSONObject { reader, key throws(BadRequest) in
            let key = key.decoded()
            if key == "deployment" {
                name = try reader.string().decoded()
                return
            }
            guard let known = LimitSettings.Key(rawValue: key) else {
                let keys = LimitSettings.Key.allCases.map(\.rawValue).joined(separator: ", ")
                throw BadRequest("limits: there is no '\(key)'; there are deployment, \(keys)")
            }
            edits.append((known, try Self.scalar(&reader)))
        }
        guard let name else { throw BadRequest("limits: which deployment?") }
        guard let deployment = self.deployments[name] else {
            throw BadRequest("limits: no deployment was started by the name '\(name)'")
        }
        try deployment.limiter.change { settings throws(BadRequest) in
            for edit in edits { try settings.set(edit.key, to: edit.value) }
            try self.deployments.check(settings, of: name)
        }
    }

    /// `nil` for null.
    private static func scalar(_ reader: inout JSONReader) throws(BadRequest) -> String? {
        try reader.optional { reader throws(BadRequest) in
            switch try reader.peek() {
            case .string: try reader.string().decoded()
            case .number, .object, .array, .bool, .null: try reader.number()
            }
        }
    }

    private func write(into buffer: inout ByteBuffer, now: Int) {
        buffer.writeStaticString("{\"deployments\":{")
        for (index, deployment) in self.deployments.all.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            buffer.writeJSON(deployment.name)
            buffer.writeStaticString(":{\"kind\":")
            if let kind = deployment.kind { buffer.writeJSON(kind.rawValue) } else { buffer.writeStaticString("null") }
            Self.write(deployment.limiter, into: &buffer, now: now)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}}")
    }

    private static func write(_ limiter: Limiter, into buffer: inout ByteBuffer, now: Int) {
        let settings = limiter.settings
        for (key, value) in [
            (LimitSettings.Key.tpm, settings.tokensPerMinute),
            (.effectiveTPM, settings.effectiveTokensPerMinute),
            (.rpm, settings.requestsPerMinute),
            (.rpmWindow, settings.requestWindow.map { $0 / 1_000 }),
            (.provisioned, settings.provisioned),
        ] {
            if let value { buffer.writeString(",\"\(key.rawValue)\":\(value)") }
        }
        if let name = settings.spillover {
            buffer.writeStaticString(",\"spillover\":")
            buffer.writeJSON(name)
        }
        let report = limiter.report(now: now)
        if let tokens = report?.tokens { buffer.writeString(",\"remaining-tokens\":\(tokens.remaining)") }
        if let requests = report?.requests { buffer.writeString(",\"remaining-requests\":\(requests.remaining)") }
        if let percent = limiter.utilization(now: now) { buffer.writeString(",\"utilization\":\(percent)") }
    }
}
