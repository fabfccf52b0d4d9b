internal import Yams

/// Turns text into nodes through Yams, with two of its behaviours changed.
///
/// Yams stops at the first mapping with a duplicate key and names the first of the two, and it hashes keys with
/// aliases expanded, which a hostile file can make take for ever. So the text is given to Yams with placeholders in it:
/// every `*` is one, which leaves no alias for Yams to expand, and so is the first character of a key found to be a
/// duplicate, which lets the parse go on. A placeholder is one private-use character for one character, so positions
/// stay true.
struct ConfigurationComposer {
    /// The nodes a file may have after its aliases are resolved.
    static let maximumNodes = 100_000
    static let maximumNesting = 32
    /// Duplicates looked for before giving up; each costs one parse.
    private static let maximumDuplicates = 32

    private static let star: Unicode.Scalar = "\u{F0000}"
    private static let reserved: ClosedRange<Unicode.Scalar> = "\u{F0000}"..."\u{F00FF}"

    /// Characters that say what follows them, and so cannot be replaced without changing it.
    private static let indicators = Set("&!\"'\\?:,[]{}|>%@`# \t\n\r".unicodeScalars)

    private let report: (ConfigurationPosition, String) -> Void
    private var source: SourceText
    private var originals: [Unicode.Scalar: Unicode.Scalar] = [:]
    private var anchors: [String: ConfigurationNode] = [:]
    private var isTooLarge = false

    init(_ text: String, report: @escaping (ConfigurationPosition, String) -> Void) {
        self.source = SourceText(text)
        self.report = report
    }

    /// The file's content, nil when it is empty. What cannot be read has been reported, and is `.broken`.
    mutating func compose() -> ConfigurationNode? {
        if let index = self.source.scalars.firstIndex(where: { !Self.isAllowed($0) }) {
            let code = String(self.source.scalars[index].value, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
            self.report(self.source.position(of: index), "character U+\(padded) is not allowed here; remove it")
            return ConfigurationNode(.broken, at: .start)
        }
        for index in self.source.scalars.indices where self.source.scalars[index] == "*" {
            self.source.scalars[index] = Self.star
        }
        self.originals[Self.star] = "*"

        do {
            // The nodes refer weakly to anchors that the parser owns.
            guard let (parser, root) = try self.parse() else { return nil }
            return withExtendedLifetime(parser) { self.convert(root, depth: 1) }
        } catch {
            let problem = YAMLSyntaxProblem(error, source: self.source)
            self.report(problem.position, problem.message)
            return ConfigurationNode(.broken, at: problem.position)
        }
    }

    /// Parses again after each duplicate key, until there is none left.
    private mutating func parse() throws -> (Parser, Node)? {
        for attempt in 1... {
            let parser = try Parser(yaml: self.source.text, resolver: .basic, encoding: .utf8)
            do {
                guard let root = try parser.singleRoot() else { return nil }
                return (parser, root)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) where attempt <= Self.maximumDuplicates {
                guard self.hideKey(at: ConfigurationPosition(context.mark), number: attempt) else {
                    throw YamlError.duplicatedKeysInMapping(duplicates: keys, context: context)
                }
            }
        }
        return nil
    }

    /// Replaces the first character of a key, so that it is unlike any other; false when there is nothing to replace.
    private mutating func hideKey(at position: ConfigurationPosition, number: Int) -> Bool {
        guard var index = self.source.index(of: position) else { return false }
        if self.source.scalars[index] == "\"" || self.source.scalars[index] == "'" {
            index += 1
        }
        guard index < self.source.scalars.count, let new = Unicode.Scalar(Self.star.value + UInt32(number)) else {
            return false
        }
        let old = self.source.scalars[index]
        guard old != Self.star, !Self.indicators.contains(old) else { return false }
        self.originals[new] = old
        self.source.scalars[index] = new
        return true
    }

    /// The text as it stands in the file.
    private func original(_ text: String) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.unicodeScalars.map { self.originals[$0] ?? $0 })
        return String(view)
    }

    /// What libyaml reads, without the characters used as placeholders.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF: true
        case 0xE000...0xFFFD: scalar.value != 0xFEFF
        case 0x1_0000...0x10_FFFF: !Self.reserved.contains(scalar)
        default: false
        }
    }
}

// MARK: - From Yams' nodes to ours

extension ConfigurationComposer {
    private mutating func convert(_ node: Node, depth: Int) -> ConfigurationNode {
        let position = node.mark.map(ConfigurationPosition.init) ?? .start
        guard depth <= Self.maximumNesting else {
            self.report(position, "nested more than \(Self.maximumNesting) levels deep; no key needs that")
            return ConfigurationNode(.broken, at: position)
        }
        let content: ConfigurationNode.Content
        switch node {
        case .scalar(let scalar):
            if scalar.style == .plain, scalar.string.unicodeScalars.first == Self.star {
                return self.resolveAlias(scalar.string, at: position, depth: depth)
            }
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            let writing: ConfigurationNode.Writing = isNull ? .null : scalar.style == .plain ? .plain : .quoted
            content = .scalar(text: self.original(scalar.string), writing)
        case .sequence(let sequence):
            content = .list(sequence.map { self.convert($0, depth: depth + 1) })
        case .mapping(let mapping):
            content = .mapping(self.convertEntries(of: mapping, depth: depth))
        case .alias:
            preconditionFailure("the parser resolves aliases; only encoding makes alias nodes")
        }
        var converted = ConfigurationNode(content, at: position)
        if !self.isSmallEnough(converted, at: position) {
            converted = ConfigurationNode(.broken, at: position)
        }
        if let name = node.anchor?.rawValue {
            self.anchors[name] = converted
        }
        return converted
    }

    private mutating func convertEntries(of mapping: Node.Mapping, depth: Int) -> [ConfigurationNode.Entry] {
        var firstLines: [String: Int] = [:]
        var entries: [ConfigurationNode.Entry] = []
        for (keyNode, valueNode) in mapping {
            let position = keyNode.mark.map(ConfigurationPosition.init) ?? .start
            let value = self.convert(valueNode, depth: depth + 1)
            guard case .scalar(let scalar) = keyNode,
                scalar.style != .plain || scalar.string.unicodeScalars.first != Self.star
            else {
                self.report(position, "a key must be a plain name, not a list, a mapping or an alias")
                continue
            }
            let key = self.original(scalar.string)
            if key == "<<", scalar.style == .plain {
                self.report(position, "merge keys ('<<') are not supported; write the keys out")
            } else if let line = firstLines[key] {
                self.report(position, "duplicate key\(KeyName.quoted(key)); it is already given on line \(line)")
            } else {
                firstLines[key] = position.line
                entries.append(ConfigurationNode.Entry(key: key, position: position, value: value))
            }
        }
        return entries
    }

    private mutating func resolveAlias(
        _ text: String,
        at position: ConfigurationPosition,
        depth: Int
    ) -> ConfigurationNode {
        let name = String(text.unicodeScalars.dropFirst())
        guard let target = self.anchors[name] else {
            self.report(
                position,
                name.isEmpty
                    ? "an unquoted * is no value in YAML; write \"*\""
                    : "this alias has no anchor before it; quote the value if it is meant to start with *"
            )
            return ConfigurationNode(.broken, at: position)
        }
        guard depth + target.height - 1 <= Self.maximumNesting else {
            self.report(position, "nested more than \(Self.maximumNesting) levels deep through this alias")
            return ConfigurationNode(.broken, at: position)
        }
        return target
    }

    private mutating func isSmallEnough(_ node: ConfigurationNode, at position: ConfigurationPosition) -> Bool {
        guard node.size > Self.maximumNodes else { return !self.isTooLarge }
        if !self.isTooLarge {
            self.isTooLarge = true
            self.report(position, "more than 100,000 values from here on, aliases counted each time they are used")
        }
        return false
    }
}

extension ConfigurationPosition {
    init(_ mark: Mark) {
        self.init(line: mark.line, column: mark.column)
    }
}
