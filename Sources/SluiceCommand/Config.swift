internal import ArgumentParser
internal import Foundation
internal import Gateway

/// `sluice config ...`
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check, compare and convert configuration files.",
        subcommands: [Check.self, Diff.self, Import.self, Schema.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Validate a configuration file and print what it means.",
            discussion: """
                Example: sluice config check sluice.yaml
                Exit status: 0 when it is valid, 1 when it is not.
                """
        )

        @Argument(help: "The configuration file; without it the variable \(ConfigurationSource.variable) is read.")
        var file: String?

        func run() throws {
            print(try ConfigurationSource(file).loadOrExit().summary(), terminator: "")
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a change of the configuration means.",
            discussion: """
                Example: sluice config diff sluice.yaml sluice.new.yaml
                Exit status: 0 when both files are valid, changed or not; 1 when one is not.
                """
        )

        @Argument(help: "The configuration file as it is.")
        var old: String

        @Argument(help: "The configuration file as it will be.")
        var new: String

        func run() throws {
            let old = try ConfigurationSource(self.old).loadOrExit()
            print(old.changes(to: try ConfigurationSource(new).loadOrExit()), terminator: "")
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a PowerProxy file as a file of the gateway's own.",
            discussion: """
                Example: sluice config import powerproxy.yaml > sluice.yaml

                Comments say where the gateway does otherwise. Keys and passwords are printed where the file holds them.
                """
        )

        @Argument(help: "PowerProxy's file; without it the variable \(ConfigurationSource.variable) is read.")
        var file: String?

        func run() throws {
            let source = ConfigurationSource(file)
            let loaded = try source.loadForImportOrExit()
            guard loaded.isPowerProxy else {
                try source.fail("is no PowerProxy file: it has no 'aoai' at its top level")
            }
            print(loaded.nativeText(), terminator: "")
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of the configuration file, for editors and pipelines.",
            discussion: """
                Example: sluice config schema > sluice.schema.json

                An editor takes it from a first line of the file such as
                  # yaml-language-server: $schema=sluice.schema.json
                """
        )

        @Flag(help: "Print the reference of all keys as Markdown instead.")
        var markdown = false

        func run() {
            print(markdown ? ConfigurationReference.markdown() : ConfigurationSchema.json(), terminator: "")
        }
    }
}
