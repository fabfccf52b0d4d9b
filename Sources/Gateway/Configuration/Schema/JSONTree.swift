/// A JSON document to be printed, with the members of its objects in order.
indirect enum JSONTree {
    case string(String)
    case integer(Int)
    case bool(Bool)
    case array([JSONTree])
    case object([(String, JSONTree)])

    /// Two spaces for each level; arrays of single values on one line.
    func text(indentation: String = "") -> String {
        let inner = indentation + "  "
        switch self {
        case .string(let text): return JSONText.quoted(text)
        case .integer(let number): return "\(number)"
        case .bool(let bool): return bool ? "true" : "false"
        case .array(let elements) where elements.allSatisfy(\.isSingle):
            return "[" + elements.map { $0.text() }.joined(separator: ", ") + "]"
        case .array(let elements):
            let lines = elements.map { inner + $0.text(indentation: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indentation)]"
        case .object(let members) where members.isEmpty:
            return "{}"
        case .object(let members):
            let lines = members.map { "\(inner)\(JSONText.quoted($0)): \($1.text(indentation: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
        }
    }

    private var isSingle: Bool {
        switch self {
        case .string, .integer, .bool: true
        case .array, .object: false
        }
    }
}
