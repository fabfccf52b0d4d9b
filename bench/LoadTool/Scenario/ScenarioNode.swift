internal import Yams

/// A place in a scenario file, with what errors about it need.
struct ScenarioNode {
    let node: Node
    /// As in "clients[2].share"; empty for the whole file.
    let path: String
    let file: String
    /// Where `${NAME}` is looked up.
    var environment: [String: String] = [:]

    static func parse(
        _ text: String,
        file: String,
        environment: [String: String] = [:]
    ) throws(ScenarioError) -> ScenarioNode {
        do {
            guard let node = try Yams.compose(yaml: text) else { throw ScenarioError("\(file): the scenario is empty") }
            return ScenarioNode(node: node, path: "", file: file, environment: environment)
        } catch let error as YamlError {
            throw ScenarioError("\(file): not YAML: \(error)")
        } catch let error as ScenarioError {
            throw error
        } catch {
            throw ScenarioError("\(file): \(error)")
        }
    }

    func fail(_ reason: String) -> ScenarioError {
        let mark = node.mark.map { ":\($0.line):\($0.column)" } ?? ""
        return ScenarioError("\(file)\(mark): \(path.isEmpty ? "" : "\(path): ")\(reason)")
    }

    // MARK: Scalars

    func string() throws(ScenarioError) -> String {
        guard let scalar = node.scalar, !scalar.string.isEmpty else { throw fail("expected a text") }
        var text = ""
        var rest = scalar.string[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            guard let value = environment[name] else { throw fail("the environment has no \(name)") }
            text += rest[..<start.lowerBound] + value
            rest = rest[rest.index(after: end)...]
        }
        return text + rest
    }

    func read<Value>(
        _ what: String,
        _ parse: (String) -> Value?,
        where isAllowed: (Value) -> Bool = { _ in true }
    ) throws(ScenarioError) -> Value {
        let text = try string()
        guard let value = parse(text), isAllowed(value) else { throw fail("expected \(what), not '\(text)'") }
        return value
    }

    func seconds(in range: ClosedRange<Double> = 0...31_536_000) throws(ScenarioError) -> Double {
        try read("a duration such as 75ms, 5s, 2m or 1h", Quantity.seconds) { range.contains($0) }
    }

    func count(in range: ClosedRange<Double> = 0...1e12) throws(ScenarioError) -> Double {
        let low = Self.plain(range.lowerBound)
        let high = Self.plain(range.upperBound)
        return try read("a number from \(low) to \(high), such as 100, 20k or 1.5M", Quantity.count) {
            range.contains($0)
        }
    }

    func integer(in range: ClosedRange<Int>) throws(ScenarioError) -> Int {
        let value = try count(in: Double(range.lowerBound)...Double(range.upperBound))
        guard value == value.rounded() else { throw fail("expected a whole number") }
        return Int(value)
    }

    func flag() throws(ScenarioError) -> Bool {
        try read("true or false", { text in text == "true" ? true : text == "false" ? false : nil })
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>() throws(ScenarioError) -> Choice {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return try read("one of \(names)", Choice.init(rawValue:))
    }

    private static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    // MARK: Collections

    /// The items of a list; one thing without a list counts as a list of one.
    func list() -> [ScenarioNode] {
        guard let sequence = node.sequence else { return [self] }
        return sequence.enumerated().map {
            ScenarioNode(node: $0.element, path: "\(path)[\($0.offset)]", file: file, environment: environment)
        }
    }

    func mapping() throws(ScenarioError) -> ScenarioMapping {
        guard let mapping = node.mapping else { throw fail("expected keys and values") }
        var entries: [ScenarioMapping.Entry] = []
        for (key, value) in mapping {
            guard let name = key.string else { throw fail("a key that is no text") }
            guard !entries.contains(where: { $0.key == name }) else { throw fail("the key '\(name)' is there twice") }
            let inner = ScenarioNode(
                node: value,
                path: path.isEmpty ? name : "\(path).\(name)",
                file: file,
                environment: environment
            )
            entries.append(.init(key: name, keyNode: key, value: inner))
        }
        return ScenarioMapping(entries: entries, node: self)
    }

    var isMapping: Bool { node.mapping != nil }
}

/// Keys and values. Every key asked for is thereby known, so that `finish` can refuse the others.
struct ScenarioMapping {
    struct Entry {
        let key: String
        let keyNode: Node
        let value: ScenarioNode
    }

    fileprivate let entries: [Entry]
    let node: ScenarioNode
    private var known: [String] = []

    fileprivate init(entries: [Entry], node: ScenarioNode) {
        self.entries = entries
        self.node = node
    }

    var keys: [String] { entries.map(\.key) }

    mutating func optional(_ key: String) -> ScenarioNode? {
        known.append(key)
        return entries.first { $0.key == key }?.value
    }

    mutating func required(_ key: String) throws(ScenarioError) -> ScenarioNode {
        guard let value = optional(key) else { throw node.fail("the key '\(key)' is missing") }
        return value
    }

    /// Refuses keys that nobody asked for.
    func finish() throws(ScenarioError) {
        guard let entry = entries.first(where: { !known.contains($0.key) }) else { return }
        let place = ScenarioNode(node: entry.keyNode, path: node.path, file: node.file)
        let names = known.sorted().joined(separator: ", ")
        throw place.fail("unknown key '\(entry.key)'; known here: \(names)")
    }
}
