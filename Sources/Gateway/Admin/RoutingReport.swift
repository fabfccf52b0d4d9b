internal import Coordination

/// What the event loops know of routing, added up: for `/metrics` and `/status`.
struct RoutingReport: Sendable {
    /// By the models' numbers.
    private(set) var queues: [QueueCounts]
    /// By the deployments' numbers.
    private(set) var deployments: [DeploymentTally]

    /// To be made on the loop of the worker.
    init(_ worker: Worker) {
        queues = worker.snapshot.roster.models.names.map { worker.waitingRooms.counts(ofModel: $0) }
        deployments = worker.tallies
    }

    mutating func add(_ other: Self) {
        // Event loops take up a new configuration one after the other.
        let models = queues.count
        for (index, counts) in other.queues.enumerated() {
            if index < models { queues[index].add(counts) } else { queues.append(counts) }
        }
        let known = deployments.count
        for (index, tally) in other.deployments.enumerated() {
            if index < known { deployments[index].add(tally) } else { deployments.append(tally) }
        }
    }

    /// `nil` for what no event loop knew yet.
    func queue(_ model: Int) -> QueueCounts? { model < queues.count ? queues[model] : nil }
    func tally(_ deployment: Int) -> DeploymentTally? { deployment < deployments.count ? deployments[deployment] : nil }

    /// Waiting rooms of models, in Prometheus' format.
    func write(to page: inout MetricsText, models: [String]) {
        page.family("sluice_queue_waiting", "gauge", "Requests that wait for capacity.")
        for (model, counts) in zip(models, queues) where counts.wasUsed {
            page.sample("sluice_queue_waiting", counts.waiting, labels: [("model", model)])
        }
        page.family("sluice_queue_total", "counter", "Requests that waited for capacity, by what became of them.")
        for (model, counts) in zip(models, queues) {
            for (name, count) in counts.outcomes where count > 0 {
                page.sample("sluice_queue_total", count, labels: [("model", model), ("outcome", name)])
            }
        }
        page.family("sluice_queue_wait_seconds", "histogram", "How long those waited that were admitted.")
        for (model, counts) in zip(models, queues) where counts.admitted > 0 {
            page.histogram("sluice_queue_wait_seconds", counts.waits, labels: [("model", model)])
        }
    }
}
