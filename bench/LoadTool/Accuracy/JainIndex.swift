/// How evenly something is divided (Jain, Chiu, Hawe 1984): 1 when all have the same, 1/n when one has everything.
enum JainIndex {
    /// nil where there is nothing to divide.
    static func of(_ values: [Double]) -> Double? {
        let sum = values.reduce(0, +)
        let squares = values.reduce(0) { $0 + $1 * $1 }
        guard !values.isEmpty, squares > 0 else { return nil }
        return sum * sum / (Double(values.count) * squares)
    }
}
