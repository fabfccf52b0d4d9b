import Testing

@testable import Gateway

@Suite("Changes of operators, as a replica hears of them")
struct OperatorChangesTests {
    @Test("are news once, the oldest first, and not if they were there before")
    func news() {
        var changes = OperatorChanges()
        #expect(changes.new(in: nil) == [])
        #expect(changes.new(in: ["b", "a"]) == [])
        #expect(changes.new(in: ["b", "a"]) == [])
        #expect(changes.new(in: nil) == [])
        #expect(changes.new(in: ["d", "c", "b", "a"]) == ["c", "d"])
        #expect(changes.new(in: ["d", "c"]) == [])
    }

    @Test("are all news where there were none, or where what was known is gone")
    func first() {
        var changes = OperatorChanges()
        #expect(changes.new(in: []) == [])
        #expect(changes.new(in: ["b", "a"]) == ["a", "b"])
        #expect(changes.new(in: ["d", "c"]) == ["c", "d"])
    }
}
