/// How many requests a second arrive: phases of steady or evenly changing rate.
struct RateProfile: Equatable, Sendable {
    struct Phase: Equatable, Sendable {
        /// Requests a second at its begin and at its end.
        let from: Double
        let to: Double
        let seconds: Double

        /// How many arrive in it.
        var arrivals: Double { (from + to) / 2 * seconds }

        /// When, in seconds from its begin, `count` have arrived: the positive root of `from t + slope t^2 / 2 =
        /// count`, in the form that is exact for a slope of nearly 0.
        func time(of count: Double) -> Double {
            guard count > 0 else { return 0 }
            let slope = (to - from) / seconds
            return min(seconds, 2 * count / (from + max(0, from * from + 2 * slope * count).squareRoot()))
        }
    }

    let phases: [Phase]

    var seconds: Double { phases.reduce(0) { $0 + $1.seconds } }
    var arrivals: Double { phases.reduce(0) { $0 + $1.arrivals } }

    /// Requests a second at that time; 0 after the end.
    func rate(at time: Double) -> Double {
        var left = time
        for phase in phases {
            if left < phase.seconds { return phase.from + (phase.to - phase.from) * left / phase.seconds }
            left -= phase.seconds
        }
        return 0
    }
}
