/// The numbers that scenarios are written with.
enum Quantity {
    /// `75ms`, `5s`, `2m`, `1h`; also `50us`. In seconds.
    static func seconds(_ text: String) -> Double? {
        let units: [(String, Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3_600)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let value = number(text.dropLast(unit.count)) else { continue }
            return value * factor
        }
        return text == "0" ? 0 : nil
    }

    /// `100`, `20k`, `1.5M`.
    static func count(_ text: String) -> Double? {
        if text.hasSuffix("k") { return number(text.dropLast()).map { $0 * 1e3 } }
        if text.hasSuffix("M") { return number(text.dropLast()).map { $0 * 1e6 } }
        return number(text[...])
    }

    /// `5%` or `0.05`.
    static func fraction(_ text: String) -> Double? {
        text.hasSuffix("%") ? number(text.dropLast()).map { $0 / 100 } : number(text[...])
    }

    private static func number(_ text: Substring) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
        return Double(text)
    }
}
