internal import Coordination
internal import Transport

/// What `x-ratelimit-*` fields of an answer say about its deployment, read in one pass without a copy.
struct DeploymentFields: Equatable {
    var requestsLeft: Int64?
    var tokensLeft: Int64?
    var tokenLimit: Int64?

    init() {}

    init(_ head: ResponseHead) {
        for field in head.fields {
            switch field.name.count {
            case 24 where head.matches(field, "x-ratelimit-limit-tokens"):
                tokenLimit = head.number(field).map { Int64($0) }
            case 28 where head.matches(field, "x-ratelimit-remaining-tokens"):
                tokensLeft = head.number(field).map { Int64($0) }
            case 30 where head.matches(field, "x-ratelimit-remaining-requests"):
                requestsLeft = head.number(field).map { Int64($0) }
            default: break
            }
        }
    }
}

/// What one event loop has told the coordinator of the limits that deployments name: each answer names them again, and only
/// what is new or lower is worth telling. Pure.
struct LiveLimits {
    private var told: [DeploymentID: (limit: Int64, at: Int64)] = [:]
    /// Milliseconds after which it is told again, well before the coordinator forgets it.
    static let renewal: Int64 = 60_000
    /// Deployments that are remembered; more come only from models that the configuration does not list.
    private static let most = 1024

    /// What a settlement is to tell.
    ///
    /// - Parameters:
    ///   - levels: of the deployment, when it was reserved.
    ///   - now: milliseconds of any clock that does not go back.
    mutating func feedback(
        _ fields: DeploymentFields,
        of candidate: Candidate,
        levels: Levels,
        now: Int64
    ) -> Feedback {
        guard fields != DeploymentFields() else { return .none }
        let limit = limitToTell(fields.tokenLimit, of: candidate, now: now)
        let hasTokens = candidate.limits.tokens != nil || fields.tokenLimit != nil
        return Feedback(
            requests: candidate.limits.requests == nil
                ? nil : fields.requestsLeft.flatMap { lower($0, levels.requests) },
            tokens: hasTokens ? fields.tokensLeft.flatMap { lower($0, levels.tokens) } : nil,
            tokenLimit: limit
        )
    }

    /// What is left, where it is less than the bucket held.
    private func lower(_ left: Int64, _ level: Int64) -> Int64? {
        left >= 0 && left < max(0, level / Bucket.unit) ? left : nil
    }

    private mutating func limitToTell(_ limit: Int64?, of candidate: Candidate, now: Int64) -> Int64? {
        guard let limit, limit > 0 else { return nil }
        if let configured = candidate.limits.tokens?.perMinute, limit >= configured {
            // Back to what is configured: worth telling once.
            return told.isEmpty || told.removeValue(forKey: candidate.id) == nil ? nil : limit
        }
        if let last = told[candidate.id], last.limit == limit, now - last.at < Self.renewal { return nil }
        if told.count >= Self.most, told[candidate.id] == nil { told.removeAll() }
        told[candidate.id] = (limit, now)
        return limit
    }
}
