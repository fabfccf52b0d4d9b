import Coordination
import Testing

@testable import Gateway

@Suite("What an event loop has heard of cooldowns")
struct KnownCooldownsTests {
    private let west = DeploymentID(endpoint: "west", deployment: "gpt-4o")
    private let east = DeploymentID(endpoint: "east", deployment: "gpt-4o")

    @Test("a deployment comes last while it cools, and is looked at again after a second")
    func belief() {
        var known = KnownCooldowns()
        known.note(west, cooldown: 400, now: 100)
        known.note(east, cooldown: 30_000, now: 100)
        #expect(known.until(west) == 500)
        #expect(known.until(east) == 1100)
        #expect(known.left(now: 200) == [west: 300, east: 29_900])
        known.note(east, cooldown: 28_900, now: 1200)
        #expect(known.until(east) == 2200)
        known.note(east, cooldown: 0, now: 1300)
        #expect(known.until(east) == 0)
    }

    @Test("what one request met does not shorten what the coordinator said")
    func failures() {
        var known = KnownCooldowns()
        known.note(west, cooldown: 800, now: 0)
        known.noteFailure(west, cooldown: 100, now: 10)
        #expect(known.left(now: 10) == [west: 790])
        known.noteFailure(west, cooldown: 5000, now: 10)
        #expect(known.left(now: 10) == [west: 5000])
        known.noteFailure(east, cooldown: 5, now: 10)
        #expect(known.until(east) == 15)
    }

    @Test("when the last of them is over, all are forgotten")
    func over() {
        var known = KnownCooldowns()
        let isOverAtFirst = known.areOver(now: 0)
        #expect(isOverAtFirst)
        known.note(west, cooldown: 100, now: 0)
        let isOverBefore = known.areOver(now: 99)
        let isOverThen = known.areOver(now: 100)
        #expect(!isOverBefore && isOverThen)
        #expect(known.left(now: 0).isEmpty)
    }
}
