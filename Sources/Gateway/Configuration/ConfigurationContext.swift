/// A value as it was read, with where it stands and whether a message may show it.
struct Located<Value> {
    let value: Value
    let position: ConfigurationPosition
    /// False for anything that came from a substitution.
    let isShowable: Bool
}

/// Why a text is not acceptable as a value: the rest of a sentence that begins with the key's name.
struct BadValue: Error {
    let sentence: String
    /// Whether the text found is worth showing, and free of anything secret.
    let isShown: Bool

    init(_ sentence: String, shown: Bool = true) {
        self.sentence = sentence
        self.isShown = shown
    }
}

/// What one reading of one file shares: where errors go, and where substitutions come from.
final class ConfigurationContext {
    let file: String
    let surroundings: ConfigurationSurroundings
    /// False when only an outline of the configuration is made.
    var isReadingFile = true
    /// The file is PowerProxy's: nothing is substituted in it, and unknown keys are noted.
    var isPowerProxy = false
    private var noted: [ConfigurationNote] = []
    private var found: [(position: ConfigurationPosition, message: String)] = []

    init(file: String, surroundings: ConfigurationSurroundings) {
        self.file = file
        self.surroundings = surroundings
    }

    func report(_ position: ConfigurationPosition, _ message: String) {
        self.found.append((position, message))
    }

    /// Notes what the gateway does otherwise; `path` is the place in the gateway's own format.
    func note(_ position: ConfigurationPosition, _ message: String, at path: String = "") {
        self.noted.append(ConfigurationNote(file: self.file, position: position, message: message, path: path))
    }

    /// Everything noted, in the order of the file.
    var notes: [ConfigurationNote] {
        self.noted.enumerated().sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element)
    }

    /// Everything reported, in the order of the file; nil when nothing was.
    var errors: ConfigurationErrors? {
        if self.found.isEmpty { return nil }
        // Each once: a value shared through an alias is read as often as it is used.
        var seen: Set<String> = []
        let inOrder = self.found.enumerated().sorted { left, right in
            (left.element.position, left.offset) < (right.element.position, right.offset)
        }
        let errors = inOrder.map { _, error in
            ConfigurationError(
                file: self.file,
                line: error.position.line,
                column: error.position.column,
                message: error.message
            )
        }
        return ConfigurationErrors(errors: errors.filter { seen.insert($0.description).inserted })
    }
}
