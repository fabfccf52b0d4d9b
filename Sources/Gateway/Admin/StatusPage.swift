internal import Coordination
internal import NIOCore

/// `/status`: what this replica is doing, for people and scripts. No secret is in it.
struct StatusPage {
    let totals: MetricsShard
    let origins: [(running: Int, waiting: Int)]
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
                (
                    "deployments",
                    array(
                        model.deployments.map {
                            object([
                                ("endpoint", quoted($0.endpoint)), ("deployment", quoted($0.deployment ?? model.name)),
                            ])
                        }
                    )
                ),
            ])
        }
        let clients = fleet.snapshot.clients.clients.map { object([("name", quoted($0.name))]) }
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
                ("errors", "\(state.errors)"),
            ]
        )
    }

    private func quoted(_ text: String) -> String { JSONText.quoted(text) }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(quoted($0)):\($1)" }.joined(separator: ",") + "}"
    }

    private func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }
}
