internal import ArgumentParser
internal import Foundation
internal import Gateway

/// `sluice config ...`
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file.",
        subcommands: [Check.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Validate a configuration file and print what it means.",
            discussion: "Example: sluice config check sluice.yaml\nExit status: 0 when it is valid, 1 when it is not."
        )

        @Argument(help: "The configuration file.")
        var file: String

        func run() throws {
            print(try ConfigurationFile.loadOrExit(file).summary())
        }
    }
}

/// Reading the file that a command names.
enum ConfigurationFile {
    /// The configuration, or every error of the file on standard error and exit status 1.
    static func loadOrExit(_ path: String) throws -> GatewayConfiguration {
        switch ConfigurationLoader.load(path: path, environment: ProcessInfo.processInfo.environment) {
        case .success(let configuration):
            return configuration
        case .failure(let errors):
            FileHandle.standardError.write(Data("\(errors)\n".utf8))
            throw ExitCode(1)
        }
    }
}
