/// What changes between two configurations, in words.
struct ConfigurationDifference {
    /// A step on the way to a value: a key of the format, or a name that the file chose and that is shown as it is.
    private enum Part: Equatable {
        case key(String)
        case name(String)

        var words: String {
            switch self {
            case .key(let key): key.replacing("_", with: " ")
            case .name(let name): name
            }
        }
    }

    /// One line for each change, under the section it is in.
    private var sections: [(name: String, lines: [String])] = []

    init(from old: GatewayConfiguration, to new: GatewayConfiguration) {
        for (name, before, after) in Self.pairs(old.tree, new.tree) {
            var lines: [String] = []
            Self.compare(before, after, at: [], into: &lines)
            if !lines.isEmpty {
                self.sections.append((name, lines))
            }
        }
    }

    /// Lines under the names of the sections; "No change." when there is none. Holds no secret.
    var text: String {
        if self.sections.isEmpty { return "No change.\n" }
        return self.sections.map { section in
            "\(section.name):\n" + section.lines.map { "  \($0)\n" }.joined()
        }.joined(separator: "\n")
    }

    // MARK: Comparing

    private static func compare(
        _ old: ConfigurationTree?,
        _ new: ConfigurationTree?,
        at path: [Part],
        into lines: inout [String]
    ) {
        if old == new { return }
        switch (old, new) {
        case (.mapping?, .mapping?), (.mapping?, nil), (nil, .mapping?):
            let pairs = self.pairs(old, new)
            if pairs.isEmpty {
                lines.append("\(self.sentence(path)) \(new == nil ? "removed" : "added")")
            }
            for (key, before, after) in pairs {
                self.compare(
                    before,
                    after,
                    at: path + [Self.namingKeys.contains(path.last) ? .name(key) : .key(key)],
                    into: &lines
                )
            }
        case (.list(let before)?, .list(let after)?):
            self.compare(before, after, at: path, into: &lines)
        case (.list(let before)?, nil):
            self.compare(before, [], at: path, into: &lines)
        case (nil, .list(let after)?):
            self.compare([], after, at: path, into: &lines)
        case (.secret?, .secret?):
            lines.append("\(self.sentence(path)) changed")
        default:
            lines.append(self.sentence(path, from: self.text(of: old), to: self.text(of: new)))
        }
    }

    private static func compare(
        _ old: [ConfigurationTree],
        _ new: [ConfigurationTree],
        at path: [Part],
        into lines: inout [String]
    ) {
        if (old + new).contains(where: \.isSecret) {
            let added = new.filter { !old.contains($0) }.count
            let removed = old.filter { !new.contains($0) }.count
            lines.append(self.sentence(path + [.name("\(added) added, \(removed) removed")]))
            return
        }
        let before = Dictionary(old.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        for name in (old + new).map(\.identity) where seen.insert(name).inserted {
            switch (before[name], after[name]) {
            case (let before?, let after?): self.compare(before, after, at: path + [.name(name)], into: &lines)
            case (nil, _): lines.append(self.sentence(path + [.name(name)]) + " added")
            case (_, nil): lines.append(self.sentence(path + [.name(name)]) + " removed")
            }
        }
        let kept = old.map(\.identity).filter { after[$0] != nil }
        let keptNow = new.map(\.identity).filter { before[$0] != nil }
        if kept != keptNow {
            let (first, second) = (kept.joined(separator: ", "), keptNow.joined(separator: ", "))
            lines.append(self.sentence(path + [.key("order")], from: first, to: second))
        }
    }

    /// The members of two mappings by key, in the order of the new one.
    private static func pairs(
        _ old: ConfigurationTree?,
        _ new: ConfigurationTree?
    ) -> [(String, ConfigurationTree?, ConfigurationTree?)] {
        // In a section that comes or goes whole, what is as by default says nothing.
        let before = (old?.members ?? []).filter { new != nil || !$0.isDefault }
        let after = (new?.members ?? []).filter { old != nil || !$0.isDefault }
        let values = Dictionary(before.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let kept = Set(after.map(\.key))
        return after.map { ($0.key, values[$0.key], $0.value) }
            + before.filter { !kept.contains($0.key) }.map { ($0.key, $0.value, nil) }
    }

    // MARK: Words

    private static let limitKeys: [Part] = [
        .key("requests_per_minute"), .key("tokens_per_minute"), .key("concurrent_requests"), .key("tokens_per_day"),
        .key("tokens_per_month"),
    ]
    /// What goes without saying where the values are named.
    private static let silentKeys: [Part] = [
        .key("limits"), .key("model_limits"), .key("deployments"), .key("sinks"),
    ]
    /// Mappings whose keys are names.
    private static let namingKeys: [Part?] = [.key("model_limits")]

    private static func text(of tree: ConfigurationTree?) -> String? {
        switch tree {
        case .text(let text)?: return text
        case .secret?: return "[secret]"
        case .list(let entries)?: return entries.map(\.identity).joined(separator: ", ")
        case .mapping?: return "{}"
        case nil: return nil
        }
    }

    /// "team-a: gpt-4o 20k -> 30k tokens per minute".
    private static func sentence(_ path: [Part], from old: String?, to new: String?) -> String {
        guard let key = path.last else { return "\(old ?? "none") -> \(new ?? "none")" }
        let scope = self.sentence(Array(path.dropLast()))
        let start = scope.isEmpty ? "" : scope + " "
        if key == .key("shadow") {
            func mode(_ text: String?) -> String { text == "true" ? "shadow" : "enforced" }
            return "\(start)limits \(mode(old)) -> \(mode(new))"
        }
        guard self.limitKeys.contains(key) else {
            return "\(start)\(key.words) \(old ?? "none") -> \(new ?? "none")"
        }
        func limit(_ text: String?) -> String { text == "0" ? "blocked" : text ?? "no limit" }
        return "\(start)\(limit(old)) -> \(limit(new)) \(key.words)"
    }

    /// The first part names what the rest is about.
    private static func sentence(_ path: [Part]) -> String {
        let words = path.filter { !self.silentKeys.contains($0) }.map(\.words)
        guard let first = words.first else { return "" }
        return words.count == 1 ? "\(first):" : "\(first): \(words.dropFirst().joined(separator: " "))"
    }
}

extension ConfigurationTree {
    fileprivate var members: [Member] {
        if case .mapping(let members) = self { members } else { [] }
    }

    fileprivate var isSecret: Bool {
        if case .secret = self { true } else { false }
    }

    /// What tells an entry from the others of its list.
    fileprivate var identity: String {
        switch self {
        case .text(let text): return text
        case .secret: return "[secret]"
        case .list: return "a list"
        case .mapping(let members):
            func member(_ key: String) -> String? {
                if case .text(let text)? = members.first(where: { $0.key == key })?.value { text } else { nil }
            }
            if let name = member("name") ?? member("tenant") { return name }
            if let endpoint = member("endpoint"), member("type") == nil {
                return "\(member("deployment") ?? "the same name") of \(endpoint)"
            }
            return [member("type"), member("directory") ?? member("rule")].compactMap(\.self).joined(separator: " ")
        }
    }
}

extension GatewayConfiguration {
    /// What a change from this to another means, in words. Holds no secret.
    package func changes(to new: Self) -> String {
        ConfigurationDifference(from: self, to: new).text
    }
}
