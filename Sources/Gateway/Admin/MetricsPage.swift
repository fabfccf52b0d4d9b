internal import Coordination
internal import NIOCore

/// `/metrics` in Prometheus' text format 0.0.4.
struct MetricsPage {
    let totals: MetricsShard
    /// `nil` when the event loops are gone.
    let routing: RoutingReport?
    let fleet: Fleet
    let droppedLogBytes: Int
    /// What the event loops know besides their counters.
    let seen: Seen

    struct Seen: Sendable {
        /// Redis' answers by script; empty without Redis.
        var redis: [(script: String, latency: Histogram)] = []
        /// Milliseconds that deployments still cool, as far as this replica knows.
        var cooling: [DeploymentID: Int64] = [:]
        var access = Access.Report()
        var traces = TraceCounts()
    }

    var text: String {
        var page = MetricsText()
        requests(&page)
        firstByte(&page)
        generation(&page)
        attempts(&page)
        admission(&page)
        coordination(&page)
        access(&page)
        usage(&page)
        hooks(&page)
        configuration(&page)
        routing?.write(to: &page, models: fleet.snapshot.roster.models.names)
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
        traces(&page)
        process(&page)
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

    private func firstByte(_ page: inout MetricsText) {
        let name = "sluice_time_to_first_byte_seconds"
        page.family(name, "histogram", "From a request's head to the first byte of its answer.")
        for (model, histogram) in totals.firstByte.enumerated() where histogram.total > 0 {
            page.histogram(name, histogram, labels: [("model", modelName(model))])
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
        page.family(
            "sluice_upstream_misconfigured_total",
            "counter",
            "Answers that refuse the gateway's credentials or do not know a deployment's name."
        )
        page.sample("sluice_upstream_misconfigured_total", totals.misconfigured)
    }

    private func traces(_ page: inout MetricsText) {
        page.family("sluice_spans_exported_total", "counter", "Spans that the collector has taken.")
        page.sample("sluice_spans_exported_total", seen.traces.exported)
        page.family("sluice_spans_dropped_total", "counter", "Spans that were given up: no room, or refused.")
        page.sample("sluice_spans_dropped_total", seen.traces.dropped)
        page.family("sluice_span_export_failures_total", "counter", "Requests that the collector did not take.")
        page.sample("sluice_span_export_failures_total", seen.traces.failures)
        page.family("sluice_spans_waiting", "gauge", "Spans that wait for the collector.")
        page.sample("sluice_spans_waiting", seen.traces.waiting)
    }

    func clientName(_ index: Int) -> String {
        index < totals.clients ? fleet.snapshot.roster.clients.names[index] : ""
    }

    func modelName(_ index: Int) -> String { index < totals.models ? fleet.snapshot.roster.models.names[index] : "" }
}
