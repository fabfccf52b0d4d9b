internal import Coordination

/// What the event loops know of routing, added up: for `/metrics` and `/status`.
struct RoutingReport: Sendable {
    /// By the configuration's models.
    private(set) var queues: [QueueCounts]
    /// By the snapshot's deployments.
    private(set) var deployments: [DeploymentTally]

    /// To be made on the loop of the worker.
    init(_ worker: Worker) {
        queues = worker.snapshot.modelNames.map { worker.waitingRooms.counts(ofModel: $0) }
        deployments = worker.tallies
    }

    mutating func add(_ other: Self) {
        for index in queues.indices { queues[index].add(other.queues[index]) }
        for index in deployments.indices { deployments[index].add(other.deployments[index]) }
    }

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
