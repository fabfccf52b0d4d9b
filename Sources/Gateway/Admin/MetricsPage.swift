internal import Coordination
internal import NIOCore

/// `/metrics` in Prometheus' text format 0.0.4.
struct MetricsPage {
    let totals: MetricsShard
    let fleet: Fleet
    let droppedLogBytes: Int

    var text: String {
        var page = MetricsText()
        requests(&page)
        times(&page)
        attempts(&page)
        coordination(&page)
        usage(&page)
        page.family("sluice_requests_in_flight", "gauge", "Requests being served.")
        page.sample("sluice_requests_in_flight", totals.inFlight)
        page.family("sluice_received_bytes_total", "counter", "Request body bytes received from clients.")
        page.sample("sluice_received_bytes_total", totals.receivedBytes)
        page.family("sluice_sent_bytes_total", "counter", "Response body bytes passed on to clients.")
        page.sample("sluice_sent_bytes_total", totals.sentBytes)
        page.family("sluice_connections", "gauge", "Open client connections.")
        page.sample("sluice_connections", totals.connections)
        page.family("sluice_connections_accepted_total", "counter", "Client connections accepted.")
        page.sample("sluice_connections_accepted_total", totals.acceptedConnections)
        page.family("sluice_heartbeats_total", "counter", "Comments sent into silent event streams.")
        page.sample("sluice_heartbeats_total", totals.heartbeats)
        page.family("sluice_log_dropped_bytes_total", "counter", "Log bytes dropped because their reader was too slow.")
        page.sample("sluice_log_dropped_bytes_total", droppedLogBytes)
        page.family("sluice_event_loop_lag_seconds", "histogram", "How late event loops run what is due.")
        page.histogram("sluice_event_loop_lag_seconds", totals.lag, labels: [])
        page.family("sluice_ready", "gauge", "1 while the replica is ready for traffic.")
        page.sample("sluice_ready", fleet.gate.phase == .serving ? 1 : 0)
        return page.text
    }

    private func requests(_ page: inout MetricsText) {
        page.family("sluice_requests_total", "counter", "Exchanges ended, by client, model and status class.")
        for client in 0...totals.clients {
            for model in 0...totals.models {
                for (index, statusClass) in MetricsShard.classes.enumerated() {
                    let count = totals.requests[totals.index(client: client, model: model, statusClass: index)]
                    guard count > 0 else { continue }
                    let labels = [("client", clientName(client)), ("model", modelName(model)), ("status", statusClass)]
                    page.sample("sluice_requests_total", count, labels: labels)
                }
            }
        }
    }

    private func times(_ page: inout MetricsText) {
        let families = [
            (
                "sluice_time_to_first_byte_seconds", "From a request's head to the first byte of its answer.",
                totals.firstByte
            ),
            (
                "sluice_request_duration_seconds", "From a request's head to the last byte of its answer.",
                totals.duration
            ),
        ]
        for (name, help, histograms) in families {
            page.family(name, "histogram", help)
            for (model, histogram) in histograms.enumerated() where histogram.total > 0 {
                page.histogram(name, histogram, labels: [("model", modelName(model))])
            }
        }
    }

    private func attempts(_ page: inout MetricsText) {
        page.family("sluice_upstream_attempts_total", "counter", "Attempts at an endpoint, by their answers' status.")
        for (index, counts) in totals.attempts.enumerated() {
            let endpoint = ("endpoint", fleet.snapshot.endpoints[index].name)
            let results =
                zip(MetricsShard.classes, counts.answered) + [
                    ("failed", counts.failed), ("cancelled", counts.cancelled),
                ]
            for (result, count) in results where count > 0 {
                page.sample("sluice_upstream_attempts_total", count, labels: [endpoint, ("result", result)])
            }
        }
    }

    private func coordination(_ page: inout MetricsText) {
        page.family(
            "sluice_upstream_misconfigured_total",
            "counter",
            "Answers that refuse the gateway's credentials or do not know a deployment's name."
        )
        page.sample("sluice_upstream_misconfigured_total", totals.misconfigured)
        guard let state = fleet.coordinating.snapshot() else { return }
        page.family("sluice_limiter_shared", "gauge", "1 while limits are shared through Redis, 0 while decided alone.")
        page.sample("sluice_limiter_shared", state.mode == .shared ? 1 : 0)
        page.family("sluice_fleet_replicas", "gauge", "Replicas that are alive, as Redis knows them.")
        page.sample("sluice_fleet_replicas", state.fleetSize)
        page.family("sluice_settlements_waiting", "gauge", "Settlements that Redis has not confirmed.")
        page.sample("sluice_settlements_waiting", state.queueDepth)
        let counters = [
            ("settlements_dropped", "Settlements that never reached Redis; each is in the log.", state.dropped),
            ("fallback_admissions", "Admissions decided without Redis.", state.fallbackAdmissions),
            ("late_answers", "Answers of Redis that came behind their deadline.", state.lateAnswers),
            ("cancellations", "Admissions that were taken back.", state.cancellations),
            ("redis_errors", "Commands that Redis did not answer well.", state.errors),
        ]
        for (name, help, count) in counters {
            page.family("sluice_\(name)_total", "counter", help)
            page.sample("sluice_\(name)_total", count)
        }
    }

    private func clientName(_ index: Int) -> String {
        index < totals.clients ? fleet.snapshot.clients.clients[index].name : ""
    }

    private func modelName(_ index: Int) -> String { index < totals.models ? fleet.snapshot.modelNames[index] : "" }
}

/// Writes Prometheus' text format (prometheus.io, "Exposition formats").
struct MetricsText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ value: Int, labels: [(String, String)] = []) {
        text += "\(name)\(Self.braces(labels)) \(value)\n"
    }

    /// Buckets in seconds, cumulative, then sum and count.
    mutating func histogram(_ name: String, _ histogram: Histogram, labels: [(String, String)]) {
        var cumulative = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            cumulative += count
            text += "\(name)_bucket\(Self.braces(labels + [("le", "\(Double(bound) / 1e9)")])) \(cumulative)\n"
        }
        text += "\(name)_bucket\(Self.braces(labels + [("le", "+Inf")])) \(histogram.total)\n"
        text += "\(name)_sum\(Self.braces(labels)) \(Double(histogram.sum) / 1e9)\n"
        text += "\(name)_count\(Self.braces(labels)) \(histogram.total)\n"
    }

    private static func braces(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { name, value in "\(name)=\"\(escaped(value))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
