/// The format of the file as tables, for the documentation.
///
/// Like `ConfigurationSchema` it is made by the code that reads the file.
package enum ConfigurationReference {
    private static let introduction = """
        # Configuration reference

        Every key of the configuration file, made from the code that reads it by `make schema`. What the sections are for, and
        how values are written, is in [configuration.md](configuration.md).

        A key in bold must be there. `[]` stands for each entry of a list, `*` for a name that you choose. A file with a
        key that is not here is refused.

        """

    /// Markdown, with a line break at its end.
    package static func markdown() -> String {
        var lines = [self.introduction]
        for case .mapping(let mapping) in ConfigurationSchema.outline().shapes {
            self.write(mapping, at: "", into: &lines)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A table of the mapping's keys, followed by those of the mappings inside it.
    private static func write(_ mapping: ConfigurationOutline.Mapping, at path: String, into lines: inout [String]) {
        let variant = mapping.variant.map { ", \($0.key): \($0.word)" } ?? ""
        lines.append("## \(path.isEmpty ? "Top level" : "`\(path)`\(variant)")\n")
        if mapping.keys.isEmpty {
            lines.append("No keys: write `{}`.\n")
        } else {
            lines += ["| key | value | default | |", "|---|---|---|---|"]
            lines += mapping.keys.map { key in self.row(key, in: mapping) }
            lines.append("")
        }
        for key in mapping.keys {
            self.writeMappings(in: key.value, at: key.path, into: &lines)
        }
    }

    private static func writeMappings(in outline: ConfigurationOutline, at path: String, into lines: inout [String]) {
        for shape in outline.shapes {
            switch shape {
            case .text: break
            case .list(let entry, _): self.writeMappings(in: entry, at: path + "[]", into: &lines)
            case .dictionary(let value): self.writeMappings(in: value, at: path + ".*", into: &lines)
            case .mapping(let mapping): self.write(mapping, at: path, into: &lines)
            }
        }
    }

    private static func row(_ key: ConfigurationOutline.Key, in mapping: ConfigurationOutline.Mapping) -> String {
        let name = key.isRequired ? "**`\(key.name)`**" : "`\(key.name)`"
        let word = mapping.variant?.key == key.name ? mapping.variant.map { "`\($0.word)`" } : nil
        let value = word ?? key.value.shapes.map(self.words).joined(separator: ", or ")
        let standard = key.defaultText.map { "`\($0)`" } ?? ""
        let about = key.about.replacing("|", with: "\\|")
        return "| \(name) | \(value) | \(standard) | \(about) |"
    }

    private static func words(for shape: ConfigurationOutline.Shape) -> String {
        switch shape {
        case .text(let rule): self.words(for: rule)
        case .list(let entry, _): "list of " + entry.shapes.map(self.words).joined(separator: ", or ")
        case .dictionary: "mapping by name"
        case .mapping: "mapping"
        }
    }

    private static func words(for rule: ConfigurationOutline.TextRule) -> String {
        let range = rule.range.map { " " + $0.prefix(1).lowercased() + $0.dropFirst() } ?? ""
        return switch rule {
        case .duration: "duration" + range
        case .count, .fraction: "number" + range
        case .bytes: "bytes" + range.replacing(" bytes", with: "")
        case .bool: "`true` or `false`"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .id: "id, 8-4-4-4-12 hexadecimal digits"
        case .secret: "secret," + range
        case .words(let words): words
        }
    }
}
