/// A piece of the parsed file, independent of the YAML library: aliases resolved, keys known to be plain and unique.
struct ConfigurationNode {
    enum Content {
        case scalar(text: String, Writing)
        case list([ConfigurationNode])
        case mapping([Entry])
        /// Already reported; whoever reads it says nothing more.
        case broken
        /// No file is read; whoever reads this notes what it would have read.
        case outline(ConfigurationOutline)
    }

    enum Writing {
        /// An unquoted nothing, `~` or `null`.
        case null
        case plain
        case quoted
    }

    struct Entry {
        let key: String
        let position: ConfigurationPosition
        let value: ConfigurationNode
    }

    let content: Content
    /// An alias's own position is lost: a value that is shared is reported where it is written.
    let position: ConfigurationPosition
    /// Nodes in this piece, itself included, with every alias counted as often as it is used.
    let size: Int
    /// Levels in this piece, itself included.
    let height: Int

    init(_ content: Content, at position: ConfigurationPosition) {
        self.content = content
        self.position = position
        let children =
            switch content {
            case .scalar, .broken, .outline: [ConfigurationNode]()
            case .list(let items): items
            case .mapping(let entries): entries.map(\.value)
            }
        // Saturating, because aliases of aliases double at every step.
        self.size = children.reduce(1) { sum, child in
            let (value, overflow) = sum.addingReportingOverflow(child.size)
            return overflow ? Int.max : value
        }
        self.height = 1 + (children.map(\.height).max() ?? 0)
    }

    /// What this is, for "must be a list, not ...".
    var kind: String {
        switch self.content {
        case .scalar, .broken, .outline: "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
