internal import Coordination

/// A client's limits, by model.
struct ClientScopes: Sendable {
    /// Names the client in the coordinator and in the books.
    let id: ScopeID
    /// For models without limits of their own: what the client may use altogether.
    private let general: [ClientScope]
    private let byModel: [String: [ClientScope]]
    /// A limit of 0 lets nothing pass, and nobody needs to be asked.
    private let isBlocked: Bool
    private let blockedModels: Set<String>

    init(_ client: GatewayConfiguration.Client) {
        id = ScopeID(client: client.name)
        isBlocked = client.limits.isBlocked
        blockedModels = Set(client.modelLimits.filter(\.value.isBlocked).keys)
        let limits = isBlocked ? ClientLimits() : ClientLimits(client.limits, burst: client.burst)
        let general = limits.isEmpty ? [] : [ClientScope(id: id, limits: limits)]
        self.general = general
        byModel = client.modelLimits.filter { !$1.isEmpty && !$1.isBlocked }.reduce(into: [:]) { result, limited in
            let id = ScopeID(client: client.name, model: limited.key)
            let limits = ClientLimits(limited.value, burst: GatewayConfiguration.Burst())
            result[limited.key] = general + [ClientScope(id: id, limits: limits)]
        }
    }

    func scopes(model: String?) -> [ClientScope] {
        guard let model, !byModel.isEmpty else { return general }
        return byModel[model] ?? general
    }

    func isBlocked(model: String?) -> Bool {
        isBlocked || (!blockedModels.isEmpty && model.map(blockedModels.contains) ?? false)
    }
}

extension ClientLimits {
    /// None of the limits is 0, and all are within the bounds of `Rate`: the configuration sees to that.
    fileprivate init(_ limits: GatewayConfiguration.Limits, burst: GatewayConfiguration.Burst) {
        self.init(
            requests: limits.requestsPerMinute.flatMap {
                Rate(perMinute: Int64($0), burst: burst.requests.map { Int64($0) })
            },
            tokens: limits.tokensPerMinute.flatMap {
                Rate(perMinute: Int64($0), burst: burst.tokens.map { Int64($0) })
            },
            concurrency: limits.concurrentRequests.map { Int64($0) },
            tokensPerDay: limits.tokensPerDay.map { Int64($0) },
            tokensPerMonth: limits.tokensPerMonth.map { Int64($0) }
        )
    }
}
