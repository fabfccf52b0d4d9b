internal import Coordination

extension GatewayConfiguration.Limits {
    /// The first limit in the shadow that is 0 and would let nothing pass; nobody is asked about it.
    var shadowBlock: LimitKind? {
        guard isShadow else { return nil }
        let limits: [(Int?, LimitKind)] = [
            (requestsPerMinute, .requests), (tokensPerMinute, .tokens), (concurrentRequests, .concurrency),
            (tokensPerDay, .tokensPerDay), (tokensPerMonth, .tokensPerMonth),
        ]
        return limits.first { $0.0 == 0 }?.1
    }
}

extension LimitKind {
    /// As the configuration calls it.
    var name: String {
        switch self {
        case .requests: "requests_per_minute"
        case .tokens: "tokens_per_minute"
        case .tokensPerDay: "tokens_per_day"
        case .tokensPerMonth: "tokens_per_month"
        case .concurrency: "concurrent_requests"
        }
    }
}

/// What limits in the shadow would have done to an exchange: the first time that it was admitted, and at the deployment that was
/// reserved last.
struct ShadowFindings: Equatable {
    struct OfClient: Equatable {
        let kind: LimitKind
        /// The limit is one of the client with this model.
        let isOfModel: Bool
    }

    /// The limit that would have refused the exchange.
    var client: OfClient?
    /// The limit for which the deployment would have been passed over.
    var deployment: LimitKind?
}

extension Exchange {
    /// Counts what limits in the shadow would have done. A request that is admitted again, after it gave up its place, is counted
    /// once.
    func noteShadow(_ shadow: ShadowRefusals, ofClientIn scopes: [ClientScope]) {
        if record.shadow.client == nil,
            let finding = client?.scopes.shadowFinding(shadow, scopes, model: record.modelName)
        {
            record.shadow.client = finding
            worker.metrics.admission.countShadow(finding.kind, client: client?.index)
        }
        noteShadow(ofDeployment: shadow)
    }

    /// The same of the deployment that is reserved now.
    func noteShadow(ofDeployment shadow: ShadowRefusals) {
        let deployment = passage?.deployment
        record.shadow.deployment = deployment?.shadowBlock ?? shadow.deployment
        guard let kind = record.shadow.deployment, let number = deployment?.number else { return }
        worker.tallies[number].noteShadow(kind)
    }
}
