/// Reads one mapping key by key. Every key asked for is thereby known, so that `finish` finds the unknown ones, and an
/// outline of the configuration finds all of them.
struct MappingReader {
    /// What the mapping describes, such as "client"; "every client needs one" is said of a missing key.
    let noun: String
    let position: ConfigurationPosition
    let context: ConfigurationContext
    /// Where the mapping is, such as `clients[].limits`; empty at the top.
    let path: String
    private let entries: [ConfigurationNode.Entry]
    private var known: [String] = []
    private var outline: ConfigurationOutline.Mapping?

    init(
        _ entries: [ConfigurationNode.Entry],
        noun: String,
        at position: ConfigurationPosition,
        path: String,
        in context: ConfigurationContext
    ) {
        self.entries = entries
        self.noun = noun
        self.position = position
        self.path = path
        self.context = context
    }

    /// A reader that notes what is asked for; see `ConfigurationOutline`.
    init(outlining noun: String, path: String, in context: ConfigurationContext) {
        self.init([], noun: noun, at: .start, path: path, in: context)
        self.outline = ConfigurationOutline.Mapping(noun: noun)
    }

    /// The value of a key that may be absent.
    ///
    /// - Parameter about: what the key is for, in a sentence or two, for the schema and the documentation.
    mutating func optional(_ key: String, _ about: String) -> ConfigurationField? {
        self.known.append(key)
        let path = self.path.isEmpty ? key : "\(self.path).\(key)"
        if self.outline != nil {
            let value = ConfigurationOutline()
            self.outline?.keys.append(.init(name: key, about: about, path: path, isRequired: false, value: value))
            return self.field(key, path: path, node: ConfigurationNode(.outline(value), at: .start), at: .start)
        }
        guard let entry = self.entries.first(where: { $0.key == key }) else { return nil }
        return self.field(key, path: path, node: entry.value, at: entry.position)
    }

    /// The value of a key that must be there; its absence is reported.
    mutating func required(_ key: String, _ about: String) -> ConfigurationField? {
        let field = self.optional(key, about)
        self.outline?.keys[self.known.count - 1].isRequired = true
        if field == nil {
            self.context.report(self.position, "missing key '\(key)': every \(self.noun) needs it")
        }
        return field
    }

    /// Reads a key into a place that already holds the default.
    mutating func read<Value>(
        _ key: String,
        _ about: String,
        into place: inout Value,
        _ parse: (ConfigurationField) -> Value?
    ) {
        let value = self.optional(key, about).flatMap(parse)
        if let key = self.outline?.keys.last {
            self.outline?.keys[self.known.count - 1].defaultText = key.value.text(of: place)
        } else if let value {
            place = value
        }
    }

    /// Reads a key whose absence is nil.
    mutating func read<Value>(
        _ key: String,
        _ about: String,
        into place: inout Value?,
        _ parse: (ConfigurationField) -> Value?
    ) {
        place = self.optional(key, about).flatMap(parse)
    }

    /// Reports the keys that nobody asked for.
    func finish() {
        for entry in self.entries where !self.known.contains(entry.key) {
            if self.context.isPowerProxy {
                let suggestion = NearestName.suggestion(for: entry.key, among: self.known)
                self.context.note(
                    entry.position,
                    "PowerProxy's key\(KeyName.quoted(entry.key)) is not known and ignored\(suggestion)"
                )
                continue
            }
            self.context.report(entry.position, "unknown key\(KeyName.quoted(entry.key)); \(self.mend(entry.key))")
        }
    }

    /// What was asked for, when this reader notes it.
    func finishedOutline(variant: (key: String, word: String)? = nil) -> ConfigurationOutline.Mapping? {
        var outline = self.outline
        outline?.variant = variant
        return outline
    }

    private func field(
        _ key: String,
        path: String,
        node: ConfigurationNode,
        at position: ConfigurationPosition
    ) -> ConfigurationField {
        ConfigurationField(label: "'\(key)'", node: node, position: position, keyPath: path, context: self.context)
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
