internal import Coordination
internal import NIOCore

/// `/status`: what this replica is doing, for people and scripts. No secret is in it.
struct StatusPage {
    let totals: MetricsShard
    let origins: [(running: Int, waiting: Int)]
    /// `nil` when the event loops are gone.
    let routing: RoutingReport?
    /// Of the snapshot's candidates.
    let reports: [DeploymentReport]
    let fleet: Fleet

    var json: String {
        let phase =
            switch fleet.gate.phase {
            case .serving: "serving"
            case .lameDuck: "lame_duck"
            case .draining: "draining"
            }
        let snapshot = fleet.snapshot
        let endpoints = zip(snapshot.configuration.endpoints, snapshot.endpointNumbers).map { endpoint, number in
            // A configuration may have come meanwhile.
            let counts = number < origins.count ? origins[number] : (running: 0, waiting: 0)
            return object([
                ("name", quoted(endpoint.name)), ("url", quoted(endpoint.url.description)),
                ("running", "\(counts.running)"), ("waiting", "\(counts.waiting)"),
            ])
        }
        let models = fleet.snapshot.configuration.models.map { model in
            object([
                ("name", quoted(model.name)),
                ("waiting", "\(snapshot.roster.models[model.name].flatMap { routing?.queue($0)?.waiting } ?? 0)"),
                (
                    "deployments",
                    array(
                        model.deployments.map {
                            object([
                                ("endpoint", quoted($0.endpoint)), ("deployment", quoted($0.deployment ?? model.name)),
                                ("tier", "\($0.tier)"),
                            ])
                        }
                    )
                ),
            ])
        }
        let clients = fleet.snapshot.clients.clients.map(client)
        return object([
            ("phase", quoted(phase)),
            ("uptime_seconds", "\((NIODeadline.now() - fleet.start).nanoseconds / 1_000_000_000)"),
            ("event_loops", "\(fleet.workers.count)"),
            ("requests_in_flight", "\(totals.inFlight)"),
            ("connections", "\(totals.connections)"),
            ("configuration", configuration),
            ("coordination", coordination),
            ("endpoints", array(endpoints)),
            ("models", array(models)),
            ("deployments", array(deployments)),
            ("clients", array(clients)),
        ]) + "\n"
    }

    private var configuration: String {
        let report = fleet.current.report
        return object([
            ("hash", quoted(fleet.snapshot.hash)), ("reloads", "\(report.reloads)"),
            ("failed_reloads", "\(report.failures)"), ("error", report.error.map(quoted) ?? "null"),
            ("needs_restart", array(report.needsRestart.map(quoted))),
            ("mixed_fleet", report.configurations > 1 ? "true" : "false"),
            (
                "replicas",
                array(
                    report.replicas.map {
                        object([
                            ("instance", quoted($0.instance)), ("hash", quoted($0.hash)),
                            ("version", quoted($0.version)),
                        ])
                    }
                )
            ),
        ])
    }

    /// Each deployment once: what the fleet remembers of it now, and what this replica met there since it started.
    private var deployments: [String] {
        let now = NIODeadline.now()
        let numbers = fleet.snapshot.roster.deployments
        return zip(fleet.snapshot.candidates, reports).map { candidate, report in
            var members = [("name", quoted(candidate.id.name))]
            if let requests = report.requests { members.append(("requests_left", "\(requests)")) }
            if let tokens = report.tokens { members.append(("tokens_left", "\(tokens)")) }
            if let limit = report.liveLimit { members.append(("named_tokens_per_minute", "\(limit)")) }
            members += [
                ("cooldown_ms", "\(report.cooldown)"), ("failures_in_a_row", "\(report.streak)"),
                ("probed_for_ms", "\(report.probe)"),
            ]
            guard let number = numbers[candidate.id.name], let tally = routing?.tally(number) else {
                return object(members)
            }
            members.append(("probes", "\(tally.probes)"))
            if candidate.limits.isShadow {
                let passedOver = zip(LimitKind.allCases, tally.shadow).filter { $1 > 0 }
                members.append(("shadow_passed_over", counts(passedOver)))
            }
            let verdicts = zip(DeploymentTally.Outcome.allCases, tally.counts).filter { $1 > 0 }
            members.append(("verdicts", object(verdicts.map { ($0.name, "\($1)") })))
            if let last = tally.lastFailure {
                let age = max(0, (now - last.at).nanoseconds / 1_000_000)
                let failure = object([("verdict", quoted(last.outcome.name)), ("ms_ago", "\(age)")])
                members.append(("last_failure", failure))
            }
            return object(members)
        }
    }

    /// - Returns: with what its limits in the shadow would have refused since the replica started, if there are such limits.
    private func client(_ client: ClientDirectory.Client) -> String {
        guard client.scopes.hasShadow else { return object([("name", quoted(client.name))]) }
        let refusals = zip(
            LimitKind.allCases,
            LimitKind.allCases.map { kind in
                // A configuration may have come meanwhile.
                client.index < totals.clients
                    ? totals.admission.shadowRefusals[
                        totals.admission.index(client: client.index, limit: kind.rawValue - 1)
                    ] : 0
            }
        )
        return object([("name", quoted(client.name)), ("shadow_refusals", counts(refusals.filter { $1 > 0 }))])
    }

    private func counts(_ counts: [(LimitKind, Int)]) -> String { object(counts.map { ($0.name, "\($1)") }) }

    private var coordination: String {
        guard let state = fleet.coordinating.snapshot() else { return object([("mode", quoted("in-process"))]) }
        let mode: [(String, String)] =
            switch state.mode {
            case .shared: [("mode", quoted("shared"))]
            case .degraded(let reason): [("mode", quoted("degraded")), ("reason", quoted(reason.rawValue))]
            }
        return object(
            mode + [
                ("replicas", "\(state.fleetSize)"), ("unsettled", "\(state.queueDepth)"),
                ("settlements_dropped", "\(state.dropped)"), ("fallback_admissions", "\(state.fallbackAdmissions)"),
                ("late_answers", "\(state.lateAnswers)"), ("cancellations", "\(state.cancellations)"),
                ("errors", "\(state.errors)"), ("remembered_refusals", "\(state.rememberedRefusals)"),
            ]
        )
    }

    private func quoted(_ text: String) -> String { JSONText.quoted(text) }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(quoted($0)):\($1)" }.joined(separator: ",") + "}"
    }

    private func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }
}
