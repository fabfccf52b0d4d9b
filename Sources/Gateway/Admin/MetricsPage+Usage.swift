extension MetricsPage {
    /// Usage events, from the event loops to the sinks.
    func usage(_ page: inout MetricsText) {
        guard let books = fleet.books else { return }
        let (accepted, lost, failures, bytes, missed) = books.spool.state.read {
            ($0.accepted, $0.lost, $0.writeFailures, $0.bytes + $0.memory, $0.missed)
        }
        page.family("sluice_usage_events_total", "counter", "Usage events taken into the spool.")
        page.sample("sluice_usage_events_total", accepted)
        page.family("sluice_usage_events_lost_total", "counter", "Usage events lost, as the spool took nothing.")
        page.sample("sluice_usage_events_lost_total", lost)
        page.family("sluice_usage_spool_failures_total", "counter", "Times that the spool could not be written.")
        page.sample("sluice_usage_spool_failures_total", failures)
        page.family("sluice_usage_spool_bytes", "gauge", "Bytes of usage events that are kept for the sinks.")
        page.sample("sluice_usage_spool_bytes", bytes)
        let sinks = books.sinks.enumerated().map { index, sink in
            (
                label: ("sink", sink.name),
                counts: sink.statistics.read {
                    SinkStatistics(written: $0.written, refused: $0.refused, failures: $0.failures)
                }, missed: missed[index]
            )
        }
        page.family("sluice_usage_sink_events_total", "counter", "Usage events that a sink has taken.")
        for sink in sinks { page.sample("sluice_usage_sink_events_total", sink.counts.written, labels: [sink.label]) }
        page.family("sluice_usage_sink_failures_total", "counter", "Times that a sink did not take what it was given.")
        for sink in sinks {
            page.sample("sluice_usage_sink_failures_total", sink.counts.failures, labels: [sink.label])
        }
        page.family(
            "sluice_usage_sink_lost_total",
            "counter",
            "Usage events that a sink will not get: too large for it, or removed as it took nothing for too long."
        )
        for sink in sinks {
            page.sample("sluice_usage_sink_lost_total", sink.counts.refused + sink.missed, labels: [sink.label])
        }
    }
}
