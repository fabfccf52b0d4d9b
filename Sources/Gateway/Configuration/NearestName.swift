/// Finds the name that was probably meant.
enum NearestName {
    /// More candidates than this are not searched: a suggestion is a courtesy, and must not cost seconds.
    private static let maximumCandidates = 256

    /// The candidate with the fewest slips from `name`: at most one, or one in three characters. Ties: the first.
    static func of(_ name: String, among candidates: [String]) -> String? {
        let scalars = Array(name.unicodeScalars)
        guard (1...64).contains(scalars.count), candidates.count <= self.maximumCandidates else { return nil }
        let allowed = max(1, scalars.count / 3)
        var best: (name: String, slips: Int)?
        for candidate in candidates {
            let slips = self.slips(from: scalars, to: Array(candidate.unicodeScalars))
            if slips <= allowed, slips < best?.slips ?? .max {
                best = (candidate, slips)
            }
        }
        return best?.name
    }

    /// "; did you mean 'x'?", or nothing.
    static func suggestion(for name: String, among candidates: [String]) -> String {
        self.of(name, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance).
    private static func slips(from left: [Unicode.Scalar], to right: [Unicode.Scalar]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in 1...left.count {
            var current = [i] + [Int](repeating: 0, count: right.count)
            for j in 1...right.count {
                let replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
                current[j] = min(replaced, last[j] + 1, current[j - 1] + 1)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    current[j] = min(current[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
