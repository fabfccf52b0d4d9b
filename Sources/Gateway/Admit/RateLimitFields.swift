internal import Coordination

/// The `x-ratelimit-*` fields of an answer: the client's own limits after this request was charged.
///
/// They replace Azure's, which are of one deployment and mean nothing to a client that shares several. Names and the unit of
/// the reset are Azure's (https://learn.microsoft.com/azure/ai-services/openai/quotas-limits): whole seconds.
struct RateLimitFields: Equatable {
    let requests: Allowance?
    let tokens: Allowance?

    /// - Returns: `nil` where the client has neither limit; Azure's fields then pass as they came.
    init?(_ scopes: [ClientScope], _ levels: [Levels]) {
        guard !scopes.isEmpty, scopes.count == levels.count else { return nil }
        requests = Allowance.requests(scopes, levels)
        tokens = Allowance.tokens(scopes, levels)
        if requests == nil, tokens == nil { return nil }
    }

    func write(to writer: inout ResponseWriter) {
        if let requests {
            writer.add("x-ratelimit-limit-requests", requests.limit)
            writer.add("x-ratelimit-remaining-requests", requests.remaining)
            writer.add("x-ratelimit-reset-requests", Self.seconds(requests.reset))
        }
        if let tokens {
            writer.add("x-ratelimit-limit-tokens", tokens.limit)
            writer.add("x-ratelimit-remaining-tokens", tokens.remaining)
            writer.add("x-ratelimit-reset-tokens", Self.seconds(tokens.reset))
        }
    }

    private static func seconds(_ milliseconds: Int64) -> Int64 { (milliseconds + 999) / 1000 }
}
