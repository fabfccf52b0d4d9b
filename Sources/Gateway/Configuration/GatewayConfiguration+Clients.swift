extension GatewayConfiguration {
    /// A team that calls, recognised by any of its API keys.
    package struct Client: Sendable, Equatable {
        /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
        package var name: String
        /// At least one; several at once allow rotation without a gap.
        package var apiKeys: [APIKey]
        /// Default `.all`.
        package var models: AllowedModels
        /// 0 the highest to 9 the lowest, default 5.
        package var priority = 5
        /// Of everything that the client uses.
        package var limits = Limits()
        /// Of what it uses of one model, beside `limits`. Only models that it may use; their bursts are a minute's worth.
        package var modelLimits: [String: Limits] = [:]
        /// Of `limits`.
        package var burst = Burst()
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
