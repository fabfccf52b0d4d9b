import Testing

@testable import LoadTool

@Suite("The workers of a closed loop")
struct WorkerProfileTests {
    @Test("work all the time where their number is the same")
    func steady() {
        let profile = WorkerProfile(workers: 3, seconds: 10)
        #expect(profile.most == 3 && profile.mean == 3 && profile.seconds == 10)
        for time in [0, 4.5, 9.99] {
            #expect((0..<3).allSatisfy { profile.turn(of: $0, from: time) == time })
            #expect(profile.turn(of: 3, from: time) == nil)
        }
        #expect(profile.turn(of: 0, from: 10) == nil)
    }

    @Test("come and go in steps")
    func steps() {
        let profile = WorkerProfile(phases: [
            .init(from: 2, to: 2, seconds: 5), .init(from: 4, to: 4, seconds: 5), .init(from: 0, to: 0, seconds: 5),
            .init(from: 3, to: 3, seconds: 5),
        ])
        #expect(profile.most == 4 && profile.mean == 2.25 && profile.seconds == 20)
        #expect(profile.turn(of: 1, from: 1) == 1)
        #expect(profile.turn(of: 3, from: 1) == 5)
        #expect(profile.turn(of: 3, from: 7) == 7)
        #expect(profile.turn(of: 3, from: 10) == nil)
        #expect(profile.turn(of: 2, from: 10) == 15)
    }

    @Test("come one after the other on a ramp, and leave so: their number is the level, rounded")
    func ramp() {
        let profile = WorkerProfile(phases: [.init(from: 0, to: 10, seconds: 10), .init(from: 10, to: 0, seconds: 10)])
        #expect(profile.most == 10 && profile.mean == 5)
        for worker in 0..<10 {
            let begin = Double(worker) + 0.5
            let found = profile.turn(of: worker, from: 0) ?? -1
            #expect(abs(found - begin) < 1e-9)
            #expect(profile.turn(of: worker, from: begin + 0.1) == begin + 0.1)
            // It leaves as late before the end as it came after the start.
            #expect(profile.turn(of: worker, from: 19.9 - begin) == 19.9 - begin)
            #expect(profile.turn(of: worker, from: 20.1 - begin) == nil)
        }
    }
}
