internal import Transport

/// One configuration as one event loop uses it: the snapshot, and the connections that belong to it.
///
/// An exchange keeps the edition it began with, so that a new configuration changes nothing for what runs. The last of them to
/// end lets go of what only that edition had. Confined to its event loop.
final class Edition {
    let snapshot: Snapshot
    /// By the endpoints' numbers; `nil` for those that are not configured any more.
    let origins: [Origin?]
    /// Routes of models that the configuration does not list, by name.
    private var unlistedRoutes: [String?: ModelRoute] = [:]

    /// As many routes of unlisted models are kept; a client may ask for any name.
    private static let mostUnlistedRoutes = 1024

    /// - Parameter earlier: whose connections are kept where nothing about them has changed.
    init(_ snapshot: Snapshot, transfers: TransferLoop, after earlier: Edition?) {
        self.snapshot = snapshot
        let known = earlier?.origins ?? []
        origins = snapshot.endpoints.enumerated().map { number, endpoint in
            guard endpoint.isConfigured else { return nil }
            if number < known.count, let origin = known[number], origin.configuration == endpoint.origin {
                return origin
            }
            return Origin(loop: transfers, configuration: endpoint.origin)
        }
    }

    /// - Parameter place: the endpoint of what the request names; `nil` for any.
    func route(model: String?, at place: String?) -> ModelRoute? {
        guard model == nil, let place else { return route(model: model) }
        guard let number = snapshot.endpoints.firstIndex(where: { $0.name == place && $0.isConfigured }) else {
            return nil
        }
        return ModelRoute(at: number, named: place)
    }

    func route(model: String?) -> ModelRoute? {
        if let model, let route = snapshot.namedRoute(model: model) { return route }
        if model != nil, !snapshot.servesUnlisted { return nil }
        if let route = unlistedRoutes[model] { return route }
        if unlistedRoutes.count >= Self.mostUnlistedRoutes { unlistedRoutes.removeAll() }
        let route = snapshot.route(model: model)
        unlistedRoutes[model] = route
        return route
    }

    /// - Parameter number: an endpoint that this edition's snapshot routes to.
    func origin(_ number: Int) -> Origin {
        guard let origin = origins[number] else { preconditionFailure("a route names configured endpoints only") }
        return origin
    }
}
