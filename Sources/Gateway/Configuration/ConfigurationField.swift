/// One value waiting to be read as what its key asks for. Every way of reading reports what is wrong and returns nil.
struct ConfigurationField {
    /// How messages begin: `'idle_timeout'`, or `an entry of 'api_keys'`.
    let label: String
    let node: ConfigurationNode
    /// Where the key stands; that of the value for an entry of a list.
    let position: ConfigurationPosition
    /// Where this is, such as `clients[].limits`; the same for all entries of a list.
    let keyPath: String
    let context: ConfigurationContext

    func report(_ sentence: String, at position: ConfigurationPosition? = nil) {
        self.context.report(position ?? self.node.position, "\(self.label) \(sentence)")
    }

    // MARK: Structure

    /// Reads a mapping with `body`; unknown keys are reported afterwards.
    func mapping<Value>(_ noun: String, _ body: (inout MappingReader) -> Value?) -> Value? {
        if let outline = self.outline {
            var reader = MappingReader(outlining: noun, path: self.keyPath, in: self.context)
            _ = body(&reader)
            reader.finishedOutline().map(outline.note)
            return nil
        }
        guard case .mapping(let entries) = self.node.content else {
            self.reportKind("must be a mapping of keys to values")
            return nil
        }
        var reader = MappingReader(entries, noun: noun, at: self.node.position, path: self.keyPath, in: self.context)
        let value = body(&reader)
        reader.finish()
        return value
    }

    /// Reads a mapping whose other keys depend on one of them.
    func mapping<Kind: CaseIterable & RawRepresentable<String>, Value>(
        _ noun: String,
        by key: String,
        _ about: String,
        _ body: (Kind, inout MappingReader) -> Value?
    ) -> Value? {
        if let outline = self.outline {
            for kind in Kind.allCases {
                var reader = MappingReader(outlining: noun, path: self.keyPath, in: self.context)
                _ = reader.required(key, about)?.choice(of: Kind.self)
                _ = body(kind, &reader)
                reader.finishedOutline(variant: (key, kind.rawValue)).map(outline.note)
            }
            return nil
        }
        guard case .mapping(let entries) = self.node.content else {
            self.reportKind("must be a mapping of keys to values")
            return nil
        }
        var reader = MappingReader(entries, noun: noun, at: self.node.position, path: self.keyPath, in: self.context)
        let kind = reader.required(key, about)?.choice(of: Kind.self)
        guard let kind else { return nil }  // nobody can say which other keys belong here
        let value = body(kind, &reader)
        reader.finish()
        return value
    }

    /// The entries of a list that has at least one.
    func list(canBeEmpty: Bool = false) -> [ConfigurationField]? {
        if let outline = self.outline {
            let entry = outline.noteList(canBeEmpty: canBeEmpty)
            return [self.entry(ConfigurationNode(.outline(entry), at: .start))]
        }
        guard case .list(let items) = self.node.content else {
            self.reportKind("must be a list")
            return nil
        }
        guard canBeEmpty || !items.isEmpty else {
            self.report("is an empty list; give it an entry or remove the key")
            return nil
        }
        return items.map(self.entry)
    }

    private func entry(_ node: ConfigurationNode) -> ConfigurationField {
        ConfigurationField(
            label: "an entry of \(self.label)",
            node: node,
            position: node.position,
            keyPath: self.keyPath + "[]",
            context: self.context
        )
    }

    /// A mapping whose keys the file chooses; both key and value are given to `body`, which reads the value in any case.
    func dictionary<Value>(
        _ body: (_ key: ConfigurationField, _ value: ConfigurationField) -> (String, Value)?
    ) -> [String: Value]? {
        if let outline = self.outline {
            let value = ConfigurationNode(.outline(outline.noteDictionary()), at: .start)
            _ = body(self.key(ConfigurationNode(.outline(ConfigurationOutline()), at: .start)), self.value("", value))
            return nil
        }
        guard case .mapping(let entries) = self.node.content else {
            self.reportKind("must be a mapping of keys to values")
            return nil
        }
        guard !entries.isEmpty else {
            self.report("is an empty mapping; give it an entry or remove the key")
            return nil
        }
        let pairs = entries.compactMap { entry in
            let key = ConfigurationNode(.scalar(text: entry.key, .plain), at: entry.position)
            return body(self.key(key), self.value(entry.key, entry.value, keyPosition: entry.position))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private func key(_ node: ConfigurationNode) -> ConfigurationField {
        ConfigurationField(
            label: "a key of \(self.label)",
            node: node,
            position: node.position,
            keyPath: self.keyPath,
            context: self.context
        )
    }

    private func value(
        _ key: String,
        _ node: ConfigurationNode,
        keyPosition: ConfigurationPosition = .start
    ) -> ConfigurationField {
        let name = KeyName.quoted(key)
        return ConfigurationField(
            label: name.isEmpty ? "an entry of \(self.label)" : String(name.dropFirst()),
            node: node,
            position: keyPosition,
            keyPath: self.keyPath + ".*",
            context: self.context
        )
    }

    /// Reads what is a mapping with one function and everything else with another; an outline notes both.
    func eitherMapping<Value>(
        _ mapping: (ConfigurationField) -> Value?,
        orElse other: (ConfigurationField) -> Value?
    ) -> Value? {
        if self.outline != nil {
            _ = other(self)
            return mapping(self)
        }
        if case .mapping = self.node.content { return mapping(self) }
        return other(self)
    }

    /// Set when no file is read, but an outline of the configuration is made.
    var outline: ConfigurationOutline? {
        if case .outline(let outline) = self.node.content { outline } else { nil }
    }

    var isList: Bool {
        if case .list = self.node.content { true } else { false }
    }

    // MARK: Single values

    /// The text with substitutions made; never empty.
    func text() -> Located<String>? {
        guard case .scalar(let written, let writing) = self.node.content else {
            self.reportKind("must be a single value")
            return nil
        }
        guard writing != .null else {
            self.reportKind("must be a single value")
            return nil
        }
        if self.context.isPowerProxy {
            guard !written.isEmpty else {
                self.report("is empty; give it a value or remove the key")
                return nil
            }
            return Located(value: written, position: self.node.position, isShowable: true)
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
    ///
    /// - Parameter rule: the same in a form that an outline can keep.
    func value<Value>(
        _ rule: ConfigurationOutline.TextRule,
        _ parse: (String) throws(BadValue) -> Value
    ) -> Located<Value>? {
        if let outline = self.outline {
            outline.note(rule)
            return nil
        }
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
        case .broken, .outline:
            return
        case .scalar(_, .null):
            self.report("has no value; give it one or remove the key", at: self.position)
        case .scalar, .list, .mapping:
            self.report("\(expectation), not \(self.node.kind)")
        }
    }
}
