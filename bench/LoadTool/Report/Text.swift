/// Numbers for people.
enum Text {
    /// Three digits, in the unit that fits.
    static func milliseconds(_ value: Double) -> String {
        if value >= 1_000 { return "\(digits(value / 1_000)) s" }
        if value >= 1 { return "\(digits(value)) ms" }
        return "\(digits(value * 1_000)) us"
    }

    static func milliseconds(_ value: Double?) -> String { value.map { milliseconds($0) } ?? "-" }

    static func count(_ value: Double) -> String {
        if value >= 1e6 { return "\(digits(value / 1e6))M" }
        if value >= 1e4 { return "\(digits(value / 1e3))k" }
        return value == value.rounded() ? String(Int(value)) : digits(value)
    }

    static func bytes(_ value: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var scaled = Double(value)
        var unit = 0
        while scaled >= 1_000, unit < units.count - 1 {
            scaled /= 1_000
            unit += 1
        }
        return "\(digits(scaled)) \(units[unit])"
    }

    static func percent(_ fraction: Double) -> String { "\(fixed(fraction * 100, 1)) %" }

    /// Three significant digits, without an exponent.
    static func digits(_ value: Double) -> String {
        let size = abs(value)
        return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : 2)
    }

    static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = Int((abs(value) * factor).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int(factor))
        return "\(sign)\(scaled / Int(factor)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
    }

    static func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? text + space : space + text
    }

    /// Columns as wide as they must be; the first one to the left, the others to the right.
    static func table(_ rows: [[String]]) -> String {
        guard let columns = rows.map(\.count).max() else { return "" }
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { padded($0.element, widths[$0.offset], left: $0.offset == 0) }
                .joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
