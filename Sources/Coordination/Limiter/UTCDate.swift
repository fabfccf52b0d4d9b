/// Days and months as the scripts count them. Times are in milliseconds since 1970, in UTC.
enum UTCDate {
    static let millisecondsPerDay: Int64 = 86_400_000

    static func day(of time: Int64) -> Int64 { floorOfDivision(time, millisecondsPerDay) }

    /// Months since year 0, counted from March so that the leap day comes last (H. Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms"). 0 is March of year 0.
    static func month(of time: Int64) -> Int64 {
        let (year, month, _) = parts(ofDay: day(of: time))
        return year * 12 + month
    }

    /// When a month starts, counted as in `month(of:)`.
    static func start(ofMonth month: Int64) -> Int64 {
        let year = floorOfDivision(month, 12)
        let days =
            365 * year + floorOfDivision(year, 4) - floorOfDivision(year, 100) + floorOfDivision(year, 400)
            + (153 * (month - 12 * year) + 2) / 5 - daysBefore1970
        return days * millisecondsPerDay
    }

    /// The day in digits, like 20260331.
    static func digits(of time: Int64) -> Int {
        let (year, month, day) = parts(ofDay: day(of: time))
        return Int(month < 10 ? year * 10_000 + (month + 3) * 100 + day : (year + 1) * 10_000 + (month - 9) * 100 + day)
    }

    /// From 1 March of year 0 to 1 January 1970.
    private static let daysBefore1970: Int64 = 719_468
    private static let daysPerEra: Int64 = 146_097

    /// Years start in March; the month counts from 0, the day from 1.
    private static func parts(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let day = day + daysBefore1970
        let era = floorOfDivision(day, daysPerEra)
        let dayOfEra = day - era * daysPerEra
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (year + era * 400, month, dayOfYear - (153 * month + 2) / 5 + 1)
    }
}

extension Usage {
    /// The UTC day of a time in milliseconds since 1970, in digits.
    package static func day(of time: Int64) -> Int { UTCDate.digits(of: time) }
}

private func floorOfDivision(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend < 0 && quotient * divisor != dividend ? quotient - 1 : quotient
}
