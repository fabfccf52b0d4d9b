/// `100`, `20k`, `1.5M`: a number and perhaps a unit. Counts go up by thousands, bytes by 1,024.
enum QuantitySyntax {
    case count
    case bytes

    /// Saturates at `Int.max`, so that no number of digits can overflow.
    func parse(_ text: String) throws(BadValue) -> Int {
        var rest = Substring(text).utf8
        let whole = rest.prefix(while: ConfigurationText.isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        let hasPoint = rest.first == UInt8(ascii: ".")
        if hasPoint {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: ConfigurationText.isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        let suffix = String(Substring(rest))
        guard !whole.isEmpty, hasPoint != fraction.isEmpty, fraction.count <= 9, let unit = self.unit(of: suffix) else {
            throw BadValue("must be \(self.examples)")
        }

        // At most 9 decimals and 2^30: far from overflowing.
        let scale = fraction.reduce(1) { scale, _ in scale * 10 }
        let parts = (Int(String(Substring(fraction))) ?? 0) * unit
        guard parts.isMultiple(of: scale) else {
            throw BadValue("must come out as a whole number")
        }
        let (units, overflow) = (Int(String(Substring(whole))) ?? .max).multipliedReportingOverflow(by: unit)
        let (sum, overflowOfSum) = units.addingReportingOverflow(parts / scale)
        return overflow || overflowOfSum ? .max : sum
    }

    /// As people write it in a file: with the largest unit that leaves a whole number, from ten thousand on.
    func shortText(_ number: Int) -> String {
        for suffix in ["G", "M", "k"] where number >= 10_000 {
            if let unit = self.unit(of: suffix), number >= unit, number.isMultiple(of: unit) {
                return "\(number / unit)\(suffix)"
            }
        }
        return "\(number)"
    }

    /// With the largest unit that leaves a whole number; counts are written out with commas instead.
    func text(_ number: Int) -> String {
        switch self {
        case .count:
            let digits = Array(String(number))
            return String(
                digits.enumerated().flatMap { index, digit in
                    index > 0 && (digits.count - index).isMultiple(of: 3) ? [",", digit] : [digit]
                }
            )
        case .bytes:
            for suffix in ["G", "M", "k"] {
                if let unit = self.unit(of: suffix), number >= unit, number.isMultiple(of: unit) {
                    return "\(number / unit)\(suffix)"
                }
            }
            return "\(number)"
        }
    }

    private func unit(of suffix: String) -> Int? {
        let base = self == .count ? 1_000 : 1_024
        switch suffix {
        case "": return 1
        case "k": return base
        case "M": return base * base
        case "G": return base * base * base
        default: return nil
        }
    }

    private var examples: String {
        switch self {
        case .count: "a number such as 100, 20k or 1.5M"
        case .bytes: "a number of bytes such as 4096, 64k or 64M"
        }
    }
}
