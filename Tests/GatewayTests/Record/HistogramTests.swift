import Coordination
import NIOCore
import Testing

@testable import Gateway

@Suite("A histogram")
struct HistogramTests {
    @Test("counts a time in the first bucket whose bound it does not exceed")
    func buckets() {
        var histogram = Histogram(bounds: [10, 20, 30])
        for time in [Int64(0), 10, 11, 20, 21, 30, 31, 1_000_000] { histogram.observe(.nanoseconds(time)) }
        #expect(histogram.counts == [2, 2, 2, 2])
        #expect(histogram.sum == 1_000_143 - 20)
        #expect(histogram.total == 8)
    }

    @Test("takes times that cannot be, such as those of a clock that went back")
    func oddTimes() {
        var histogram = Histogram(bounds: [10])
        histogram.observe(.nanoseconds(-5))
        histogram.observe(.nanoseconds(.max))
        #expect(histogram.counts == [1, 1])
    }

    @Test("adds up with another")
    func add() {
        var one = Histogram(bounds: [10, 20])
        var other = Histogram(bounds: [10, 20])
        one.observe(.nanoseconds(5))
        other.observe(.nanoseconds(5))
        other.observe(.nanoseconds(15))
        other.observe(.nanoseconds(25))
        one.add(other)
        #expect(one.counts == [2, 1, 1])
        #expect(one.sum == 50)
        #expect(other.counts == [1, 1, 1])
    }

    @Test("has bounds that ascend", arguments: [Histogram.timeBounds, Histogram.lagBounds])
    func bounds(bounds: [Int64]) {
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        #expect(Histogram.timeBounds.first == 1_000_000)
        #expect(Histogram.timeBounds.last == 600_000_000_000)
        #expect(Histogram.lagBounds.first == 100_000)
        #expect(Histogram.lagBounds.last == 1_000_000_000)
    }
}
