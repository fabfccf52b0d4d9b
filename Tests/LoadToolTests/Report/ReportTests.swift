import Foundation
import Histogram
import Testing

@testable import LoadTool

@Suite("The report")
struct ReportTests {
    private var sample: RunResult {
        var tally = Tally()
        for index in 1...1_000 {
            tally.record(outcome(milliseconds: Double(index), status: index % 10 == 0 ? 429 : 200))
        }
        tally.record(outcome(milliseconds: 5_000, status: 0, verdict: .failed(.timeout)))
        return result(tally: tally, timeline: timeline([(100, 5), (100, 6)]))
    }

    @Test("keeps times to three digits, and their curve never falls")
    func quantiles() throws {
        var latencies = Latencies.empty()
        for milliseconds in 1...100_000 { latencies.record(nanoseconds: Int64(milliseconds) * 1_000_000) }
        let quantiles = try #require(Quantiles(latencies))
        for (value, expected) in [(quantiles.p50, 50_000.0), (quantiles.p99, 99_000), (quantiles.p9999, 99_990)] {
            #expect(abs(value / expected - 1) < 0.001)
        }
        #expect(quantiles.count == 100_000)
        #expect(zip(quantiles.curve, quantiles.curve.dropFirst()).allSatisfy { $0[0] <= $1[0] && $0[1] <= $1[1] })
        #expect(quantiles.curve.count < 200)
        #expect(Quantiles(.empty()) == nil)
    }

    @Test("puts in the requests that a waiting caller did not send")
    func corrected() {
        // The published example: 100 s of a request each 10 ms, then one that takes 100 s.
        var latencies = Latencies.empty()
        for _ in 0..<10_000 { latencies.record(nanoseconds: 1_000_000) }
        latencies.record(nanoseconds: 100_000_000_000)
        let corrected = latencies.corrected(interval: 10_000_000)
        #expect(latencies.milliseconds(atPercentile: 99) ?? 0 < 1.01)
        #expect((19_990...20_010).contains(corrected.totalCount))
        #expect(abs((corrected.milliseconds(atPercentile: 75) ?? 0) / 50_000 - 1) < 0.005)
        #expect(abs((corrected.milliseconds(atPercentile: 99) ?? 0) / 98_000 - 1) < 0.005)
        #expect(latencies.corrected(interval: 0) == latencies)
    }

    @Test("records nothing below zero or above an hour")
    func clamped() {
        var latencies = Latencies.empty()
        latencies.record(nanoseconds: -5)
        latencies.record(nanoseconds: .max)
        #expect(latencies.valueAtPercentile(50) == 0)
        #expect(abs(Double(latencies.valueAtPercentile(100)) / 3.6e12 - 1) < 0.001)
    }

    @Test("counts a request that failed into the latency, and one that was refused not")
    func latency() throws {
        let latency = try #require(sample.total.latency)
        #expect(latency.count == 901)
        #expect(abs(latency.max - 5_000) < 10)
        #expect(sample.total.failures == ["timeout": 1])
        #expect(sample.total.refused == 100)
    }

    @Test("can be written and read again")
    func roundTrip() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "sluice-load-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try ResultFile.encode(sample).write(to: file)
        #expect(try ResultFile.read(file.path) == sample)
        try Data("{}".utf8).write(to: file)
        #expect { try ResultFile.read(file.path) } throws: { "\($0)".contains("is no result of sluice-load") }
        #expect { try ResultFile.read("/nowhere.json") } throws: { "\($0)".contains("cannot read /nowhere.json") }
    }

    @Test("is one page that no name in it can break, and that names no other address")
    func page() throws {
        let page = String(decoding: try HTMLReport.page(sample), as: UTF8.self)
        #expect(page.count { $0 == "\n" } > 100)
        #expect(!page.contains("placeholder\":true"))
        #expect(!page.contains("</script><b>"))
        #expect(page.contains("\\u003c/script>\\u003cb>") || page.contains("\\u003c\\/script>\\u003cb>"))
        for word in ["src=", "href=", "url(", "@import", "fetch("] { #expect(!page.contains(word)) }
        let start = try #require(page.firstRange(of: "type=\"application/json\">"))
        let end = try #require(page[start.upperBound...].firstRange(of: "</script>"))
        let json = Data(page[start.upperBound..<end.lowerBound].utf8)
        #expect(try JSONDecoder().decode(RunResult.self, from: json) == sample)
    }

    @Test("as text has all that matters")
    func summary() {
        let text = Summary(result: sample).text
        for part in ["x: open loop, 10.0 s", "requests", "1 timeout", "latency (from the intended start)", "p99.9"] {
            #expect(text.contains(part))
        }
        #expect(!text.contains(" \n"))
    }

    @Test(
        "writes numbers for people",
        arguments: [
            (Text.milliseconds(0.0123), "12.3 us"), (Text.milliseconds(12.345), "12.3 ms"),
            (Text.milliseconds(12_345), "12.3 s"),
            (Text.count(999), "999"), (Text.count(12_345), "12.3k"), (Text.count(3_000_000), "3.00M"),
            (Text.count(1.5), "1.50"),
            (Text.bytes(999), "999 B"), (Text.bytes(1_500), "1.50 kB"), (Text.percent(0.1234), "12.3 %"),
            (Text.fixed(-0.004, 2), "0.00"), (Text.fixed(-1.5, 1), "-1.5"), (Text.fixed(2.996, 2), "3.00"),
        ]
    )
    func numbers(text: String, expected: String) { #expect(text == expected) }

    @Test("says when the tool itself is the bottleneck")
    func bottlenecks() {
        var slow = Latencies.empty()
        for _ in 0..<100 { slow.record(nanoseconds: 20_000_000) }
        let lag = Quantiles(slow)
        #expect(Bottleneck.reasons(utilisation: 0.2, lag: nil, connectionWait: nil, latency: nil).isEmpty)
        #expect(Bottleneck.reasons(utilisation: 0.95, lag: nil, connectionWait: nil, latency: nil).count == 1)
        let late = Bottleneck.reasons(utilisation: 0.2, lag: lag, connectionWait: nil, latency: nil)
        #expect(late.count == 1 && late[0].contains("something else kept the machine"))
        #expect(Bottleneck.reasons(utilisation: 0.2, lag: nil, connectionWait: lag, latency: lag).count == 1)
    }

    @Test("shows a second in one line")
    func progress() {
        let second = timeline([(120, 5)])[0]
        let line = ProgressLine.text(second, elapsed: 1)
        #expect(line.contains("ok    120/s"))
        #expect(!line.contains("\n"))
    }
}
