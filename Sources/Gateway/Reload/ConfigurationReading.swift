internal import Synchronization

/// The configuration as it can be read again and again: what it says now, and which files it took that from.
package struct ConfigurationReading: Sendable {
    /// What one reading found.
    package struct Outcome: Sendable {
        package let result: Result<LoadedConfiguration, ConfigurationErrors>
        /// The file, and the secrets it names, as far as they were looked for. A change of any is a reason to read again.
        package let files: [String]
    }

    private let body: @Sendable () -> Outcome

    package init(_ body: @escaping @Sendable () -> Outcome) {
        self.body = body
    }

    /// Reads files; not for an event loop.
    package func callAsFunction() -> Outcome { body() }

    /// A configuration that never changes.
    package static func fixed(_ configuration: GatewayConfiguration) -> Self {
        Self { Outcome(result: .success(LoadedConfiguration(configuration: configuration)), files: []) }
    }

    /// The file at `path`, or without one the text of a variable.
    ///
    /// - Parameter adjust: what the command line says otherwise.
    package static func file(
        _ path: String?,
        orText text: String?,
        from variable: String,
        environment: [String: String],
        adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void
    ) -> Self {
        Self {
            let read = Mutex<[String]>([])
            let readFile: @Sendable (String) -> Result<String, ConfigurationFileError> = { path in
                read.withLock { $0.append(path) }
                return ConfigurationFile.readText(path: path)
            }
            var result =
                if let path {
                    ConfigurationLoader.load(path: path, environment: environment, readFile: readFile)
                } else {
                    ConfigurationLoader.load(
                        text: text ?? "",
                        from: variable,
                        environment: environment,
                        readFile: readFile
                    )
                }
            if case .success(var loaded) = result {
                adjust(&loaded.configuration)
                result = .success(loaded)
            }
            return Outcome(result: result, files: read.withLock { $0 })
        }
    }
}
