/// `75ms`, `5s`, `2m`, `1h`: a whole number and a unit.
enum DurationSyntax {
    /// From long to short, so that the first that divides evenly is the one to write.
    private static let units: [(suffix: String, milliseconds: Int)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// Saturates far above every range that is accepted, so that no number of digits can overflow.
    static func parse(_ text: String) throws(BadValue) -> Duration {
        let digits = text.utf8.prefix(while: ConfigurationText.isDigit)
        let suffix = String(Substring(text.utf8.dropFirst(digits.count)))
        guard !digits.isEmpty else {
            throw BadValue("must be a duration such as 75ms, 5s, 2m or 1h")
        }
        guard !suffix.isEmpty else {
            throw BadValue("needs a unit: ms, s, m or h, as in 5s")
        }
        guard let unit = self.units.first(where: { $0.suffix == suffix }) else {
            throw BadValue("must be a whole number and one unit, as in 75ms, 5s, 2m or 1h")
        }
        let number = Int(String(digits) ?? "") ?? .max
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return .milliseconds(overflow ? .max : milliseconds)
    }

    /// The shortest writing of a duration, in whole milliseconds.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = self.units.first { milliseconds % Int64($0.milliseconds) == 0 } ?? ("ms", 1)
        return "\(milliseconds / Int64(unit.milliseconds))\(unit.suffix)"
    }
}
