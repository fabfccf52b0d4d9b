internal import Coordination

extension GatewayError {
    /// What a client gets whose request was not admitted: which limit, and when to come back.
    ///
    /// - Parameter wait: milliseconds; the refusal's own unless given.
    static func refused(_ refusal: Refusal, wait: Int64? = nil, scopes: [ClientScope], model: String?) -> Self {
        let wait = wait ?? refusal.wait
        let retry = "Please retry after \(retryText(wait))."
        guard case .client(let index, let kind) = refusal.reason, scopes.indices.contains(index) else {
            return limited(
                "DeploymentsBusy",
                "All deployments of \(model.map { "the model '\($0)'" } ?? "this model") are at their limits. \(retry)",
                wait: wait
            )
        }
        let ofModel = scopes[index].id.isOfModel
        let subject = ofModel ? "this client for the model '\(model ?? "")'" : "this client"
        let limits = scopes[index].limits
        let scope = ofModel ? "ClientModel" : "Client"
        switch kind {
        case .requests:
            return limited(
                scope + "RequestsPerMinute",
                "Requests have exceeded the call rate limit of \(subject) at the gateway: "
                    + "\(limits.requests?.perMinute ?? 0) requests per minute. \(retry)",
                wait: wait
            )
        case .tokens:
            return limited(
                scope + "TokensPerMinute",
                "Requests have exceeded the token rate limit of \(subject) at the gateway: "
                    + "\(limits.tokens?.perMinute ?? 0) tokens per minute. \(retry)",
                wait: wait
            )
        case .concurrency:
            return limited(
                scope + "ConcurrentRequests",
                "Requests have exceeded the limit of \(subject) at the gateway: \(limits.concurrency ?? 0) at the same time. "
                    + retry,
                wait: wait
            )
        case .tokensPerDay:
            return limited(
                scope + "TokensPerDay",
                "The quota of \(subject) at the gateway is used up: \(limits.tokensPerDay ?? 0) tokens per day (UTC). \(retry)",
                wait: wait
            )
        case .tokensPerMonth:
            return limited(
                scope + "TokensPerMonth",
                "The quota of \(subject) at the gateway is used up: \(limits.tokensPerMonth ?? 0) tokens per month (UTC). "
                    + retry,
                wait: wait
            )
        }
    }

    /// Every deployment of the model is blocked, or kept for others.
    static func noDeployment(_ model: String?) -> Self {
        Self(
            403,
            "PermissionDenied",
            "No deployment\(model.map { " of the model '\($0)'" } ?? "") is open to this client. Ask the gateway's operator.",
            source: .downstream
        )
    }

    /// A limit of zero: waiting does not help.
    static func blocked(model: String?) -> Self {
        Self(
            403,
            "PermissionDenied",
            "This client is blocked\(model.map { " for the model '\($0)'" } ?? ""): its limit is 0. Ask the gateway's operator.",
            source: .downstream
        )
    }

    static let limiterUnavailable = Self(
        503,
        "LimiterUnavailable",
        "The gateway cannot check limits at the moment. Try again shortly.",
        source: .gateway,
        retryAfter: 1000
    )

    /// Azure's shape and code (429); the inner code names the limit for programs.
    private static func limited(_ innerCode: String, _ message: String, wait: Int64) -> Self {
        Self(429, "429", message, source: .gateway, retryAfter: wait, innerCode: innerCode)
    }

    private static func retryText(_ milliseconds: Int64) -> String {
        let seconds = (milliseconds + 999) / 1000
        return seconds == 1 ? "1 second" : "\(seconds) seconds"
    }
}
