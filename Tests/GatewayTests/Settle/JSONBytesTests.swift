import TestSupport
import Testing

@testable import Gateway

@Suite("Quick looks through JSON")
struct JSONBytesTests {
    /// Where the bracket is that closes a skipped object, by its definition; `nil` if it does not come.
    private func end(_ bytes: [UInt8]) -> Int? {
        var open = 1
        var isInString = false
        var isEscaped = false
        for (index, byte) in bytes.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if isInString {
                isInString = byte != UInt8(ascii: "\"")
                isEscaped = byte == UInt8(ascii: "\\")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): open -= 1
                default: break
                }
                if open == 0 { return index + 1 }
            }
        }
        return nil
    }

    /// The same by `Nest`, from pieces that end at `cuts`.
    private func quickEnd(_ bytes: [UInt8], cuts: [Int]) -> Int? {
        var nest = JSONBytes.Nest()
        var start = 0
        for cut in cuts + [bytes.count] {
            let end = bytes[start..<cut].withUnsafeBytes { nest.skip($0, 0) }
            if nest.isClosed { return start + end }
            #expect(end == cut - start)
            start = cut
        }
        return nil
    }

    /// Bytes that matter among bytes that do not, few or many; some like Azure's, some like nothing.
    private func bytes(_ random: inout SplitMix) -> [UInt8] {
        let objects =
            #"{"hate":{"filtered":false,"severity":"safe"},"a\\":["\"}",[[]],{"t":"\\\\"}]},"logprobs":null,"x":[0.1,-2]"#
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            var bytes =
                Array((0..<Int.random(in: 0...4, using: &random)).map { _ in objects }.joined().utf8) + [0x7D, 0x7D]
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = Array(#""\[]{} "#.utf8).randomElement(
                    using: &random
                )!
            }
            return bytes
        case 1:
            let marks = Array(#""\[]{}"#.utf8)
            return (0..<Int.random(in: 0...150, using: &random)).map { _ in marks.randomElement(using: &random)! }
        default:
            let marks = Array(#"""\{{{}}[\#u{7B}]""#.utf8)
            let share = Int.random(in: 2...40, using: &random)
            return (0..<Int.random(in: 0...260, using: &random)).map { _ in
                Int.random(in: 0..<share, using: &random) == 0
                    ? marks.randomElement(using: &random)! : UInt8.random(in: 0...255, using: &random)
            }
        }
    }

    @Test(
        "skip what a look at each byte skips, whatever the bytes are and wherever they are cut",
        arguments: 1...4 as ClosedRange<UInt64>
    )
    func skip(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var closed = 0
        for _ in 0..<500 {
            let bytes = bytes(&random)
            let expected = end(bytes)
            if let expected, expected > 64 { closed += 1 }
            var cuttings = (0...bytes.count).map { [$0] }
            cuttings.append(Array(0..<bytes.count))
            cuttings.append(Array(stride(from: 0, to: bytes.count, by: Int.random(in: 2...70, using: &random))))
            for cuts in cuttings where quickEnd(bytes, cuts: cuts) != expected {
                Issue.record("not \(expected ?? -1) from \(bytes) cut at \(cuts)")
            }
        }
        #expect(closed > 20, "some objects are longer than a block")
    }

    @Test("find the byte that ends a plain text, from every byte of texts of every length")
    func ends() {
        var random = SplitMix(seed: 5)
        for length in 0...70 {
            for _ in 0..<4 {
                var bytes = (0..<length).map { _ in UInt8.random(in: 0x20...0xFF, using: &random) }
                if length > 0, Bool.random(using: &random) {
                    bytes[Int.random(in: 0..<length, using: &random)] = [0x22, 0x5C, 0x00, 0x0A, 0x1F].randomElement(
                        using: &random
                    )!
                }
                bytes.withUnsafeBytes { bytes in
                    for start in 0...length {
                        let quote = bytes[start...].firstIndex { $0 == 0x22 || $0 == 0x5C } ?? length
                        let end = bytes[start...].firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? length
                        #expect(JSONBytes.nextQuoteOrBackslash(bytes, start) == quote)
                        #expect(JSONBytes.endOfPlainText(bytes, start) == end)
                    }
                }
            }
        }
    }

    @Test("find what has to be escaped, wherever it is", arguments: [1, 2, 15, 16, 17, 31, 32, 33, 47])
    func plain(length: Int) {
        #expect([UInt8]().withUnsafeBytes { JSONBytes.arePlain($0) })
        for at in 0..<length {
            var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
            for byte in 0...255 as ClosedRange<UInt8> {
                bytes[at] = byte
                let isPlain = (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                #expect(bytes.withUnsafeBytes { JSONBytes.arePlain($0) } == isPlain, "\(byte) at \(at)")
            }
        }
    }

    @Test("find the first byte in which two texts differ")
    func same() {
        var random = SplitMix(seed: 6)
        for length in 0...70 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            for differing in 0...length {
                var other = bytes + [1, 2, 3]
                other[differing] ^= 0x80
                let start = Int.random(in: 0...differing, using: &random)
                bytes.withUnsafeBytes { bytes in
                    other.withUnsafeBytes { other in
                        #expect(JSONBytes.sameBytes(bytes, start, as: other, start) == differing - start)
                        #expect(JSONBytes.sameBytes(other, start, as: bytes, start) == differing - start)
                    }
                }
            }
        }
    }

    @Test(
        "compare names whole",
        arguments: [
            "", "n", "id", "top", "text", "model", "refusal", "response", "completed", "prompt_tokens",
            "reasoning_tokens", "reasoning_content", "completion_tokens_details",
        ]
            as [StaticString]
    )
    func names(name: StaticString) {
        let bytes = Array(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        func isName(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { $0 == name } }
        #expect(isName(bytes))
        #expect(!isName(bytes + [0x20]))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(!isName(other))
            #expect(!isName(Array(bytes[..<index])))
        }
    }
}
