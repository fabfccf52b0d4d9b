/// Makes a configuration from a YAML file, or says everything that is wrong with it.
package enum ConfigurationLoader {
    /// Reads and checks the file at `path`, which may be PowerProxy's.
    ///
    /// - Parameters:
    ///   - directory: the folder that relative paths start from; that of the file unless given.
    ///   - readFile: see `parse`; this one reads the file at `path` too.
    package static func load(
        path: String,
        environment: [String: String],
        directory: String? = nil,
        readFile: @escaping (String) -> Result<String, ConfigurationFileError> = ConfigurationFile.readText(path:)
    ) -> Result<LoadedConfiguration, ConfigurationErrors> {
        switch readFile(path) {
        case .success(let text):
            return self.parse(
                text: text,
                file: path,
                directory: directory ?? self.directory(of: path),
                environment: environment,
                readFile: readFile
            )
        case .failure(let error):
            let position = error.position ?? .start
            return .failure(
                ConfigurationErrors(errors: [
                    ConfigurationError(
                        file: path,
                        line: position.line,
                        column: position.column,
                        message: "this file cannot be read: \(error.reason)"
                    )
                ])
            )
        }
    }

    /// Checks the content of a variable; relative paths in it start from the working directory.
    package static func load(
        text: String,
        from variable: String,
        environment: [String: String],
        readFile: @escaping (String) -> Result<String, ConfigurationFileError> = ConfigurationFile.readText(path:)
    ) -> Result<LoadedConfiguration, ConfigurationErrors> {
        self.parse(
            text: text,
            file: variable,
            directory: "",
            environment: environment,
            readFile: readFile
        )
    }

    /// Checks `text` as the content of `file`, which is only named in errors. It may be PowerProxy's.
    ///
    /// - Parameters:
    ///   - directory: the folder that relative paths start from; empty or `.` leaves them as they are.
    ///   - environment: what `${NAME}` takes from.
    ///   - readFile: gives the content of the file at a path, for `${file:PATH}`.
    package static func parse(
        text: String,
        file: String,
        directory: String,
        environment: [String: String],
        readFile: @escaping (String) -> Result<String, ConfigurationFileError>
    ) -> Result<LoadedConfiguration, ConfigurationErrors> {
        let surroundings = ConfigurationSurroundings(
            directory: directory,
            environment: environment,
            readFile: readFile
        )
        let context = ConfigurationContext(file: file, surroundings: surroundings)
        let configuration = self.read(text, in: context)
        if let errors = context.errors {
            return .failure(errors)
        }
        let loaded = LoadedConfiguration(
            configuration: configuration,
            isPowerProxy: context.isPowerProxy,
            notes: context.notes
        )
        return .success(loaded)
    }

    /// What could be read, with defaults in place of the rest; of no use unless the context holds no errors.
    private static func read(_ text: String, in context: ConfigurationContext) -> GatewayConfiguration {
        guard text.utf8.count <= ConfigurationFile.maximumBytes else {
            context.report(.start, "this file cannot be read: it is larger than 1 MiB")
            return GatewayConfiguration()
        }
        var composer = ConfigurationComposer(text, report: context.report)
        let node = composer.compose() ?? ConfigurationNode(.scalar(text: "", .null), at: .start)
        if case .scalar(_, .null) = node.content {
            context.report(.start, "this file is empty; it needs at least 'clients' and 'endpoints'")
            return GatewayConfiguration()
        }
        let root = ConfigurationField(
            label: "the top level of this file",
            node: node,
            position: node.position,
            keyPath: "",
            context: context
        )
        if case .mapping(let entries) = node.content, entries.contains(where: { $0.key == "aoai" }) {
            context.isPowerProxy = true
            return root.mapping("configuration") { GatewayConfiguration(readingPowerProxy: &$0) } ?? .init()
        }
        return root.mapping("configuration") { GatewayConfiguration(reading: &$0) } ?? GatewayConfiguration()
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
