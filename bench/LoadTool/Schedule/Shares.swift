/// Picks among things in proportion to their shares.
struct Shares: Equatable, Sendable {
    private let sums: [Double]

    /// - Parameter shares: positive, at least one.
    init(_ shares: [Double]) {
        precondition(!shares.isEmpty && shares.allSatisfy { $0 > 0 }, "shares are positive, and there is one at least")
        var sum = 0.0
        sums = shares.map { share in
            sum += share
            return sum
        }
    }

    var count: Int { sums.count }

    func pick(_ random: inout SplitMix) -> Int {
        guard count > 1 else { return 0 }
        let place = random.unit() * sums[count - 1]
        return min(sums.firstIndex { place < $0 } ?? count - 1, count - 1)
    }
}
