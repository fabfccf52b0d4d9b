internal import ArgumentParser
internal import Foundation
internal import Gateway

/// Where a command takes the configuration from: a file, or the variable that PowerProxy is given its own in.
struct ConfigurationSource {
    static let variable = "POWERPROXY_CONFIG_STRING"

    private let path: String?
    private let environment = ProcessInfo.processInfo.environment

    init(_ path: String?) {
        self.path = path
    }

    /// The configuration, with notes on standard error; or every error of it there, and exit status 1.
    func loadOrExit() throws -> GatewayConfiguration {
        let loaded = try orExit(load(directory: nil))
        for note in loaded.notes {
            Self.print("\(note)")
        }
        return loaded.configuration
    }

    /// The same with paths as they are written.
    func loadForImportOrExit() throws -> LoadedConfiguration {
        try orExit(load(directory: ""))
    }

    /// The same as it can be read again while the gateway runs; relative paths start from the file's folder.
    func reading(adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void) -> ConfigurationReading {
        .file(
            path,
            orText: environment[Self.variable],
            from: Self.variable,
            environment: environment,
            adjust: adjust
        )
    }

    func fail(_ reason: String) throws -> Never {
        Self.print("sluice: \(path ?? Self.variable) \(reason)")
        throw ExitCode(1)
    }

    private func load(directory: String?) throws -> Result<LoadedConfiguration, ConfigurationErrors> {
        if let path {
            return ConfigurationLoader.load(
                path: path,
                environment: environment,
                directory: directory
            )
        }
        guard let text = environment[Self.variable] else {
            Self.print("sluice: no configuration: name a file, or set \(Self.variable) to PowerProxy's configuration")
            throw ExitCode(1)
        }
        return ConfigurationLoader.load(text: text, from: Self.variable, environment: environment)
    }

    private func orExit(_ result: Result<LoadedConfiguration, ConfigurationErrors>) throws -> LoadedConfiguration {
        switch result {
        case .success(let loaded):
            return loaded
        case .failure(let errors):
            Self.print("\(errors)")
            throw ExitCode(1)
        }
    }

    private static func print(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}
