/// Writes a tree as the YAML that is read back to the same, with comments where asked for.
struct ConfigurationWriter {
    /// Lines of comment above the key at a path such as `clients[0].models`; above everything at the empty path.
    private let notes: [String: [String]]
    /// Paths of everything that holds something with a note, and so cannot be on one line.
    private let notedPaths: Set<String>
    private var lines: [String] = []

    /// Mappings of single values that fit are written in braces.
    private static let width = 110

    init(notes: [String: [String]] = [:]) {
        self.notes = notes
        var paths: Set<String> = []
        for path in notes.keys {
            for end in path.indices where path[end] == "." || path[end] == "[" {
                paths.insert(String(path[..<end]))
            }
        }
        self.notedPaths = paths
    }

    /// With a line break at its end; what says no more than the default is left out.
    mutating func text(of tree: ConfigurationTree) -> String {
        self.lines = []
        self.comment("", indentation: "")
        self.write(tree, path: "", indentation: "", isTop: true)
        return self.lines.joined(separator: "\n") + "\n"
    }

    private mutating func write(_ tree: ConfigurationTree, path: String, indentation: String, isTop: Bool = false) {
        switch tree {
        case .text, .secret:
            self.lines.append(indentation + Self.inline(tree))
        case .list(let entries):
            for (index, entry) in entries.enumerated() {
                let path = "\(path)[\(index)]"
                self.comment(path, indentation: indentation)
                guard self.isBlock(entry, path: path, column: indentation.count + 2) else {
                    self.lines.append("\(indentation)- \(Self.inline(entry))")
                    continue
                }
                let start = self.lines.count
                self.write(entry, path: path, indentation: indentation + "  ")
                self.putDash(after: start, indentation: indentation)
            }
        case .mapping(let members):
            for member in members where !member.isDefault {
                let path = path.isEmpty ? member.key : "\(path).\(member.key)"
                if isTop, !self.lines.isEmpty {
                    self.lines.append("")
                }
                self.comment(path, indentation: indentation)
                let key = indentation + Self.quoted(member.key) + ":"
                if self.isBlock(member.value, path: path, column: key.count + 1) {
                    self.lines.append(key)
                    self.write(member.value, path: path, indentation: indentation + "  ")
                } else {
                    self.lines.append("\(key) \(Self.inline(member.value))")
                }
            }
        }
    }

    /// The first line of an entry that is no comment gets the dash.
    private mutating func putDash(after start: Int, indentation: String) {
        let first = self.lines[start...].firstIndex { !$0.drop { $0 == " " }.hasPrefix("#") } ?? start
        for index in start..<first {
            self.lines[index].removeFirst(2)
        }
        self.lines[first] = "\(indentation)- " + self.lines[first].dropFirst(indentation.count + 2)
    }

    private mutating func comment(_ path: String, indentation: String) {
        self.lines += (self.notes[path] ?? []).map { "\(indentation)# \($0)" }
    }

    private func isBlock(_ tree: ConfigurationTree, path: String, column: Int) -> Bool {
        switch tree {
        case .text, .secret: return false
        case .list(let entries) where entries.isEmpty: return false
        case .mapping(let members) where !members.contains { !$0.isDefault }: return false
        case .list(let entries): if entries.contains(where: { !$0.isSingle }) { return true }
        case .mapping(let members): if members.contains(where: { !$0.isDefault && !$0.value.isSingle }) { return true }
        }
        return self.notedPaths.contains(path) || column + Self.inline(tree).count > Self.width
    }

    private static func inline(_ tree: ConfigurationTree) -> String {
        switch tree {
        case .text(let text), .secret(let text):
            return self.quoted(text)
        case .list(let entries):
            return "[" + entries.map(self.inline).joined(separator: ", ") + "]"
        case .mapping(let members):
            let shown = members.filter { !$0.isDefault }
            return "{" + shown.map { "\(self.quoted($0.key)): \(self.inline($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// Plain where nothing in it means something to YAML; a substitution's beginning is written as itself.
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("${", with: "$${")
        let isPlain =
            text.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "._-/:".utf8.contains($0) }
            && text.utf8.first.map { ConfigurationText.isLetterOrDigit($0) || $0 == UInt8(ascii: "/") } == true
            && text.last != ":" && !["null", "Null", "NULL"].contains(text)
        return isPlain ? text : JSONText.quoted(escaped)
    }
}

extension ConfigurationTree {
    fileprivate var isSingle: Bool {
        switch self {
        case .text, .secret: true
        case .list(let entries): entries.isEmpty
        case .mapping(let members): !members.contains { !$0.isDefault }
        }
    }
}
