/// What a reading asks for: which keys there are, what they mean and what their values may be.
///
/// Nobody writes one. The code that reads the file is run over an outline in place of a node, and notes in it what it
/// would have read, so that the schema and the reference in the documentation say what the code does.
final class ConfigurationOutline {
    enum Shape {
        case text(TextRule)
        case list(ConfigurationOutline, canBeEmpty: Bool)
        /// Keys that the file chooses.
        case dictionary(ConfigurationOutline)
        case mapping(Mapping)
    }

    /// What a single value may be. Each may also come from a substitution.
    enum TextRule: Equatable {
        case duration(ClosedRange<Duration>)
        case count(ClosedRange<Int>)
        case bytes(ClosedRange<Int>)
        case fraction
        case bool
        case choice([String])
        case id
        case secret(ClosedRange<Int>)
        /// Anything else, in words that follow "a": "name", "path".
        case words(String)
    }

    struct Mapping {
        /// What the mapping describes, such as "client".
        let noun: String
        var keys: [Key] = []
        /// The word of the key that tells this mapping from the others in the same place.
        var variant: (key: String, word: String)?
    }

    struct Key {
        let name: String
        let about: String
        let path: String
        var isRequired: Bool
        let value: ConfigurationOutline
        /// As it would be written.
        var defaultText: String?
    }

    /// More than one: any of them.
    private(set) var shapes: [Shape] = []

    func note(_ rule: TextRule) {
        self.shapes.append(.text(rule))
    }

    func noteList(canBeEmpty: Bool) -> ConfigurationOutline {
        let entry = ConfigurationOutline()
        self.shapes.append(.list(entry, canBeEmpty: canBeEmpty))
        return entry
    }

    func noteDictionary() -> ConfigurationOutline {
        let value = ConfigurationOutline()
        self.shapes.append(.dictionary(value))
        return value
    }

    func note(_ mapping: Mapping) {
        self.shapes.append(.mapping(mapping))
    }

    /// A value as the file would write it here, for a default; nil for one that has no short form.
    func text(of value: Any) -> String? {
        switch value {
        case let number as Int:
            if case .text(.bytes)? = self.shapes.first { return QuantitySyntax.bytes.text(number) }
            return QuantitySyntax.count.shortText(number)
        case let bool as Bool: return bool ? "true" : "false"
        case let fraction as Double: return FractionSyntax.text(fraction)
        case let text as String: return text
        case let duration as Duration: return DurationSyntax.text(duration)
        case let address as ListenAddress: return address.description
        case let choice as any RawRepresentable<String>: return choice.rawValue
        default: return nil
        }
    }
}
