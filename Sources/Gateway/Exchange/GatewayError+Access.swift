extension GatewayError {
    /// As for an unknown key: Azure says the same.
    static let noCredentials = Self(
        401,
        "401",
        unknownKey.message,
        source: .downstream,
        reason: "no_credentials"
    )

    /// The gateway's identity has no token for the endpoint.
    static let upstreamTokenUnavailable = Self(
        503,
        "UpstreamTokenUnavailable",
        "The gateway has no access token for Azure OpenAI at the moment. Try again shortly.",
        source: .gateway,
        retryAfter: 5000
    )
}
