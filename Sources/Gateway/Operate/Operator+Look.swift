internal import Coordination

/// What changes nothing.
extension Operator {
    // MARK: status

    /// Replicas with what they run, and what operators changed last.
    package func status() async throws -> [OperatorTable] {
        let replicas = try await inspector.replicas()
        let hash = configuration.hash
        let own = replicas.map { replica -> [OperatorTable.Cell] in
            let standing =
                replica.hash.isEmpty ? "unknown" : replica.hash == hash ? "as this file" : "differs from this file"
            return [.text(replica.instance), .text(replica.version), .text(replica.hash), .text(standing)]
        }
        let changes = try await inspector.changes().prefix(10).map { [OperatorTable.Cell.text($0)] }
        return [
            OperatorTable(name: "replicas", columns: ["instance", "version", "configuration", "standing"], rows: own),
            OperatorTable(name: "changes", columns: ["change"], rows: Array(changes)),
        ]
    }

    // MARK: limits

    /// - Parameter name: of a client; all without.
    package func limits(of name: String?) async throws -> OperatorTable {
        let clients = try name.map { [try client($0)] } ?? snapshot.clients.clients
        let scopes = clients.flatMap { client in
            self.scopes(of: client).map { (client: client.name, model: $0.model, scope: $0.scope) }
        }
        let view = try await inspector.look(scopes: scopes.map(\.scope), candidates: [])
        return table(of: scopes, view)
    }

    private func table(
        of scopes: [(client: String, model: String, scope: ClientScope)],
        _ view: LimiterView
    ) -> OperatorTable {
        var table = OperatorTable(
            name: "limits",
            columns: ["client", "model", "limit", "allowed", "left", "full_in_ms", "mode"],
            rows: []
        )
        for (client, model, scope) in scopes {
            let report = view.report(on: scope)
            let limits = scope.limits
            let rows: [(String, Int64?, Int64?, Int64?)] = [
                ("requests_per_minute", limits.requests?.perMinute, report.requests, report.timeToFull),
                ("tokens_per_minute", limits.tokens?.perMinute, report.tokens, report.timeToFull),
                ("tokens_per_day", limits.tokensPerDay, report.day, nil),
                ("tokens_per_month", limits.tokensPerMonth, report.month, nil),
                ("concurrent_requests", limits.concurrency, limits.concurrency.map { $0 - report.running }, nil),
            ]
            for (limit, allowed, left, time) in rows {
                guard let allowed else { continue }
                table.rows.append([
                    .text(client), model.isEmpty ? .none : .text(model), .text(limit), .number(allowed), .init(left),
                    .init(time), Self.mode(isShadow: limits.isShadow),
                ])
            }
        }
        return table
    }

    /// Of limits that refuse, and of those that only count.
    private static func mode(isShadow: Bool) -> OperatorTable.Cell { .text(isShadow ? "shadow" : "enforced") }

    // MARK: deployments

    package func deploymentTable() async throws -> OperatorTable {
        let deployments = deployments
        let view = try await inspector.look(scopes: [], candidates: deployments.map(\.candidate))
        return table(of: deployments, view)
    }

    private func table(of deployments: [NamedDeployment], _ view: LimiterView) -> OperatorTable {
        var table = OperatorTable(
            name: "deployments",
            columns: [
                "endpoint", "deployment", "models", "state", "wait_ms", "failures", "requests_left", "tokens_left",
                "running", "mode",
            ],
            rows: []
        )
        for deployment in deployments {
            let (report, running) = view.report(on: deployment.candidate)
            let isProbed = deployment.candidate.isProbed && report.probe > 0
            let state =
                report.cooldown > 0
                ? "cooling" : isProbed ? "being probed" : report.streak > 0 ? "to be probed" : "in service"
            table.rows.append([
                .text(deployment.endpoint), .text(deployment.deployment),
                .text(deployment.models.joined(separator: ",")),
                .text(state), .number(report.cooldown > 0 ? report.cooldown : isProbed ? report.probe : 0),
                .number(report.streak), .init(report.requests), .init(report.tokens), .number(running),
                Self.mode(isShadow: deployment.candidate.limits.isShadow),
            ])
        }
        return table
    }

    // MARK: explain

    /// What would be decided about a request, and why. Takes nothing.
    ///
    /// - Parameter tokens: those that it reserves: its prompt and the most it may answer.
    package func explain(client name: String, model: String, tokens: Int64) async throws -> [OperatorTable] {
        let client = try client(name)
        func answer(_ outcome: String, _ reason: String, wait: Int64? = nil, deployment: String? = nil) -> OperatorTable
        {
            OperatorTable(
                name: "decision",
                columns: ["outcome", "reason", "wait_ms", "deployment"],
                rows: [[.text(outcome), .text(reason), .init(wait), deployment.map { .text($0) } ?? .none]]
            )
        }
        guard let route = snapshot.route(model: model) else {
            return [answer("refused", "the configuration has no model '\(model)'")]
        }
        guard client.mayUse(model) else { return [answer("refused", "the client may not use this model")] }
        guard !client.scopes.isBlocked(model: model) else { return [answer("refused", "a limit of the client is 0")] }
        let allowed = route.deployments.indices.filter { client.priority <= route.deployments[$0].openToPriority }
        guard !allowed.isEmpty else {
            return [answer("refused", "no deployment is open to a client of priority \(client.priority)")]
        }
        let scopes = client.scopes.scopes(model: model)
        let candidates = allowed.map { route.candidates[$0] }
        let view = try await inspector.look(scopes: scopes, candidates: candidates)
        let named = allowed.map { index in
            NamedDeployment(
                endpoint: snapshot.endpoints[route.deployments[index].endpoint].name,
                deployment: route.deployments[index].name ?? model,
                models: [model],
                candidate: route.candidates[index]
            )
        }
        let admission = Admission(
            lease: LeaseID(instance: 0, start: 0, sequence: 0),
            estimate: tokens,
            scopes: scopes,
            candidates: candidates
        )
        let decision =
            switch view.decision(on: admission) {
            case .admitted(let reservation):
                answer(
                    "admitted",
                    Self.admitted(
                        reservation,
                        ofClient: client.scopes.shadowFinding(reservation.shadow, scopes, model: model),
                        there: route.deployments[allowed[reservation.candidate]].shadowBlock
                            ?? reservation.shadow.deployment
                    ),
                    deployment: "\(named[reservation.candidate].endpoint)/\(named[reservation.candidate].deployment)"
                )
            case .refused(let refusal):
                answer("refused", Self.reason(refusal, scopes), wait: refusal.wait)
            case .duplicate, .unavailable:
                preconditionFailure("nothing is known of the lease of a question, and the state is at hand")
            }
        return [
            decision,
            table(of: scopes.map { (client.name, $0.id.isOfModel ? model : "", $0) }, view),
            table(of: named, view),
        ]
    }

    private static func reason(_ refusal: Refusal, _ scopes: [ClientScope]) -> String {
        switch refusal.reason {
        case .deployments: return "every deployment cools, is being probed or has no room"
        case .client(let scope, let kind):
            return words(kind, isOfModel: scopes[scope].id.isOfModel)
        }
    }

    private static func words(_ kind: LimitKind, isOfModel: Bool) -> String {
        isOfModel ? "\(kind.name) of the client for this model" : "\(kind.name) of the client"
    }

    /// With what limits in the shadow would have done.
    private static func admitted(
        _ reservation: Reservation,
        ofClient: ShadowFindings.OfClient?,
        there: LimitKind?
    ) -> String {
        var reasons = [
            reservation.isProbe
                ? "as the one request that probes the deployment" : "every limit that is enforced has room"
        ]
        if ofClient == nil, there == nil, !reservation.isProbe { reasons = ["every limit has room"] }
        if let ofClient {
            reasons.append("shadow: \(words(ofClient.kind, isOfModel: ofClient.isOfModel)) would refuse")
        }
        if let there { reasons.append("shadow: \(there.name) of the deployment would pass it over") }
        return reasons.joined(separator: "; ")
    }
}
