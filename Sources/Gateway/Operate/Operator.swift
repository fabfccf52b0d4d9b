internal import Coordination
internal import NIOCore
internal import NIOPosix

/// Looks into a fleet, and mends it, through the Redis that its configuration names.
package struct Operator: Sendable {
    let configuration: GatewayConfiguration
    let snapshot: Snapshot
    let inspector: FleetInspector

    /// Why a command cannot be carried out, in a sentence.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    /// Connects, runs `body`, and closes.
    ///
    /// - Throws: `Problem`, or what `body` throws.
    package static func run(
        _ configuration: GatewayConfiguration,
        _ body: (Operator) async throws -> Void
    ) async throws {
        guard let coordination = configuration.coordination else {
            throw Problem(
                "this configuration names no Redis ('coordination'): what a replica alone knows is in its /status"
            )
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<Void, any Error>
        do {
            let inspector: FleetInspector
            do {
                inspector = try await .connect(CoordinationConfiguration(coordination, instance: 0), on: group.next())
            } catch {
                throw Problem("cannot use the Redis of the configuration (key 'coordination'): \(error)")
            }
            do {
                // Nobody is called: where this machine's tokens are does not matter.
                var called = configuration
                for index in called.endpoints.indices { called.endpoints[index].credential = nil }
                try await body(
                    Operator(
                        configuration: configuration,
                        snapshot: Snapshot(called, loops: 1, environment: [:]),
                        inspector: inspector
                    )
                )
                outcome = .success(())
            } catch let error as RedisError {
                outcome = .failure(Problem("Redis: \(error)"))
            } catch {
                outcome = .failure(error)
            }
            await inspector.close()
        } catch {
            outcome = .failure(error)
        }
        try await group.shutdownGracefully()
        try outcome.get()
    }

    // MARK: names

    func client(_ name: String) throws -> ClientDirectory.Client {
        guard let client = snapshot.clients.clients.first(where: { $0.name == name }) else {
            throw Problem(
                "the configuration has no client '\(name)'; it has "
                    + snapshot.clients.clients.map(\.name).joined(separator: ", ")
            )
        }
        return client
    }

    /// Every set of limits that a client has, with the model that it is for; empty for all together.
    func scopes(of client: ClientDirectory.Client) -> [(model: String, scope: ClientScope)] {
        let general = client.scopes.scopes(model: nil).map { (model: "", scope: $0) }
        let models = configuration.clients.first { $0.name == client.name }?.modelLimits.keys.sorted() ?? []
        return general
            + models.compactMap { model in
                client.scopes.scopes(model: model).first { $0.id.isOfModel }.map { (model, $0) }
            }
    }

    /// A deployment that the configuration names, once, whatever models share it.
    struct NamedDeployment {
        let endpoint: String
        let deployment: String
        var models: [String]
        let candidate: Candidate
    }

    var deployments: [NamedDeployment] {
        var found: [NamedDeployment] = []
        for model in configuration.models {
            guard let route = snapshot.route(model: model.name) else { continue }
            for (deployment, candidate) in zip(route.deployments, route.candidates) {
                if let index = found.firstIndex(where: { $0.candidate.id == candidate.id }) {
                    found[index].models.append(model.name)
                } else {
                    found.append(
                        NamedDeployment(
                            endpoint: snapshot.endpoints[deployment.endpoint].name,
                            deployment: deployment.name ?? model.name,
                            models: [model.name],
                            candidate: candidate
                        )
                    )
                }
            }
        }
        return found
    }

    /// - Parameter name: `ENDPOINT/DEPLOYMENT`.
    func deployment(_ name: String) throws -> NamedDeployment {
        guard let found = deployments.first(where: { "\($0.endpoint)/\($0.deployment)" == name }) else {
            let known = deployments.map { "\($0.endpoint)/\($0.deployment)" }.joined(separator: ", ")
            throw Problem("the configuration has no deployment '\(name)'; it has \(known)")
        }
        return found
    }
}
