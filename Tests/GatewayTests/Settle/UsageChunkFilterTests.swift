import Testing

@testable import Gateway

@Suite("The filter for a usage that nobody asked for", .timeLimit(.minutes(5)))
struct UsageChunkFilterTests {
    private func filtered(
        _ stream: [UInt8],
        cuts: [Int] = [],
        isFiltering: Bool = true,
        finishes: Bool = true
    ) -> (text: String, pieces: Int, held: Int) {
        var filter = UsageChunkFilter(UsageReader(.eventStream), isFiltering: isFiltering)
        var output: [UInt8] = []
        var pieces = 0
        var start = 0
        for end in cuts + [stream.count] {
            stream[start..<end].withUnsafeBytes { bytes in
                filter.pass(bytes) { piece in
                    output.append(contentsOf: piece)
                    pieces += 1
                }
            }
            start = end
        }
        let held = filter.heldBytes
        if finishes { filter.finish { output.append(contentsOf: $0) } }
        return (String(decoding: output, as: UTF8.self), pieces, held)
    }

    private static let usage =
        #"{"choices":[],"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#
    private static let word = #"{"choices":[{"delta":{"content":"a"}}],"usage":null}"#

    /// A stream, and what is left of it.
    static let streams: [(String, String)] = [
        ("data: \(word)\n\ndata: \(usage)\n\ndata: [DONE]\n\n", "data: \(word)\n\ndata: [DONE]\n\n"),
        (
            "data: \(word)\r\n\r\ndata: \(usage)\r\n\r\ndata: [DONE]\r\n\r\n",
            "data: \(word)\r\n\r\ndata: [DONE]\r\n\r\n"
        ),
        ("data: \(word)\r\rdata: \(usage)\r\rdata: [DONE]\r\r", "data: \(word)\r\rdata: [DONE]\r\r"),
        ("data: \(usage)\r\n\ndata: \(word)\n\r\ndata: \(usage)\n\r\n", "data: \(word)\n\r\n"),
        (": c\nevent: x\nid: 1\ndata: \(usage)\nretry: 1\n\n: d\n\n", ": d\n\n"),
        ("data: \(usage)\n\n\n\ndata: \(word)\n\n", "\n\ndata: \(word)\n\n"),
        ("data: \(usage)\n\n", ""), ("data: \(usage)", ""), ("data: \(usage)\n", ""), ("", ""),
        (
            "data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":1}}\n\ndata: \(word)\n\n",
            "data: \(word)\n\n"
        ),
        // Not what the gateway caused:
        (
            #"data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"# + "\n\n",
            #"data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"# + "\n\n"
        ),
        (
            #"data: {"choices":[],"prompt_filter_results":[],"usage":null}"# + "\n\n",
            #"data: {"choices":[],"prompt_filter_results":[],"usage":null}"# + "\n\n"
        ),
        (#"data: {"choices":[],"usage":{}}"# + "\n\n", #"data: {"choices":[],"usage":{}}"# + "\n\n"),
        (#"data: {"usage":{"prompt_tokens":1}}"# + "\n\n", #"data: {"usage":{"prompt_tokens":1}}"# + "\n\n"),
        (#"data: {"choices":[],"usage":{"prompt_tokens":1"#, #"data: {"choices":[],"usage":{"prompt_tokens":1"#),
        ("data: no json\n\nxyz\n\n:\n", "data: no json\n\nxyz\n\n:\n"),
    ]

    @Test("takes out that event alone, however the stream is cut", arguments: streams)
    func events(stream: String, rest: String) {
        let bytes = Array(stream.utf8)
        #expect(filtered(bytes).text == rest)
        #expect(filtered(bytes, cuts: Array(bytes.indices)).text == rest)
        for first in bytes.indices {
            let output = filtered(bytes, cuts: [first]).text
            if output != rest { Issue.record("\(output.debugDescription) when cut at \(first)") }
            let second = first + (bytes.count - first) / 2
            #expect(filtered(bytes, cuts: [first, second]).text == rest)
        }
        #expect(filtered(bytes, cuts: Array(bytes.indices), isFiltering: false).text == stream)
    }

    @Test("hands whole events on in one piece, and holds nothing of them")
    func pieces() {
        let word = Array("data: \(Self.word)\n\n".utf8)
        let words = Array(repeating: word, count: 10).flatMap { $0 }
        let result = filtered(words, finishes: false)
        #expect(result.pieces == 1)
        #expect(result.held == 0)
        let around = words + Array("data: \(Self.usage)\n\n".utf8) + words
        #expect(filtered(around, finishes: false).pieces == 2, "one piece before and one behind what is gone")
    }

    @Test("holds an event no longer than until its first choice")
    func decision() {
        let event = Array("data: \(Self.word)\n\n".utf8)
        let decided = "data: {\"choices\":[{".utf8.count
        for end in 1..<event.count {
            let result = filtered(Array(event[..<end]), finishes: false)
            #expect(result.held == (end < decided ? end : 0))
            #expect(result.text.utf8.count == (end < decided ? 0 : end))
        }
        #expect(filtered(Array("data: [".utf8), finishes: false).held == 0)
    }

    @Test("passes an event of which too much would have to be held, and is itself again for the next")
    func large() {
        let most = UsageChunkFilter.mostHeld
        for (size, isGone) in [(most - 200, true), (most + 1, false), (10 * most, false)] {
            let filler = String(repeating: "x", count: size)
            let event =
                Array(#"data: {"x":"\#(filler)","choices":[],"usage":{"prompt_tokens":1}}"#.utf8) + [0x0A, 0x0A]
            let stream = event + Array("data: \(Self.usage)\n\n".utf8)
            let cuts = Array(stride(from: 100, to: stream.count, by: 100))
            #expect(filtered(stream, cuts: cuts).text == (isGone ? "" : String(decoding: event, as: UTF8.self)))
        }
        let endless = Array(("data: " + String(repeating: "y", count: 100 * most)).utf8)
        let result = filtered(endless, cuts: Array(stride(from: 10, to: endless.count, by: 10)), finishes: false)
        #expect(result.held == 0)
        #expect(result.text.utf8.count == endless.count)
    }

    @Test("reads the usage that it takes out")
    func usage() {
        var filter = UsageChunkFilter(UsageReader(.eventStream), isFiltering: true)
        Array("data: \(Self.usage)\n\n".utf8).withUnsafeBytes {
            filter.pass($0) { _ in Issue.record("nothing is left") }
        }
        #expect(filter.reader.usage == TokenUsage(input: 1, output: 2, total: 3))
    }
}
