import Testing

@testable import Coordination

@Suite("The usage counters in Redis")
struct UsageLedgerTests {
    @Test("are read under the names that they were booked under")
    func names() {
        let line = Usage.line(
            model: "a/b: {c}",
            deployment: DeploymentID(endpoint: "Sweden Central", deployment: "gpt-4o%")
        )
        let rows = UsageLedger.rows(20_260_331, "team", ["\(line):req", "2", "\(line):in", "7", "old/dep:out", "3"])
        #expect(rows.count == 2)
        let new = rows.first { $0.model == "a/b: {c}" }
        #expect(new?.endpoint == "Sweden Central")
        #expect(new?.deployment == "gpt-4o%")
        #expect(new?.counts == ["req": 2, "in": 7])
        let old = rows.first { $0.model.isEmpty }
        #expect(old?.endpoint == "old")
        #expect(old?.counts == ["out": 3])
    }
}
