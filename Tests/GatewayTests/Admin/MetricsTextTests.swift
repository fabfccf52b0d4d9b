import Coordination
import NIOCore
import Testing

@testable import Gateway

@Suite("Prometheus' text format")
struct MetricsTextTests {
    @Test("has a family's help and type, and a sample with and without labels")
    func samples() {
        var page = MetricsText()
        page.family("sluice_requests_total", "counter", "Exchanges ended.")
        page.sample("sluice_requests_total", 0)
        page.sample("sluice_requests_total", 12, labels: [("client", "a"), ("model", "")])
        let expected = """
            # HELP sluice_requests_total Exchanges ended.
            # TYPE sluice_requests_total counter
            sluice_requests_total 0
            sluice_requests_total{client="a",model=""} 12

            """
        #expect(page.text == expected)
    }

    @Test("has buckets that add up, in seconds, then sum and count")
    func histogram() {
        var histogram = Histogram(bounds: [100_000, 1_000_000, 2_500_000_000])
        for time in [Int64(100_000), 200_000, 300_000, 5_000_000_000] { histogram.observe(.nanoseconds(time)) }
        var page = MetricsText()
        page.histogram("lag_seconds", histogram, labels: [])
        page.histogram("time_seconds", histogram, labels: [("model", "m")])
        let expected = """
            lag_seconds_bucket{le="0.0001"} 1
            lag_seconds_bucket{le="0.001"} 3
            lag_seconds_bucket{le="2.5"} 3
            lag_seconds_bucket{le="+Inf"} 4
            lag_seconds_sum 5.0006
            lag_seconds_count 4
            time_seconds_bucket{model="m",le="0.0001"} 1
            time_seconds_bucket{model="m",le="0.001"} 3
            time_seconds_bucket{model="m",le="2.5"} 3
            time_seconds_bucket{model="m",le="+Inf"} 4
            time_seconds_sum{model="m"} 5.0006
            time_seconds_count{model="m"} 4

            """
        #expect(page.text == expected)
    }

    @Test(
        "escapes backslash, quote and line feed in labels, whatever follows them",
        arguments: [
            ("a\\b", #"a\\b"#), ("a\"b", #"a\"b"#), ("a\nb", #"a\nb"#), ("\\n", #"\\n"#), ("a\r\nb", "a\r\\nb"),
            ("\"\u{301}", "\\\"\u{301}"), ("\n\u{301}", "\\n\u{301}"), ("höhe", "höhe"), ("{,}=", "{,}="),
        ]
    )
    func escaping(value: String, escaped: String) {
        var page = MetricsText()
        page.sample("x", 1, labels: [("l", value)])
        #expect(page.text.unicodeScalars.elementsEqual("x{l=\"\(escaped)\"} 1\n".unicodeScalars))
    }

    @Test(
        "has a bucket for every bound of the gateway's histograms, readable as a number",
        arguments: [Histogram.timeBounds, Histogram.lagBounds]
    )
    func bounds(bounds: [Int64]) {
        var page = MetricsText()
        page.histogram("x", Histogram(bounds: bounds), labels: [])
        let found = page.text.matches(of: #/le="([^"]+)"/#).map { Double($0.output.1) }
        #expect(found == bounds.map { Double($0) / 1e9 } + [.infinity])
    }
}
