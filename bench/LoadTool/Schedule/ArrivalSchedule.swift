/// When each request is to be sent, in nanoseconds from the start: known before the first is, whatever answers do.
///
/// Constant arrivals come at the times when the profile's integral passes 0, 1, 2, ...; random ones are a Poisson
/// process of the same rate, made by passing one of rate 1 through the same integral.
struct ArrivalSchedule: Sendable {
    enum Arrivals: String, CaseIterable, Sendable {
        case constant
        case poisson
    }

    private let profile: RateProfile
    private let arrivals: Arrivals
    private var random: SplitMix
    private var index = 0
    /// The profile's integral at the next arrival.
    private var count = 0.0
    private var phase = 0
    private var countBeforePhase = 0.0
    private var secondsBeforePhase = 0.0

    init(_ profile: RateProfile, _ arrivals: Arrivals, seed: UInt64) {
        self.profile = profile
        self.arrivals = arrivals
        random = SplitMix(seed: seed)
        if arrivals == .poisson { count = random.exponential() }
    }

    /// The next request's number and time; nil after the last phase.
    mutating func next() -> (index: Int, nanoseconds: Int64)? {
        while phase < profile.phases.count, count - countBeforePhase >= profile.phases[phase].arrivals {
            countBeforePhase += profile.phases[phase].arrivals
            secondsBeforePhase += profile.phases[phase].seconds
            phase += 1
        }
        guard phase < profile.phases.count else { return nil }
        let seconds = secondsBeforePhase + profile.phases[phase].time(of: count - countBeforePhase)
        defer {
            index += 1
            count = arrivals == .constant ? Double(index) : count + random.exponential()
        }
        return (index, Int64((seconds * 1e9).rounded()))
    }
}
