internal import Coordination

/// What was decided about limits and deployments, by whom, and how long that took.
extension MetricsPage {
    func admission(_ page: inout MetricsText) {
        let admission = totals.admission
        page.family("sluice_admissions_total", "counter", "Decisions about requests that a client may send at all.")
        let outcomes = [
            ("admitted", admission.admitted), ("refused", admission.refused), ("unavailable", admission.unavailable),
            ("duplicate", admission.duplicates),
        ]
        for (outcome, count) in outcomes {
            page.sample("sluice_admissions_total", count, labels: [("outcome", outcome)])
        }
        page.family("sluice_refusals_total", "counter", "Requests refused, by client and the limit that refused.")
        refusals(&page, "sluice_refusals_total", admission.refusals)
        shadows(&page)
        page.family("sluice_admission_wait_seconds", "histogram", "From a request for admission to the decision.")
        page.histogram("sluice_admission_wait_seconds", admission.wait, labels: [])
        page.family(
            "sluice_reroutes_total",
            "counter",
            "Requests whose deployment failed, by whether there was another."
        )
        for (outcome, count) in [("rerouted", admission.reroutes), ("refused", admission.reroutesRefused)] {
            page.sample("sluice_reroutes_total", count, labels: [("outcome", outcome)])
        }
        cooldowns(&page)
    }

    private func refusals(_ page: inout MetricsText, _ family: String, _ counts: [Int]) {
        for client in 0...totals.clients {
            for (limit, name) in AdmissionMetrics.limits.enumerated() {
                let count = counts[totals.admission.index(client: client, limit: limit)]
                guard count > 0 else { continue }
                page.sample(family, count, labels: [("client", clientName(client)), ("limit", name)])
            }
        }
    }

    /// What limits in the shadow would have done.
    private func shadows(_ page: inout MetricsText) {
        page.family(
            "sluice_shadow_refusals_total",
            "counter",
            "Requests served that a limit in the shadow would have refused, by client and limit."
        )
        refusals(&page, "sluice_shadow_refusals_total", totals.admission.shadowRefusals)
        page.family(
            "sluice_shadow_passed_over_total",
            "counter",
            "Requests given to a deployment that its limits in the shadow would have passed over, by limit."
        )
        eachDeployment { id, labels in
            guard let number = fleet.snapshot.roster.deployments[id.name] else { return }
            for (kind, count) in zip(LimitKind.allCases, routing?.tally(number)?.shadow ?? []) where count > 0 {
                let labels = labels + [("limit", kind.name)]
                page.sample("sluice_shadow_passed_over_total", count, labels: labels)
            }
        }
    }

    /// Each deployment of the configuration once, with its labels.
    private func eachDeployment(_ body: (DeploymentID, [(String, String)]) -> Void) {
        var seen: Set<DeploymentID> = []
        for model in fleet.snapshot.configuration.models {
            for deployment in model.deployments {
                let name = deployment.deployment ?? model.name
                let id = DeploymentID(endpoint: deployment.endpoint, deployment: name)
                guard seen.insert(id).inserted else { continue }
                body(id, [("endpoint", deployment.endpoint), ("deployment", name)])
            }
        }
    }

    private func cooldowns(_ page: inout MetricsText) {
        page.family(
            "sluice_cooldowns_total",
            "counter",
            "Failures that made a deployment cool, as this replica saw them."
        )
        for (endpoint, configured) in fleet.snapshot.endpoints.enumerated() {
            for (kind, name) in AdmissionMetrics.kinds {
                let count = totals.admission.cooldowns[AdmissionMetrics.index(endpoint: endpoint, kind: kind)]
                guard count > 0 else { continue }
                page.sample(
                    "sluice_cooldowns_total",
                    count,
                    labels: [("endpoint", configured.name), ("reason", name)]
                )
            }
        }
        page.family(
            "sluice_deployment_cooldown_seconds",
            "gauge",
            "How much longer a deployment cools, as far as this replica has heard."
        )
        eachDeployment { id, labels in
            page.sample(
                "sluice_deployment_cooldown_seconds",
                Double(seen.cooling[id] ?? 0) / 1000,
                labels: labels
            )
        }
    }

    func coordination(_ page: inout MetricsText) {
        guard let state = fleet.coordinating.snapshot() else { return }
        page.family("sluice_limiter_shared", "gauge", "1 while limits are shared through Redis, 0 while decided alone.")
        page.sample("sluice_limiter_shared", state.mode == .shared ? 1 : 0)
        page.family("sluice_fleet_replicas", "gauge", "Replicas that are alive, as Redis knows them.")
        page.sample("sluice_fleet_replicas", state.fleetSize)
        page.family("sluice_settlements_waiting", "gauge", "Settlements that Redis has not confirmed.")
        page.sample("sluice_settlements_waiting", state.queueDepth)
        page.family("sluice_redis_latency_seconds", "histogram", "From a call of Redis to its answer or its deadline.")
        for (script, latency) in seen.redis {
            page.histogram("sluice_redis_latency_seconds", latency, labels: [("script", script)])
        }
        let counters = [
            (
                "sluice_settlements_dropped_total", "Settlements that never reached Redis; each is in the log.",
                state.dropped
            ),
            ("sluice_fallback_admissions_total", "Admissions decided without Redis.", state.fallbackAdmissions),
            ("sluice_late_answers_total", "Answers of Redis that came behind their deadline.", state.lateAnswers),
            ("sluice_cancellations_total", "Admissions that were taken back.", state.cancellations),
            (
                "sluice_remembered_refusals_total", "Refusals given again without asking Redis.",
                state.rememberedRefusals
            ),
            ("sluice_redis_errors_total", "Commands that Redis did not answer well.", state.errors),
        ]
        for (name, help, count) in counters {
            page.family(name, "counter", help)
            page.sample(name, count)
        }
    }
}
