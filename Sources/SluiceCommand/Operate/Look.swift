internal import ArgumentParser
internal import Gateway

/// `sluice status`
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the replicas of a running fleet, and what operators changed last.",
        discussion: """
            Example: sluice status --config sluice.yaml

            Each replica with its version and the hash of the configuration that it runs: 'differs from this file' is a
            fleet in the middle of a change, or a replica that has not heard of it. Changes nothing.
            """
    )

    @OptionGroup var options: OperatorOptions

    func run() async throws { try await options.run { options.show(try await $0.status()) } }
}

/// `sluice limits`
struct Limits: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is left of clients' limits, or make them full again.",
        subcommands: [Show.self, Reset.self],
        defaultSubcommand: Show.self
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is left of limits.",
            discussion: """
                Example: sluice limits team-a --config sluice.yaml

                What is left can be below zero: a debt that time pays. Changes nothing.
                """
        )

        @Argument(help: "A client; all without.")
        var client: String?

        @OptionGroup var options: OperatorOptions

        func run() async throws { try await options.run { options.show([try await $0.limits(of: client)]) } }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget what a client has used: rates, its day and its month.",
            discussion: """
                Example: sluice limits reset team-a --config sluice.yaml

                Requests that run keep their slots. The change is written down: 'sluice status' shows it.
                """
        )

        @Argument(help: "The client.")
        var client: String

        @OptionGroup var options: OperatorOptions

        func run() async throws {
            try await options.run {
                print(try await $0.resetLimits(of: client, who: Signature.who, now: Signature.now))
            }
        }
    }
}

/// `sluice deployments`
struct Deployments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how the deployments stand: cooling, failing, how much room.",
        discussion: """
            Example: sluice deployments --config sluice.yaml --json

            'wait_ms' is how much longer a cooldown or a probe lasts. Changes nothing.
            """
    )

    @OptionGroup var options: OperatorOptions

    func run() async throws { try await options.run { options.show([try await $0.deploymentTable()]) } }
}

/// `sluice explain`
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what would be decided about a request now, and why.",
        discussion: """
            Example: sluice explain --client team-a --model gpt-4o --tokens 1200 --config sluice.yaml

            By the same arithmetic as a request, on what Redis knows now, and taking nothing. Deployments are looked at by tier
            and in the order of the file; weights and non_streaming_fraction leave that to chance for a real request.
            """
    )

    @Option(help: "The client, by its name in the file.")
    var client: String

    @Option(help: "The model that it asks for.")
    var model: String

    @Option(help: "Tokens that the request reserves: its prompt and the most it may answer.")
    var tokens: Int64

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard tokens >= 0 else { throw ValidationError("--tokens takes 0 or more") }
    }

    func run() async throws {
        try await options.run {
            options.show(try await $0.explain(client: client, model: model, tokens: tokens))
        }
    }
}
