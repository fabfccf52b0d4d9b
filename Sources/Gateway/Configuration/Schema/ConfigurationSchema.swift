/// The format of the file as a JSON Schema, for editors and pipelines.
///
/// It is made by the code that reads the file, so it knows every key. It accepts a little more than the gateway does: what
/// depends on another place of the file (names that must be declared, keys that exclude each other) and the ranges of
/// durations and of amounts with a unit are words in its descriptions.
package enum ConfigurationSchema {
    /// JSON Schema, draft 2020-12, with a line break at its end.
    package static func json() -> String {
        var members: [(String, JSONTree)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("Configuration of the Sluice gateway")),
        ]
        if case .object(let top) = self.schema(of: self.outline()) {
            members += top
        }
        return JSONTree.object(members).text() + "\n"
    }

    /// Everything that a file may say.
    static func outline() -> ConfigurationOutline {
        let surroundings = ConfigurationSurroundings(directory: "", environment: [:]) { _ in
            .failure(ConfigurationFileError(reason: "no file is read"))
        }
        let context = ConfigurationContext(file: "", surroundings: surroundings)
        context.isReadingFile = false
        let outline = ConfigurationOutline()
        let root = ConfigurationField(
            label: "the top level",
            node: ConfigurationNode(.outline(outline), at: .start),
            position: .start,
            keyPath: "",
            context: context
        )
        _ = root.mapping("configuration") { GatewayConfiguration(reading: &$0) }
        return outline
    }

    private static func schema(of outline: ConfigurationOutline) -> JSONTree {
        let shapes = outline.shapes.map(self.schema(of:))
        return shapes.count == 1 ? shapes[0] : .object([("anyOf", .array(shapes))])
    }

    private static func schema(of shape: ConfigurationOutline.Shape) -> JSONTree {
        switch shape {
        case .text(let rule):
            return self.schema(of: rule)
        case .list(let entry, let canBeEmpty):
            let bound: [(String, JSONTree)] = canBeEmpty ? [] : [("minItems", .integer(1))]
            return .object([("type", .string("array"))] + bound + [("items", self.schema(of: entry))])
        case .dictionary(let value):
            return .object([
                ("type", .string("object")), ("minProperties", .integer(1)),
                ("additionalProperties", self.schema(of: value)),
            ])
        case .mapping(let mapping):
            return self.schema(of: mapping)
        }
    }

    private static func schema(of mapping: ConfigurationOutline.Mapping) -> JSONTree {
        let properties = mapping.keys.map { key in
            (key.name, self.property(key, word: mapping.variant?.key == key.name ? mapping.variant?.word : nil))
        }
        let required = mapping.keys.filter(\.isRequired).map { JSONTree.string($0.name) }
        var members: [(String, JSONTree)] = [("type", .string("object")), ("properties", .object(properties))]
        if !required.isEmpty {
            members.append(("required", .array(required)))
        }
        members.append(("additionalProperties", .bool(false)))
        return .object(members)
    }

    private static func property(_ key: ConfigurationOutline.Key, word: String?) -> JSONTree {
        var description = key.about
        for case .text(let rule) in key.value.shapes {
            description += rule.range.map { " \($0)." } ?? ""
        }
        var members: [(String, JSONTree)] = [("description", .string(description))]
        if let text = key.defaultText {
            members.append(("default", self.value(text)))
        }
        if let word {
            members.append(("const", .string(word)))
        } else if case .object(let schema) = self.schema(of: key.value) {
            members += schema
        }
        return .object(members)
    }

    /// A default as YAML would give it to a validator.
    private static func value(_ text: String) -> JSONTree {
        switch text {
        case "true": .bool(true)
        case "false": .bool(false)
        default: Int(text).map(JSONTree.integer) ?? .string(text)
        }
    }

    /// Every value may also come from a substitution.
    private static func schema(of rule: ConfigurationOutline.TextRule) -> JSONTree {
        let substitution = #"\$\{"#
        func text(_ pattern: String) -> JSONTree {
            .object([("type", .string("string")), ("pattern", .string("\(pattern)|\(substitution)"))])
        }
        func either(_ type: String, _ members: [(String, JSONTree)], _ pattern: String) -> JSONTree {
            let typed: [(String, JSONTree)] = [("type", .string(type))] + members
            return .object([("anyOf", .array([.object(typed), text(pattern)]))])
        }
        switch rule {
        case .duration: return text("^[0-9]+(ms|s|m|h)$")
        case .count(let range), .bytes(let range):
            return either(
                "integer",
                [("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound))],
                #"^[0-9]+(\.[0-9]{1,9})?[kMG]?$"#
            )
        case .fraction:
            return either("number", [("minimum", .integer(0)), ("maximum", .integer(1))], #"^[01](\.[0-9]{1,6})?$"#)
        case .bool: return either("boolean", [], "^(true|false)$")
        case .choice(let words):
            // A word of digits is a number to YAML.
            let numbers = words.compactMap { Int($0) }.map(JSONTree.integer)
            let known = JSONTree.object([("enum", .array(words.map(JSONTree.string) + numbers))])
            let other = JSONTree.object([("type", .string("string")), ("pattern", .string(substitution))])
            return .object([("anyOf", .array([known, other]))])
        case .id: return text("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
        case .secret, .words:
            return .object([("type", .array([.string("string"), .string("number")]))])
        }
    }
}

extension ConfigurationOutline.TextRule {
    /// "From 1s to 1h", where there is a range.
    var range: String? {
        switch self {
        case .duration(let range):
            "From \(DurationSyntax.text(range.lowerBound)) to \(DurationSyntax.text(range.upperBound))"
        case .count(let range):
            "From \(QuantitySyntax.count.text(range.lowerBound)) to \(QuantitySyntax.count.text(range.upperBound))"
        case .bytes(let range):
            "From \(QuantitySyntax.bytes.text(range.lowerBound)) to \(QuantitySyntax.bytes.text(range.upperBound)) bytes"
        case .fraction: "From 0 to 1"
        case .secret(let lengths): "\(lengths.lowerBound) to \(lengths.upperBound) characters"
        case .bool, .choice, .id, .words: nil
        }
    }
}
