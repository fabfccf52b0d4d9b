extension UsageReport {
    package enum Format: String, CaseIterable, Sendable {
        case table, csv, json
    }

    package func text(_ format: Format) -> String {
        switch format {
        case .table: table
        case .csv: csv
        case .json: json
        }
    }

    private var heads: [String] {
        columns.map(\.rawValue) + [
            "requests", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "seconds",
            "estimated_tokens", "errors",
        ] + (currency.map { ["cost_\($0.lowercased())"] } ?? [])
    }

    private func fields(_ row: Row, names: [String]) -> [String] {
        let numbers = [row.requests, row.input, row.cached, row.output, row.reasoning]
        return names + numbers.map { String($0) } + [
            JSONRow.seconds(Int(row.milliseconds)), String(row.estimated), String(row.errors),
        ] + (currency == nil ? [] : [row.cost.map { Self.amount($0) } ?? ""])
    }

    /// Millionths as a decimal.
    static func amount(_ micros: Int64) -> String {
        let digits = String(micros.magnitude % 1_000_000)
        return (micros < 0 ? "-" : "") + "\(micros.magnitude / 1_000_000)."
            + String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }

    // MARK: table

    private var table: String {
        let names = ["total"] + columns.dropFirst().map { _ in "" }
        let lines =
            [heads] + rows.map { fields($0, names: $0.names) } + [fields(total, names: columns.isEmpty ? [] : names)]
        let widths = heads.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        let texts = lines.map { line in
            let cells = line.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column < columns.count ? text + space : space + text
            }
            let text = cells.joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        return ([texts[0], rule] + texts[1..<texts.count - 1] + [rule, texts[texts.count - 1]])
            .joined(separator: "\n") + "\n"
    }

    // MARK: for programs

    private var csv: String {
        var lines = CSVRows(capacity: 1024)
        lines.add(row: heads)
        for row in rows { lines.add(row: fields(row, names: row.names)) }
        return String(decoding: lines.take(), as: UTF8.self)
    }

    private var json: String {
        var object = JSONRow(bytes: [])
        if let currency { object.add("currency", currency) }
        object.addArray("rows", of: rows) { row, object in
            for (column, name) in zip(columns, row.names) { object.add(column.key, name) }
            Self.add(row, to: &object)
        }
        object.addObject("total") { Self.add(total, to: &$0) }
        return String(decoding: object.ended(), as: UTF8.self) + "\n"
    }

    private static func add(_ row: Row, to object: inout JSONRow) {
        object.add("requests", Int(row.requests))
        object.add("input_tokens", Int(row.input))
        object.add("cached_tokens", Int(row.cached))
        object.add("output_tokens", Int(row.output))
        object.add("reasoning_tokens", Int(row.reasoning))
        object.add("milliseconds", Int(row.milliseconds))
        object.add("estimated_tokens", Int(row.estimated))
        object.add("errors", Int(row.errors))
        if let cost = row.cost { object.add("cost_micros", Int(cost)) }
    }
}

extension UsageReport.Column {
    fileprivate var key: StaticString {
        switch self {
        case .day: "day"
        case .client: "client"
        case .model: "model"
        case .endpoint: "endpoint"
        case .deployment: "deployment"
        }
    }
}
