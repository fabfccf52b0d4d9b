internal import ArgumentParser
internal import Gateway

/// `sluice cooldown`
struct Cooldown: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a deployment out of service for a while, or put it back.",
        subcommands: [Set.self, Clear.self]
    )

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have every replica leave a deployment alone for a while.",
            discussion: """
                Example: sluice cooldown set sweden/gpt-4o 10m --config sluice.yaml

                Requests that run there go on. The change is written down: 'sluice status' shows it.
                """
        )

        @Argument(help: "ENDPOINT/DEPLOYMENT, as 'sluice deployments' shows them.")
        var deployment: String

        @Argument(help: "How long, such as 90s or 10m; at most 1h.")
        var time: String

        @OptionGroup var options: OperatorOptions

        func run() async throws {
            try await options.run {
                print(
                    try await $0.setCooldown(of: deployment, for: time, who: Signature.who, now: Signature.now)
                )
            }
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a deployment back into service.",
            discussion: """
                Example: sluice cooldown clear sweden/gpt-4o --config sluice.yaml

                Its failures in a row are forgotten as well. A replica that knew of the cooldown tries the others first until
                that would have been over. The change is written down: 'sluice status' shows it.
                """
        )

        @Argument(help: "ENDPOINT/DEPLOYMENT, as 'sluice deployments' shows them.")
        var deployment: String

        @OptionGroup var options: OperatorOptions

        func run() async throws {
            try await options.run {
                print(try await $0.clearCooldown(of: deployment, who: Signature.who, now: Signature.now))
            }
        }
    }
}
