/// Reads one mapping key by key. Every key asked for is thereby known, so that `finish` finds the unknown ones.
struct MappingReader {
    /// What the mapping describes, such as "client"; "every client needs one" is said of a missing key.
    let noun: String
    let position: ConfigurationPosition
    let context: ConfigurationContext
    private let entries: [ConfigurationNode.Entry]
    private var known: [String] = []

    init(
        _ entries: [ConfigurationNode.Entry],
        noun: String,
        at position: ConfigurationPosition,
        in context: ConfigurationContext
    ) {
        self.entries = entries
        self.noun = noun
        self.position = position
        self.context = context
    }

    /// The value of a key that may be absent.
    mutating func optional(_ key: String) -> ConfigurationField? {
        self.known.append(key)
        return self.entries.first { $0.key == key }.map {
            ConfigurationField(label: "'\(key)'", node: $0.value, position: $0.position, context: self.context)
        }
    }

    /// The value of a key that must be there; its absence is reported.
    mutating func required(_ key: String) -> ConfigurationField? {
        let field = self.optional(key)
        if field == nil {
            self.context.report(self.position, "missing key '\(key)': every \(self.noun) needs it")
        }
        return field
    }

    /// Reads a key into a place that already holds the default.
    mutating func read<Value>(_ key: String, into place: inout Value, _ parse: (ConfigurationField) -> Value?) {
        if let value = self.optional(key).flatMap(parse) {
            place = value
        }
    }

    /// Reads a key whose absence is nil.
    mutating func read<Value>(_ key: String, into place: inout Value?, _ parse: (ConfigurationField) -> Value?) {
        place = self.optional(key).flatMap(parse)
    }

    /// Reports the keys that nobody asked for.
    func finish() {
        for entry in self.entries where !self.known.contains(entry.key) {
            self.context.report(entry.position, "unknown key\(KeyName.quoted(entry.key)); \(self.mend(entry.key))")
        }
    }

    private func mend(_ key: String) -> String {
        if key.contains(":") {
            return "put a space after the ':'"
        }
        if let nearest = NearestName.of(key, among: self.known) {
            return "did you mean '\(nearest)'?"
        }
        return "known here: \(self.known.isEmpty ? "nothing" : self.known.joined(separator: ", "))"
    }
}
