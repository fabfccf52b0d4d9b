extension GatewayConfiguration {
    /// A team that calls, recognised by any of its API keys or access tokens.
    package struct Client: Sendable, Equatable {
        /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`, or spaces inside.
        package var name: String
        /// Several at once allow rotation without a gap. Empty only where tokens identify the client.
        package var apiKeys: [APIKey]
        /// Default `.all`.
        package var models: AllowedModels
        /// Whose access tokens identify it. Not empty only beside `GatewayConfiguration.entra`.
        package var entra = EntraClient()
        /// Any bearer token that is no key of a client identifies it, unvalidated, and is sent on to Azure. At most one
        /// client, and only without `GatewayConfiguration.entra`. Default false.
        package var takesAnyBearerToken = false
        /// 0 the highest to 9 the lowest, default 5.
        package var priority = 5
        /// Of everything that the client uses.
        package var limits = Limits()
        /// Of what it uses of one model, beside `limits`; `*` is each model that is not named. Only models that it may
        /// use; their bursts are a minute's worth.
        package var modelLimits: [String: Limits] = [:]
        /// Of `limits`.
        package var burst = Burst()

        /// What limits this client's use of a model by itself.
        package func limits(of model: String) -> Limits? {
            self.modelLimits[model] ?? self.modelLimits["*"]
        }
    }

    /// What a client must present. Equality is of the written form: a plain key never equals its own digest here.
    package enum APIKey: Sendable, Equatable {
        /// The key itself: 8 to 512 printable ASCII characters without spaces.
        case plain(Secret)
        /// The key's SHA-256 digest, 32 bytes; written `sha256:` and 64 hexadecimal digits.
        case sha256([UInt8])
    }

    package enum AllowedModels: Sendable, Equatable {
        case all
        /// Names from `models` in file order, without repeats; never empty.
        case only([String])
    }
}
