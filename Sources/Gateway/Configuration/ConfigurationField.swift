/// One value waiting to be read as what its key asks for. Every way of reading reports what is wrong and returns nil.
struct ConfigurationField {
    /// How messages begin: `'idle_timeout'`, or `an entry of 'api_keys'`.
    let label: String
    let node: ConfigurationNode
    /// Where the key stands; that of the value for an entry of a list.
    let position: ConfigurationPosition
    let context: ConfigurationContext

    func report(_ sentence: String, at position: ConfigurationPosition? = nil) {
        self.context.report(position ?? self.node.position, "\(self.label) \(sentence)")
    }

    // MARK: Structure

    /// Reads a mapping with `body`; unknown keys are reported afterwards.
    func mapping<Value>(_ noun: String, _ body: (inout MappingReader) -> Value?) -> Value? {
        guard case .mapping(let entries) = self.node.content else {
            self.reportKind("must be a mapping of keys to values")
            return nil
        }
        var reader = MappingReader(entries, noun: noun, at: self.node.position, in: self.context)
        let value = body(&reader)
        reader.finish()
        return value
    }

    /// The entries of a list that has at least one.
    func list() -> [ConfigurationField]? {
        guard case .list(let items) = self.node.content else {
            self.reportKind("must be a list")
            return nil
        }
        guard !items.isEmpty else {
            self.report("is an empty list; give it an entry or remove the key")
            return nil
        }
        return items.map {
            ConfigurationField(
                label: "an entry of \(self.label)",
                node: $0,
                position: $0.position,
                context: self.context
            )
        }
    }

    /// A mapping whose keys are names; both key and value are given to `body`.
    func dictionary<Value>(
        _ body: (_ key: ConfigurationField, _ value: ConfigurationField) -> (String, Value)?
    ) -> [String: Value]? {
        guard case .mapping(let entries) = self.node.content else {
            self.reportKind("must be a mapping of keys to values")
            return nil
        }
        guard !entries.isEmpty else {
            self.report("is an empty mapping; give it an entry or remove the key")
            return nil
        }
        let pairs = entries.compactMap { entry in
            let key = ConfigurationField(
                label: "a key of \(self.label)",
                node: ConfigurationNode(.scalar(text: entry.key, isNull: false), at: entry.position),
                position: entry.position,
                context: self.context
            )
            let name = KeyName.quoted(entry.key)
            let value = ConfigurationField(
                label: name.isEmpty ? "an entry of \(self.label)" : String(name.dropFirst()),
                node: entry.value,
                position: entry.position,
                context: self.context
            )
            return body(key, value)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    var isList: Bool {
        if case .list = self.node.content { true } else { false }
    }

    // MARK: Single values

    /// The text with substitutions made; never empty.
    func text() -> Located<String>? {
        guard case .scalar(let written, let isNull) = self.node.content else {
            self.reportKind("must be a single value")
            return nil
        }
        guard !isNull else {
            self.reportKind("must be a single value")
            return nil
        }
        do throws(BadValue) {
            let substitution = try ConfigurationSubstitution(of: written, from: self.context.surroundings)
            guard !substitution.text.isEmpty else {
                self.report(
                    substitution.isSubstituted
                        ? "is empty: what it takes from outside the file is empty"
                        : "is empty; give it a value or remove the key"
                )
                return nil
            }
            return Located(
                value: substitution.text,
                position: self.node.position,
                isShowable: !substitution.isSubstituted
            )
        } catch {
            self.report(error.sentence)
            return nil
        }
    }

    /// The text as `parse` understands it.
    func value<Value>(_ parse: (String) throws(BadValue) -> Value) -> Located<Value>? {
        guard let text = self.text() else { return nil }
        do throws(BadValue) {
            return Located(value: try parse(text.value), position: text.position, isShowable: text.isShowable)
        } catch {
            let found = error.isShown && text.isShowable ? "; found '\(ConfigurationText.printable(text.value))'" : ""
            self.report(error.sentence + found)
            return nil
        }
    }

    private func reportKind(_ expectation: String) {
        switch self.node.content {
        case .broken:
            return
        case .scalar(_, isNull: true):
            self.report("has no value; give it one or remove the key", at: self.position)
        case .scalar, .list, .mapping:
            self.report("\(expectation), not \(self.node.kind)")
        }
    }
}
