import Testing

@testable import LoadTool

@Suite("The schedule of arrivals")
struct ArrivalScheduleTests {
    private func times(
        _ phases: [RateProfile.Phase],
        _ arrivals: ArrivalSchedule.Arrivals,
        seed: UInt64 = 1
    ) -> [Double] {
        var schedule = ArrivalSchedule(RateProfile(phases: phases), arrivals, seed: seed)
        var times: [Double] = []
        while let next = schedule.next() {
            #expect(next.index == times.count)
            times.append(Double(next.nanoseconds) / 1e9)
        }
        return times
    }

    @Test("puts constant arrivals at even distances, the first at once")
    func constant() {
        let times = times([.init(from: 10, to: 10, seconds: 1)], .constant)
        #expect(times.count == 10)
        for (index, time) in times.enumerated() { #expect(abs(time - Double(index) / 10) < 1e-8) }
    }

    @Test("follows steps")
    func steps() {
        let times = times([.init(from: 10, to: 10, seconds: 2), .init(from: 100, to: 100, seconds: 1)], .constant)
        #expect(times.count { $0 < 2 } == 20)
        #expect(times.count { $0 >= 2 } == 100)
        #expect(times.allSatisfy { $0 < 3 })
    }

    @Test(
        "follows a ramp: arrivals up to a time are the integral of the rate",
        arguments: [(0.0, 100.0), (100.0, 0.0)]
    )
    func ramp(from: Double, to: Double) {
        let times = times([.init(from: from, to: to, seconds: 10)], .constant)
        #expect((499...501).contains(times.count))
        for moment in stride(from: 1.0, through: 9, by: 1) {
            let integral = from * moment + (to - from) * moment * moment / 20
            #expect(abs(Double(times.count { $0 < moment }) - integral) <= 1.000_001)
        }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test("is silent in a phase without requests, and after the end")
    func silence() {
        let phases: [RateProfile.Phase] = [
            .init(from: 0, to: 0, seconds: 5), .init(from: 2, to: 2, seconds: 1), .init(from: 0, to: 0, seconds: 1),
        ]
        #expect(times(phases, .constant) == [5, 5.5])
    }

    @Test("draws a Poisson process: as many as constant arrivals, and a variance that equals the mean")
    func poisson() {
        let times = times([.init(from: 200, to: 200, seconds: 500)], .poisson)
        // 100,000 expected, with a standard deviation of 316.
        #expect((98_500...101_500).contains(times.count))
        var counts = [Double](repeating: 0, count: 5_000)
        for time in times { counts[min(4_999, Int(time * 10))] += 1 }
        let mean = counts.reduce(0, +) / 5_000
        let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4_999
        #expect((0.9...1.1).contains(variance / mean))
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test("is the same for the same seed, and another for another")
    func seeds() {
        let phases = [RateProfile.Phase(from: 50, to: 500, seconds: 3)]
        #expect(times(phases, .poisson, seed: 7) == times(phases, .poisson, seed: 7))
        #expect(times(phases, .poisson, seed: 7) != times(phases, .poisson, seed: 8))
    }

    @Test("tells the rate at any time")
    func rate() {
        let profile = RateProfile(phases: [.init(from: 0, to: 100, seconds: 10), .init(from: 5, to: 5, seconds: 1)])
        #expect(profile.rate(at: 0) == 0)
        #expect(profile.rate(at: 5) == 50)
        #expect(profile.rate(at: 10.5) == 5)
        #expect(profile.rate(at: 11) == 0)
        #expect(profile.seconds == 11)
        #expect(profile.arrivals == 505)
    }
}
