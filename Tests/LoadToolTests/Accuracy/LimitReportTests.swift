import Testing

@testable import LoadTool

@Suite("The report on limits")
struct LimitReportTests {
    private func scenario(_ clients: [(String, perMinute: Double, burst: Double)]) -> Scenario {
        var scenario = Scenario(
            name: "x",
            mode: .open(RateProfile(phases: [.init(from: 10, to: 10, seconds: 10)]), .constant),
            targets: [],
            clients: clients.map {
                .init(
                    name: $0.0,
                    share: 1,
                    credentials: [""],
                    limits: .init(requests: .init(perMinute: $0.perMinute, burst: $0.burst), tokens: nil)
                )
            },
            requests: []
        )
        scenario.windows = [1, 10, 60]
        return scenario
    }

    /// One each `every` milliseconds.
    private func spans(_ count: Int, every: Int64) -> [AdmissionSpan] {
        (0..<Int64(count)).map { .init(from: $0 * every * 1_000_000, to: ($0 * every + 1) * 1_000_000, tokens: 5) }
    }

    @Test("allows the burst and what the rate adds in a window; longer windows than the load are left out")
    func allowed() {
        let report = LimitReport(scenario: scenario([("a", 60, 5)]), seconds: 10)
        let windows = report.windows(spans: [spans(10, every: 1_000)], offered: [100])
        #expect(windows.map(\.seconds) == [1, 10])
        #expect(windows.map(\.allowed) == [6, 15])
        #expect(windows.map(\.most) == [1, 10])
        #expect(windows.allSatisfy { $0.overshoot == 0 })
    }

    @Test("tells by how much the fullest window is above")
    func overshoot() {
        let report = LimitReport(scenario: scenario([("a", 60, 5)]), seconds: 10)
        let windows = report.windows(spans: [spans(100, every: 100)], offered: [100])
        #expect(windows[0].most == 10)
        #expect(abs(windows[0].overshoot - 4.0 / 6) < 1e-9)
    }

    @Test("tells what is missing of what was due and asked for")
    func undershoot() {
        let report = LimitReport(scenario: scenario([("a", 60, 5)]), seconds: 10)
        #expect(report.windows(spans: [[]], offered: [100])[1].undershoot == 1)
        // Nobody asked for more: nothing is missing.
        let asked = report.windows(spans: [spans(2, every: 5_000)], offered: [2])
        #expect(asked[1].due == 2)
        #expect(asked[1].undershoot == 0)
    }

    @Test("is fair when each has the same part of what it is due")
    func fairness() throws {
        let report = LimitReport(scenario: scenario([("a", 60, 5), ("b", 600, 50)]), seconds: 10)
        #expect(report.fairness(spans: [[], []], admitted: [15, 150], offered: [500, 500]) == 1)
        let starved = try #require(report.fairness(spans: [[], []], admitted: [15, 0], offered: [500, 500]))
        #expect(starved == 0.5)
    }
}
