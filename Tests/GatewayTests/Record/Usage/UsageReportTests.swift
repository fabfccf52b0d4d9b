import Coordination
import Testing

@testable import Gateway

@Suite("The report of usage")
struct UsageReportTests {
    private static let rows = [
        UsageLedgerRow(
            day: 20_260_331,
            client: "team-a",
            model: "gpt-4o",
            endpoint: "sweden",
            deployment: "ptu",
            counts: ["req": 2, "in": 1_000_001, "cached": 400_000, "out": 10, "429": 1]
        ),
        UsageLedgerRow(
            day: 20_260_401,
            client: "team-a",
            model: "gpt-4o",
            endpoint: "us",
            deployment: "paygo",
            counts: ["req": 1, "in": 100, "out": 3, "est": 103]
        ),
        UsageLedgerRow(
            day: 20_260_401,
            client: "team-b",
            model: "whisper",
            endpoint: "us",
            deployment: "whisper",
            counts: ["req": 1, "ms": 90_000]
        ),
    ]

    private static let prices = """
        currency: EUR
        prices:
          gpt-4o: {input: 2.50, cached_input: 1.25, output: 10.00}
          us/paygo: {input: 3, output: 0.000001}
          whisper: {minute: 0.006}
        """

    @Test("adds up, with costs in millionths that agree whatever is told apart")
    func sums() throws {
        let prices = try PriceList(text: Self.prices)
        var totals: Set<Int64> = []
        for columns: [UsageReport.Column] in [[], [.client], [.client, .model, .deployment], [.day, .endpoint]] {
            let report = UsageReport(Self.rows, by: columns, prices: prices)
            #expect(report.total.requests == 4)
            #expect(report.total.input == 1_000_101)
            #expect(report.rows.reduce(0) { $0 + ($1.cost ?? 0) } == report.total.cost)
            totals.insert(try #require(report.total.cost))
        }
        // 600,001 x 2.5 + 400,000 x 1.25 + 10 x 10 = 2,000,102.5; 100 x 3 + 3 x 0.000001; a minute and a half.
        #expect(totals == Set([2_000_103 + 300 + 9_000] as [Int64]))
    }

    @Test("is a table that is aligned and ends with its total")
    func table() throws {
        let report = UsageReport(Self.rows, by: [.client, .model], prices: try PriceList(text: Self.prices))
        let lines = report.text(.table).split(separator: "\n")
        #expect(lines.count == 6)
        #expect(Set(lines.map(\.count)).count == 1)
        #expect(lines[0].hasPrefix("client  model"))
        #expect(lines[0].hasSuffix("cost_eur"))
        #expect(lines[5].hasPrefix("total"))
        #expect(lines[5].hasSuffix("2.009403"))
        #expect(report.text(.csv).hasPrefix("client,model,requests,input_tokens,"))
        #expect(report.text(.json).contains("\"cost_micros\":2009403"))
    }

    @Test(
        "refuses prices that it would misunderstand",
        arguments: [
            "prices: {}", "currency: EUR", "currency: EUR\nprices: {a: {input: 1,5}}",
            "currency: EUR\nprices: {a: {input: 1.1234567}}", "currency: EUR\nprices: {a: {inputs: 1}}",
            "currency: EUR\nprices: {a: {input: -1}}", "currency: EUR\nprices: {a: 1}", "a: [",
        ]
    )
    func refused(text: String) {
        #expect(throws: UsageReportError.self) { try PriceList(text: text) }
    }
}
