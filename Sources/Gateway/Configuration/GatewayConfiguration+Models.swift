extension GatewayConfiguration {
    /// What a client asks for by name, and where it goes.
    package struct Model: Sendable, Equatable {
        /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`; or `*`, every model that is not named.
        package var name: String
        /// Reserved for the answer when a request sets no maximum. 1 to 10M tokens, default 1,024.
        package var defaultOutputTokens = 1_024
        /// In file order; one to sixteen, none of them twice.
        package var deployments: [Deployment]
        package var queue = Queue()
        /// Requests of a client whose prompts begin alike prefer the same deployment of a tier, where Azure may have cached the
        /// prompt. Default false.
        package var prefixAffinity = false

        /// The most that one admission can choose from.
        package static let mostDeployments = 16
    }

    /// What happens to a request that every deployment refuses.
    package struct Queue: Sendable, Equatable {
        /// Held so long if capacity returns within it. 0s to 5m, default 0s: refused at once.
        package var maxWait = Duration.zero
        /// How many may wait in a replica; above it they are refused at once, the lowest priority first. 0 to 100,000,
        /// default 1,000.
        package var maxWaiting = 1_000
    }

    /// A model as Azure runs it: a deployment's name inside an endpoint.
    ///
    /// A deployment that several models share is the same in each: one kind, one set of limits.
    package struct Deployment: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable {
            /// Paid by the token; its limits are those of Azure's quota.
            case standard
            /// Paid by the hour (PTU); refuses when its capacity is used.
            case provisioned
        }

        /// The name of one of `endpoints`.
        package var endpoint: String
        /// Azure's name: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. Nil only for the model `*`: the name asked for.
        package var deployment: String?
        /// Default standard.
        package var kind = Kind.standard
        /// Tried from low to high. 1 to 100, default 1.
        package var tier = 1
        /// Its part of the requests among the deployments of its tier. 1 to 1,000, default 1.
        package var weight = 1
        /// The part of the requests without streaming that may use it; the others go on to the next. Default 1.
        package var nonStreamingFraction = 1.0
        /// Only clients of this priority and higher ones may use it: 0 is the highest. 0 to 9, default 9.
        package var openToPriority = 9
        /// Without quotas by the day or month.
        package var limits = Limits()
        /// After failures one request at a time tries it until one succeeds. Default true.
        package var probe = true
    }
}
