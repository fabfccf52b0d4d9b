internal import Coordination

/// The numbers that clients, models, endpoints and deployments go by for as long as the process lives. Pure.
///
/// A name keeps its number when the configuration changes, and no number is given twice. So an exchange that began with an
/// earlier configuration, and every counter, means the same by a number as everybody else. What a configuration no longer
/// lists keeps its number, and with it its counts, until the process restarts.
struct Roster: Sendable, Equatable {
    private(set) var clients = Numbers()
    private(set) var models = Numbers()
    private(set) var endpoints = Numbers()
    /// Under the names that the coordinator has for them; those of the model `*` have no numbers.
    private(set) var deployments = Numbers()

    struct Numbers: Sendable, Equatable {
        /// By number.
        private(set) var names: [String] = []
        private var byName: [String: Int] = [:]

        var count: Int { names.count }

        subscript(name: String) -> Int? { byName[name] }

        init(_ names: [String] = []) { for name in names { add(name) } }

        fileprivate mutating func add(_ name: String) {
            guard byName[name] == nil else { return }
            byName[name] = names.count
            names.append(name)
        }
    }

    /// Gives a number to every name that has none, in the order of the file.
    mutating func add(_ configuration: GatewayConfiguration) {
        for client in configuration.clients { clients.add(client.name) }
        for model in configuration.models {
            models.add(model.name)
            guard model.name != "*" else { continue }
            for deployment in model.deployments { deployments.add(DeploymentID(deployment, of: model).name) }
        }
        for endpoint in configuration.endpoints { endpoints.add(endpoint.name) }
    }
}
