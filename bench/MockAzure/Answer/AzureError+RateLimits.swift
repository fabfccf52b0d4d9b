/// The 429s, which differ by what ran out and by the surface that was asked (azure.md 5.3 and 5.6).
extension AzureError {
    /// The refusal of a deployment's own limits.
    ///
    /// - Parameter seconds: until the next try has a chance.
    static func rateLimited(
        _ kind: Refusal.Kind,
        route: Route,
        apiVersion: String?,
        retryAfter seconds: Int
    ) -> AzureError {
        var error =
            switch kind {
            case .calls: Self.quota("call", route: route, apiVersion: apiVersion, retryAfter: seconds)
            case .tokens: Self.quota("token", route: route, apiVersion: apiVersion, retryAfter: seconds)
            case .provisioned: Self.exceeded(route: route, retryAfter: seconds)
            }
        error.refusal = kind.rawValue
        return error
    }

    /// - Parameter unit: `call` or `token`.
    static func quota(_ unit: String, route: Route, apiVersion: String?, retryAfter seconds: Int) -> AzureError {
        if route.surface == .v1 { return self.busy("Your requests to the deployment have exceeded rate limit.") }
        let version = apiVersion ?? "2024-10-21"
        return self.plain(
            429,
            "429",
            """
            Requests to the \(route.kind.operation) Operation under Azure OpenAI API version \(version) have exceeded \
            \(unit) rate limit of your current OpenAI S0 pricing tier. Please retry after \(seconds) seconds. Please go \
            here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.
            """
        )
    }

    /// The short text, which says nothing of a tier.
    static func exceeded(route: Route, retryAfter seconds: Int) -> AzureError {
        self.tooManyRequests("Rate limit is exceeded. Try again in \(seconds) seconds.", route: route)
    }

    /// A 429 that is not the client's fault.
    static func tooManyRequests(_ message: String, route: Route) -> AzureError {
        route.surface == .v1 ? self.busy(message) : self.plain(429, "429", message)
    }

    /// The shape of v1.
    private static func busy(_ message: String) -> AzureError {
        AzureError(
            status: 429,
            code: "rate_limit_exceeded",
            body: """
                {"error":{"type":"too_many_requests","code":"rate_limit_exceeded",\
                "message":\(self.json(message)),"param":null}}
                """
        )
    }
}
