import Testing

@testable import LoadTool

@Suite("A condition to fail")
struct FailConditionTests {
    @Test(
        "is read in every form",
        arguments: [
            ("p99>50ms", FailCondition.Metric.time(.total, .latency, .p99), FailCondition.Comparison.greater, 50.0),
            ("first_token.p99.9 >= 1s", .time(.total, .firstToken, .p999), .greaterOrEqual, 1_000),
            ("client.team-a.p50<1us", .time(.client("team-a"), .latency, .p50), .less, 0.001),
            ("client.a.b.refused==0", .count(.client("a.b"), .refused), .equal, 0),
            ("target.127.0.0.1:80.errors>0", .count(.target("127.0.0.1:80"), .errors), .greater, 0),
            ("model.gpt-4.1.service.max<=2m", .time(.model("gpt-4.1"), .service, .max), .lessOrEqual, 120_000),
            ("error_rate>1%", .count(.total, .errorRate), .greater, 0.01),
            ("throughput<20k", .count(.total, .throughput), .less, 20_000),
            ("overshoot>0.02", .whole(.overshoot), .greater, 0.02),
            ("lag>5ms", .whole(.lag), .greater, 5),
            ("books!=0", .whole(.books), .notEqual, 0),
        ]
    )
    func forms(text: String, metric: FailCondition.Metric, comparison: FailCondition.Comparison, value: Double) throws {
        let condition = try #require(FailCondition(text))
        #expect(condition.metric == metric)
        #expect(condition.comparison == comparison)
        #expect(abs(condition.value - value) < 1e-9)
    }

    @Test(
        "is refused when it is none",
        arguments: [
            "", "p99", "p99>", ">5ms", "p99>fast", "p99>50", "p98>5ms", "client.>1", "client.a>1", "errors>5ms",
            "p99=5ms", "speed>1",
        ]
    )
    func refusals(text: String) { #expect(FailCondition(text) == nil) }

    @Test("holds or not by the figures of the run")
    func judging() throws {
        var tally = Tally()
        for index in 0..<100 {
            tally.record(outcome(milliseconds: Double(index + 1), status: index < 90 ? 200 : index < 95 ? 429 : 500))
        }
        let result = result(tally: tally)
        func isMet(_ text: String) throws -> Bool? { try #require(FailCondition(text)).isMet(by: result) }
        #expect(try isMet("p50>44ms") == true)
        #expect(try isMet("p50>46ms") == false)
        #expect(try isMet("refused==5") == true)
        #expect(try isMet("errors>5") == false)
        #expect(try isMet("refusal_rate>=5%") == true)
        #expect(try isMet("error_rate>5%") == false)
        #expect(try isMet("throughput<9.5") == true)
        #expect(try isMet("client.a.requests==100") == true)
        // What the run does not have is neither.
        #expect(try isMet("client.b.requests==100") == nil)
        #expect(try isMet("first_token.p50>1s") == nil)
        #expect(try isMet("overshoot>0") == nil)
    }

    @Test("tells what was missing over any window from what was missing over the longest ones")
    func undershoot() throws {
        let windows = [(1.0, 0.25), (60, 0.002), (60, 0.004)].map { seconds, undershoot in
            RunResult.Window(
                client: "a",
                unit: "requests",
                seconds: seconds,
                allowed: 120,
                most: 100,
                mostAt: 0,
                least: 15,
                due: 20,
                overshoot: 0,
                undershoot: undershoot
            )
        }
        let result = result(tally: Tally(), windows: windows)
        #expect(try #require(FailCondition("undershoot>=25%")).isMet(by: result) == true)
        #expect(try #require(FailCondition("sustained_undershoot==0.4%")).isMet(by: result) == true)
        #expect(try #require(FailCondition("sustained_undershoot>1%")).isMet(by: result) == false)
    }
}
