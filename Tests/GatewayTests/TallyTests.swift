import Testing

@testable import Gateway

@Suite("A tally", .timeLimit(.minutes(5)))
struct TallyTests {
    /// Longer than the tests may run: who waits for it in vain fails.
    private static let forever = Duration.seconds(600)

    @Test("counts up and down")
    func count() {
        let tally = Tally()
        #expect(tally.count == 0)
        #expect(tally.add() == 1)
        #expect(tally.add() == 2)
        tally.remove()
        #expect(tally.count == 1)
    }

    @Test("that is zero is not waited for")
    func alreadyZero() async {
        let tally = Tally()
        #expect(await tally.waitUntilZero(limit: Self.forever))
        tally.add()
        tally.remove()
        #expect(await tally.waitUntilZero(limit: Self.forever))
    }

    @Test("wakes who waits when it becomes zero, however the two meet")
    func becomesZero() async {
        for open in 1...300 {
            let tally = Tally()
            for _ in 0..<open { tally.add() }
            async let isZero = tally.waitUntilZero(limit: Self.forever)
            for _ in 0..<(open % 7) { await Task.yield() }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<open { group.addTask { tally.remove() } }
            }
            #expect(await isZero)
        }
    }

    @Test("that does not become zero is waited for no longer than the limit, and can be waited for again")
    func timesOut() async {
        let tally = Tally()
        tally.add()
        #expect(await !tally.waitUntilZero(limit: .milliseconds(5)))
        #expect(await !tally.waitUntilZero(limit: .zero))
        async let isZero = tally.waitUntilZero(limit: Self.forever)
        await Task.yield()
        tally.remove()
        #expect(await isZero)
    }
}
