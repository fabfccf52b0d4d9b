/// The outside world as a configuration sees it.
struct ConfigurationSurroundings {
    /// The folder that relative paths start from.
    let directory: String
    let environment: [String: String]
    let readFile: (String) -> Result<String, ConfigurationFileError>

    /// `path` as it is when absolute, else inside `directory`.
    func resolve(path: String) -> String {
        if path.hasPrefix("/") || self.directory.isEmpty || self.directory == "." { return path }
        return self.directory.hasSuffix("/") ? self.directory + path : "\(self.directory)/\(path)"
    }
}

/// `${NAME}`, `${file:PATH}` and `$${` inside a scalar.
///
/// It happens after YAML is parsed and once: what comes in is never read as YAML, nor searched for more substitutions.
struct ConfigurationSubstitution {
    /// The text with everything filled in.
    private(set) var text = ""
    /// Whether any of the text came from outside the file, and so must not be shown.
    private(set) var isSubstituted = false

    init(of text: String, from surroundings: ConfigurationSurroundings) throws(BadValue) {
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            self.text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                self.text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw BadValue("has '${' without a closing '}'; write '$${' for a literal '${'", shown: false)
                }
                self.text += try Self.value(of: rest[..<end].dropFirst(2), from: surroundings)
                self.isSubstituted = true
                rest = rest[end...].dropFirst()
            } else {
                self.text += "$"
                rest = rest.dropFirst()
            }
        }
        self.text += rest
    }

    private static func value(
        of reference: Substring,
        from surroundings: ConfigurationSurroundings
    ) throws(BadValue) -> String {
        if reference.hasPrefix("file:") {
            return try self.secret(at: String(reference.dropFirst("file:".count)), from: surroundings)
        }
        guard let first = reference.utf8.first, !Character(Unicode.Scalar(first)).isNumber,
            reference.utf8.allSatisfy({ ConfigurationText.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") })
        else {
            throw BadValue("has a '${...}' that is neither a variable's name nor file:PATH", shown: false)
        }
        guard let value = surroundings.environment[String(reference)] else {
            throw BadValue("needs the environment variable '\(reference)', which is not set", shown: false)
        }
        return value
    }

    private static func secret(
        at path: String,
        from surroundings: ConfigurationSurroundings
    ) throws(BadValue) -> String {
        guard !path.isEmpty else {
            throw BadValue("has '${file:}' without a path", shown: false)
        }
        switch surroundings.readFile(surroundings.resolve(path: path)) {
        case .success(var secret):
            if secret.hasSuffix("\r\n") || secret.hasSuffix("\n") {
                secret.removeLast()  // "\r\n" is one Character
            }
            return secret
        case .failure(let error):
            let shown = ConfigurationText.printable(path)
            throw BadValue("needs the file '\(shown)', which cannot be read: \(error.reason)", shown: false)
        }
    }
}
