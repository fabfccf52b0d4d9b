/// How many workers a closed loop has: phases of a steady or evenly changing number.
struct WorkerProfile: Equatable, Sendable {
    /// Of which the rates are numbers of workers.
    let levels: RateProfile

    init(phases: [RateProfile.Phase]) { levels = RateProfile(phases: phases) }

    /// As many all the time.
    init(workers: Int, seconds: Double) {
        self.init(phases: [.init(from: Double(workers), to: Double(workers), seconds: seconds)])
    }

    var seconds: Double { levels.seconds }

    /// The most there are at once.
    var most: Int { Int(levels.phases.reduce(0) { max($0, $1.from, $1.to) }.rounded()) }

    /// Over the whole time.
    var mean: Double { levels.arrivals / levels.seconds }

    /// When a worker is one of those that work, from a time on: that time itself, a later one, or nil for never again.
    ///
    /// - Parameter worker: from 0; works while the number of workers, rounded, is above it.
    func turn(of worker: Int, from time: Double) -> Double? {
        let needed = Double(worker) + 0.5
        var begin = 0.0
        for phase in levels.phases {
            let end = begin + phase.seconds
            defer { begin = end }
            guard time < end else { continue }
            let slope = (phase.to - phase.from) / phase.seconds
            let start = max(time, begin)
            if phase.from + slope * (start - begin) >= needed { return start }
            guard slope > 0, phase.to >= needed else { continue }
            let crossing = begin + (needed - phase.from) / slope
            if crossing < end { return max(start, crossing) }
        }
        return nil
    }
}
