extension GatewayError {
    /// The answer for a refused token. It says what to do and not why: the reason is for the gateway's own log, and whoever
    /// tries out tokens learns nothing from it.
    package init(_ refusal: TokenRefusal) {
        switch refusal.kind {
        case .invalid:
            // Azure's own words (its third shape of 401 has no `error`; this one has, so that every SDK shows it).
            self.init(
                401,
                "401",
                "Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired.",
                source: .downstream
            )
            challenge = .invalidToken
        case .forbidden:
            self.init(
                403,
                "PermissionDenied",
                "The principal lacks the permission to call this API. Ask the gateway's operator for access.",
                source: .downstream
            )
        case .unavailable:
            self.init(
                503,
                "AuthenticationUnavailable",
                "The gateway cannot check access tokens at the moment. Try again shortly.",
                source: .gateway,
                retryAfter: 5000
            )
        }
        reason = refusal.rawValue
    }

    /// Too many failures from where this request comes from.
    static func tooManyFailures(retryAfterSeconds: Int) -> Self {
        var error = Self(
            429,
            "TooManyFailedAuthentications",
            "Too many requests from this address failed to authenticate. Try again later.",
            source: .downstream,
            retryAfter: Int64(retryAfterSeconds) * 1000
        )
        error.reason = "too_many_failures"
        return error
    }
}
