internal import Yams

/// What the YAML library could not read, in our words and with a hint for the mistakes people make most.
struct YAMLSyntaxProblem {
    let position: ConfigurationPosition
    /// libyaml's problems are constant texts: nothing of the file is in them.
    let message: String

    init(_ error: any Error, source: SourceText) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _):
            self.position = ConfigurationPosition(mark)
            if problem.hasPrefix("Maximum nesting level") {
                self.message = "nested more than \(ConfigurationComposer.maximumNesting) levels deep; no key needs that"
                return
            }
            let place = context.map { " \($0.text) that starts on line \($0.mark.line)" } ?? ""
            let isVague = context?.text.contains("next token") ?? true
            let hint = Self.hint(at: self.position, opened: context?.mark.line, in: source)
            self.message = "YAML syntax: \(problem)\(isVague ? "" : place)\(hint)"
        case YamlError.composer(_, let problem, let mark, _):
            self.position = ConfigurationPosition(mark)
            self.message =
                problem.contains("another document")
                ? "a second YAML document starts here; a configuration is one document"
                : "YAML syntax: \(problem)"
        case YamlError.duplicatedKeysInMapping(_, let context):
            self.position = ConfigurationPosition(context.mark)
            self.message = "this key is given more than once in the same mapping; keep one"
        default:
            self.position = .start
            self.message = "this is not YAML that can be read"
        }
    }

    private static func hint(at position: ConfigurationPosition, opened: Int?, in source: SourceText) -> String {
        if source.index(of: position).map({ source.scalars[$0] == "\t" }) == true {
            return "; indent with spaces, not tabs"
        }
        let line = source.line(position.line)
        let hasSubstitution = zip(line, line.dropFirst()).contains { $0 == "$" && $1 == "{" }
        if hasSubstitution, line.contains("[") || line.contains("{"), opened != nil {
            return "; inside [ ] and { } write \"${NAME}\" in quotes"
        }
        return ""
    }
}
