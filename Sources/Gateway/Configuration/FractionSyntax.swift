/// `0`, `0.25`, `1`: a decimal from 0 to 1 with at most six digits behind the point.
enum FractionSyntax {
    private static let digits = 6

    static func parse(_ text: String) throws(BadValue) -> Double {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(ConfigurationText.isDigit) }),
            parts.count == 1 || parts[1].utf8.count <= self.digits, let fraction = Double(text), fraction <= 1
        else {
            throw BadValue("must be a number from 0 to 1, such as 0.25")
        }
        return fraction
    }

    /// The shortest text that is read as the same number.
    static func text(_ fraction: Double) -> String {
        let millionths = Int((fraction * 1_000_000).rounded())
        guard millionths < 1_000_000 else { return "1" }
        var digits = String(millionths)
        digits = String(repeating: "0", count: self.digits - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return digits.isEmpty ? "0" : "0.\(digits)"
    }
}
