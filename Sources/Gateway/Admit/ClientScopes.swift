internal import Coordination

/// A client's limits, by model.
struct ClientScopes: Sendable {
    /// Names the client in the coordinator and in the books.
    let id: ScopeID
    /// For models without limits of their own: what the client may use altogether.
    private let general: [ClientScope]
    private let byModel: [String: [ClientScope]]
    /// Of each model without limits of its own, by itself.
    private let ofOthers: ClientLimits?
    private let client: String
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
        self.client = client.name
        let named = client.modelLimits.filter { $0.key != "*" }
        ofOthers = client.modelLimits["*"].flatMap {
            $0.isEmpty || $0.isBlocked ? nil : ClientLimits($0, burst: GatewayConfiguration.Burst())
        }
        // One that is named without a limit is not among the others.
        byModel = named.filter { !$1.isBlocked }.reduce(into: [:]) { result, limited in
            let id = ScopeID(client: client.name, model: limited.key)
            let limits = ClientLimits(limited.value, burst: GatewayConfiguration.Burst())
            result[limited.key] = limits.isEmpty ? general : general + [ClientScope(id: id, limits: limits)]
        }
    }

    func scopes(model: String?) -> [ClientScope] {
        guard let model, !byModel.isEmpty || ofOthers != nil else { return general }
        if let scopes = byModel[model] { return scopes }
        guard let ofOthers else { return general }
        return general + [ClientScope(id: ScopeID(client: client, model: model), limits: ofOthers)]
    }

    func isBlocked(model: String?) -> Bool {
        if isBlocked { return true }
        guard let model, !blockedModels.isEmpty else { return false }
        return blockedModels.contains(model) || blockedModels.contains("*") && byModel[model] == nil
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
