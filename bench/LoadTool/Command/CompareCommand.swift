import ArgumentParser

/// `sluice-load compare FIRST SECOND`
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Tells what changed from one result to another, and whether it is more than noise.",
        discussion: """
            A figure is better or worse when its seconds differ by more than chance allows (Mann-Whitney, 1 %) and by 2 % at \
            least. Two runs of the same program differ as well, by what else the machine does: take turns and repeat.
            """
    )

    @Argument(help: "A file that --json wrote.")
    var first: String

    @Argument(help: "Another one.")
    var second: String

    @Flag(help: "Exit 1 if anything is worse.")
    var failIfWorse = false

    func run() throws {
        let comparison: RunComparison
        do throws(ScenarioError) {
            comparison = RunComparison(before: try ResultFile.read(first), after: try ResultFile.read(second))
        } catch {
            Output.complain(error.description)
            throw ExitCode(2)
        }
        Output.say(comparison.text)
        if failIfWorse, comparison.rows.contains(where: { $0.verdict == .worse }) { throw ExitCode(1) }
    }
}
