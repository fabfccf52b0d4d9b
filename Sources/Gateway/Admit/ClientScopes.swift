internal import Coordination

/// A client's limits, by model.
final class ClientScopes: Sendable {
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
    /// Limits of 0 in the shadow: of the client, and by model.
    private let shadowBlock: LimitKind?
    private let shadowBlocks: [String: LimitKind]

    init(_ client: GatewayConfiguration.Client) {
        id = ScopeID(client: client.name)
        isBlocked = client.limits.isBlocked
        blockedModels = Set(client.modelLimits.filter(\.value.isBlocked).keys)
        shadowBlock = client.limits.shadowBlock
        shadowBlocks = client.modelLimits.compactMapValues(\.shadowBlock)
        let limits = isBlocked ? ClientLimits() : ClientLimits(client.limits, burst: client.burst)
        let general = limits.isEmpty ? [] : [ClientScope(id: id, limits: limits)]
        self.general = general
        self.client = client.name
        let named = client.modelLimits.filter { $0.key != "*" }
        ofOthers = client.modelLimits["*"].flatMap {
            let limits = $0.isBlocked ? ClientLimits() : ClientLimits($0, burst: GatewayConfiguration.Burst())
            return limits.isEmpty ? nil : limits
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

    /// Some of the limits are a shadow.
    var hasShadow: Bool {
        shadowBlock != nil || !shadowBlocks.isEmpty || ofOthers?.isShadow == true
            || general.contains(where: \.limits.isShadow)
            || byModel.values.contains { $0.contains(where: \.limits.isShadow) }
    }

    /// The limit in the shadow that would have refused a request: one of 0, or the one that the coordinator names.
    ///
    /// - Parameter scopes: those that the coordinator was asked about.
    func shadowFinding(
        _ shadow: ShadowRefusals,
        _ scopes: [ClientScope],
        model: String?
    ) -> ShadowFindings.OfClient? {
        if let shadowBlock { return ShadowFindings.OfClient(kind: shadowBlock, isOfModel: false) }
        if let model, !shadowBlocks.isEmpty,
            let kind = shadowBlocks[model] ?? (byModel[model] == nil ? shadowBlocks["*"] : nil)
        {
            return ShadowFindings.OfClient(kind: kind, isOfModel: true)
        }
        return shadow.client.map { ShadowFindings.OfClient(kind: $0.kind, isOfModel: scopes[$0.scope].id.isOfModel) }
    }
}

extension ClientLimits {
    /// All are within the bounds of `Rate`: the configuration sees to that. A limit of 0 is left out: it blocks, or would if it
    /// were not a shadow, and nobody is asked about it.
    fileprivate init(_ limits: GatewayConfiguration.Limits, burst: GatewayConfiguration.Burst) {
        self.init(
            requests: limits.requestsPerMinute.flatMap {
                Rate(perMinute: Int64($0), burst: burst.requests.map { Int64($0) })
            },
            tokens: limits.tokensPerMinute.flatMap {
                Rate(perMinute: Int64($0), burst: burst.tokens.map { Int64($0) })
            },
            concurrency: limits.concurrentRequests.flatMap { $0 > 0 ? Int64($0) : nil },
            tokensPerDay: limits.tokensPerDay.flatMap { $0 > 0 ? Int64($0) : nil },
            tokensPerMonth: limits.tokensPerMonth.flatMap { $0 > 0 ? Int64($0) : nil },
            isShadow: limits.isShadow
        )
    }
}
