import TestSupport
import Testing

@testable import Gateway

@Suite("Events that are known by the one before")
struct EventPatternTests {
    /// What a reader makes of a stream, in one piece or byte by byte. No event that comes in pieces is compared.
    private struct Outcome: Equatable {
        var usage: TokenUsage?
        var finish: AnswerFinish?
        var model: String?
        var tier: ServiceTier?
        var error: AnswerError?
        var isDone: Bool
        var hasContent: Bool
        var textBytes: Int
        var lastEvent: UsageReader.Event

        init(_ reader: UsageReader) {
            usage = reader.usage
            finish = reader.finish
            model = reader.model
            tier = reader.serviceTier
            error = reader.error
            isDone = reader.isDone
            hasContent = reader.hasContent
            textBytes = reader.textBytes
            lastEvent = reader.lastEvent
        }
    }

    private func whole(_ stream: [UInt8]) -> Outcome {
        var reader = UsageReader(.eventStream)
        stream.withUnsafeBytes { reader.read($0) }
        return Outcome(reader)
    }

    private func bytewise(_ stream: [UInt8]) -> Outcome {
        var reader = UsageReader(.eventStream)
        for byte in stream { withUnsafeBytes(of: byte) { reader.read($0) } }
        return Outcome(reader)
    }

    private static let chat = #"""
        data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"TEXT"},"finish_reason":null,"index":0,"logprobs":null}],"created":1732000000,"id":"chatcmpl-A1","model":"gpt-4o-2024-11-20","object":"chat.completion.chunk","obfuscation":"PAD","system_fingerprint":"fp_1"}
        """#
    private static let response = #"""
        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":12,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"TEXT","logprobs":[],"obfuscation":"PAD"}
        """#

    private func event(_ shape: String, _ text: String, pad: String = "x") -> String {
        shape.replacing("TEXT", with: text).replacing("PAD", with: pad) + "\n\n"
    }

    @Test("are found again with another text", arguments: [chat, response])
    func found(shape: String) {
        var pattern = EventPattern()
        var json = AnswerJSON()
        let first = Array(event(shape, "Hello").utf8)
        let start = shape.utf8.firstIndex(of: UInt8(ascii: "{")).map {
            shape.utf8.distance(from: shape.startIndex, to: $0)
        }!
        json.wantsModel = false
        first.withUnsafeBytes { json.read(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        first.withUnsafeBytes { pattern.learn($0, json.gaps, offset: start) }
        for (text, bytes) in [("", 0), (" wörld", 7), (#"\n\u00e9\"\\ }]"#, 8), ("a much longer text than before", 30)]
        {
            let next = Array((event(shape, text, pad: #"a\"b"#) + "data: more").utf8)
            next.withUnsafeBytes {
                let found = pattern.match($0, from: 0)
                #expect(found?.end == next.count - 10, "\(text)")
                #expect(found?.counted == bytes, "\(text)")
                for end in 0..<next.count - 10 {
                    #expect(pattern.match(UnsafeRawBufferPointer(rebasing: $0[..<end]), from: 0) == nil)
                }
            }
        }
    }

    @Test(
        "are read where they say more",
        arguments: [
            #""finish_reason":"stop""#, #""finish_reason":null,"usage":{"total_tokens":5}"#, #""error":{"code":"x"}"#,
        ]
    )
    func more(member: String) {
        let stream = (0..<3).map { event(Self.chat, "word \($0)") }.joined()
        let last = event(Self.chat, "last").replacing(#""finish_reason":null"#, with: member)
        #expect(whole(Array((stream + last).utf8)) == bytewise(Array((stream + last).utf8)))
    }

    @Test(
        "mean what they mean when they are read, whatever is changed in them",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func changed(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let texts = ["", "a", " word", #"\n"#, #"\u00e9\ud83d\ude00"#, "日本語 text", #"\"quoted\""#, "}]{[", "data: x"]
        let pieces: [UInt8] = Array(#""\{}[],:0e-u\#n\#r a"#.utf8)
        for _ in 0..<400 {
            let shape = Bool.random(using: &random) ? Self.chat : Self.response
            var stream: [UInt8] = []
            for _ in 0..<6 {
                var bytes = Array(
                    event(shape, texts.randomElement(using: &random)!, pad: texts.randomElement(using: &random)!).utf8
                )
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let at = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: bytes[at] = pieces.randomElement(using: &random)!
                    case 1: bytes.insert(pieces.randomElement(using: &random)!, at: at)
                    default: bytes.remove(at: at)
                    }
                }
                stream += bytes
            }
            let (first, second) = (whole(stream), bytewise(stream))
            if first != second {
                Issue.record(
                    "\(first) and not \(second) of \(String(decoding: stream, as: UTF8.self).debugDescription)"
                )
            }
        }
    }
}
