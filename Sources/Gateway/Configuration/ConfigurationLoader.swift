/// Makes a configuration from a YAML file, or says everything that is wrong with it.
package enum ConfigurationLoader {
    /// Reads and checks the file at `path`; relative paths in it start from its folder.
    package static func load(
        path: String,
        environment: [String: String]
    ) -> Result<GatewayConfiguration, ConfigurationErrors> {
        switch ConfigurationFile.readText(path: path) {
        case .success(let text):
            return self.parse(
                text: text,
                file: path,
                directory: self.directory(of: path),
                environment: environment,
                readFile: ConfigurationFile.readText(path:)
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

    /// Checks `text` as the content of `file`, which is only named in errors.
    ///
    /// - Parameters:
    ///   - directory: the folder that relative paths start from; empty or `.` leaves them as they are.
    ///   - environment: what `${NAME}` takes from.
    ///   - refused: paths of keys that are errors, as this version does nothing with them.
    ///   - readFile: gives the content of the file at a path, for `${file:PATH}`.
    package static func parse(
        text: String,
        file: String,
        directory: String,
        environment: [String: String],
        refused: Set<String> = NotYetSupported.paths,
        readFile: @escaping (String) -> Result<String, ConfigurationFileError>
    ) -> Result<GatewayConfiguration, ConfigurationErrors> {
        let surroundings = ConfigurationSurroundings(
            directory: directory,
            environment: environment,
            readFile: readFile
        )
        let context = ConfigurationContext(file: file, surroundings: surroundings, refused: refused)
        let configuration = self.read(text, in: context)
        if let errors = context.errors {
            return .failure(errors)
        }
        return .success(configuration)
    }

    /// What could be read, with defaults in place of the rest; of no use unless the context holds no errors.
    private static func read(_ text: String, in context: ConfigurationContext) -> GatewayConfiguration {
        guard text.utf8.count <= ConfigurationFile.maximumBytes else {
            context.report(.start, "this file cannot be read: it is larger than 1 MiB")
            return GatewayConfiguration()
        }
        var composer = ConfigurationComposer(text, report: context.report)
        let node = composer.compose() ?? ConfigurationNode(.scalar(text: "", isNull: true), at: .start)
        if case .scalar(_, isNull: true) = node.content {
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
        return root.mapping("configuration") { GatewayConfiguration(reading: &$0) } ?? GatewayConfiguration()
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
