/// What an operator's command shows: as columns for people, as objects for programs.
package struct OperatorTable: Sendable, Equatable {
    package enum Cell: Sendable, Equatable {
        case text(String)
        case number(Int64)
        /// There is no such limit, or nothing to say.
        case none

        init(_ number: Int64?) { self = number.map { .number($0) } ?? .none }

        fileprivate var text: String {
            switch self {
            case .text(let text): text
            case .number(let number): "\(number)"
            case .none: "-"
            }
        }

        fileprivate var json: String {
            switch self {
            case .text(let text): JSONText.quoted(text)
            case .number(let number): "\(number)"
            case .none: "null"
            }
        }
    }

    /// The member of the JSON object that holds the table.
    package let name: String
    package let columns: [String]
    package var rows: [[Cell]]

    /// Columns under their names, numbers to the right; a line that says so where there is nothing.
    package var text: String {
        guard !rows.isEmpty else { return "no \(name.replacing("_", with: " "))\n" }
        let cells = [columns] + rows.map { $0.map(\.text) }
        let widths = columns.indices.map { column in cells.reduce(0) { max($0, $1[column].count) } }
        return cells.enumerated().map { index, row in
            let line = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                let isNumber = index > 0 && rows[index - 1][column].isNumber
                return isNumber ? padding + row[column] : row[column] + padding
            }.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    /// An array with an object for each row.
    package var json: String {
        let objects = rows.map { row in
            "{" + zip(columns, row).map { "\(JSONText.quoted($0)):\($1.json)" }.joined(separator: ",") + "}"
        }
        return "[" + objects.joined(separator: ",") + "]"
    }
}

extension OperatorTable.Cell {
    fileprivate var isNumber: Bool { if case .number = self { true } else { false } }
}

extension [OperatorTable] {
    /// One below the other.
    package var text: String { map(\.text).joined(separator: "\n") }

    /// One object, with a member for each.
    package var json: String {
        "{" + map { "\(JSONText.quoted($0.name)):\($0.json)" }.joined(separator: ",") + "}\n"
    }
}
