import ArgumentParser

/// `sluice-load`: load on gateways, and what came of it.
@main
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice-load",
        abstract: "Sends a load that a scenario describes, and measures what a client sees.",
        discussion: """
            Exit status: 0 when no condition to fail was met, 1 when one was, 2 when the load could not be started, 130 \
            when it was interrupted.
            """,
        subcommands: [RunCommand.self, CompareCommand.self],
        defaultSubcommand: RunCommand.self
    )
}
