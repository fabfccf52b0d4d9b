/// A configuration as a file would say it, defaults included: what is written out, and what two files are compared by.
indirect enum ConfigurationTree: Equatable {
    case text(String)
    case secret(String)
    case list([ConfigurationTree])
    case mapping([Member])

    struct Member: Equatable {
        let key: String
        let value: ConfigurationTree
        /// Leaving it out would mean the same.
        var isDefault = false
    }

    static func texts(_ texts: [String]) -> Self { .list(texts.map(Self.text)) }

    static func text(_ number: Int) -> Self { .text(QuantitySyntax.count.shortText(number)) }

    static func text(bytes number: Int) -> Self { .text(QuantitySyntax.bytes.text(number)) }

    static func text(_ duration: Duration) -> Self { .text(DurationSyntax.text(duration)) }

    static func text(_ bool: Bool) -> Self { .text(bool ? "true" : "false") }

    static func text(_ choice: some RawRepresentable<String>) -> Self { .text(choice.rawValue) }

    /// A mapping without the members that are nil, empty lists or empty mappings.
    static func mapping(_ members: [(String, Self?)]) -> Self {
        .mapping(
            members.compactMap { key, value in
                guard let value, !value.isEmpty else { return nil }
                return Member(key: key, value: value)
            }
        )
    }

    /// The same with every member marked that says no more than the default.
    func marked(by defaults: Self) -> Self {
        guard case .mapping(let members) = self, case .mapping(let others) = defaults else { return self }
        return .mapping(
            members.map { member in
                guard let other = others.first(where: { $0.key == member.key })?.value else { return member }
                let value = member.value.marked(by: other)
                return Member(key: member.key, value: value, isDefault: member.value == other)
            }
        )
    }

    private var isEmpty: Bool {
        switch self {
        case .text, .secret: false
        case .list(let entries): entries.isEmpty
        case .mapping(let members): members.isEmpty
        }
    }
}
