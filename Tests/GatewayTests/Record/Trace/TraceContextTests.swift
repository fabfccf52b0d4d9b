import Testing

@testable import Gateway

@Suite("A trace's context")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test("is read as it is written", arguments: [("00", false), ("01", true), ("02", false), ("ff", true)])
    func flags(flags: String, isSampled: Bool) throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-\(flags)"))
        #expect(context.id.description == Self.trace)
        #expect(context.parent == 0x00f0_67aa_0ba9_02b7)
        #expect(context.isSampled == isSampled)
        #expect(context.traceparent(span: 1) == "00-\(Self.trace)-0000000000000001-\(isSampled ? "01" : "00")")
    }

    @Test("of a later version is read as far as this one goes")
    func laterVersion() {
        #expect(TraceContext(traceparent: "01-\(Self.trace)-\(Self.span)-01") != nil)
        #expect(TraceContext(traceparent: "fe-\(Self.trace)-\(Self.span)-01-more") != nil)
        #expect(TraceContext(traceparent: "01-\(Self.trace)-\(Self.span)-01more") == nil)
        #expect(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01-more") == nil)
    }

    @Test(
        "is nothing where it is malformed",
        arguments: [
            "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-0", "00-\(trace)-\(span)-0g",
            "ff-\(trace)-\(span)-01", "0-\(trace)-\(span)-001", "00-\(trace.uppercased())-\(span)-01",
            "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
            "00-\(trace)_\(span)-01", "00_\(trace)-\(span)-01", "00-\(trace)-\(span)_01", " 00-\(trace)-\(span)-01",
            "00-\(trace)-\(span)-01 ", "00-\(trace)-\(span)-\u{301}1", "00-\(trace)-\(span)-é",
            String(repeating: "0", count: 55), String(repeating: "-", count: 55),
            String(repeating: "a", count: 100_000),
        ]
    )
    func malformed(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test("is nothing where any byte of it is another")
    func everyByte() {
        let good = Array("00-\(Self.trace)-\(Self.span)-01".utf8)
        for index in good.indices {
            var bytes = good
            bytes[index] = UInt8(ascii: "x")
            #expect(TraceContext(traceparent: String(decoding: bytes, as: UTF8.self)) == nil)
        }
    }

    @Test("keeps the state of others up to a bound", arguments: [(0, false), (1, true), (512, true), (513, false)])
    func state(length: Int, isKept: Bool) throws {
        let state = String(repeating: "a", count: length)
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01", state: state))
        #expect(context.state == (isKept ? state : nil))
    }

    @Test("is sampled as its caller decides, if callers decide", arguments: [true, false], [0.0, 1.0])
    func callers(isSampled: Bool, ratio: Double) {
        let context = TraceContext(id: TraceID(high: 1, low: 1), parent: 1, isSampled: isSampled)
        var following = TraceSampler(ratio: ratio, followsCallers: true, seed: 1)
        #expect(following.samples(caller: context) == isSampled)
        #expect(following.samples(caller: nil) == (ratio == 1))
        var deciding = TraceSampler(ratio: ratio, followsCallers: false, seed: 1)
        #expect(deciding.samples(caller: context) == (ratio == 1))
    }

    @Test("is sampled as often as the ratio says", arguments: [0.01, 0.25, 0.5, 0.999])
    func ratio(ratio: Double) {
        var sampler = TraceSampler(ratio: ratio, followsCallers: true, seed: 42)
        let count = 100_000
        let sampled = (0..<count).filter { _ in sampler.samples(caller: nil) }.count
        // Six standard deviations of a fair draw.
        let bound = 6 * (Double(count) * ratio * (1 - ratio)).squareRoot()
        #expect(abs(Double(sampled) - Double(count) * ratio) < bound)
    }
}
