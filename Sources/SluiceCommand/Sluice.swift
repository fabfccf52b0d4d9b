internal import ArgumentParser

/// The `sluice` command.
@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "A gateway for Azure OpenAI.",
        version: Version.text,
        subcommands: [
            Serve.self, Config.self, Health.self, Status.self, Limits.self, Deployments.self, Cooldown.self,
            Explain.self, Top.self, Usage.self,
        ]
    )
}
