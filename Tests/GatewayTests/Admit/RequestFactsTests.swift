import TestSupport
import Testing
import Transport

@testable import Gateway

@Suite("The facts of a request", .timeLimit(.minutes(5)))
struct RequestFactsTests {
    private typealias Content = RequestFacts.Content

    private let reader = JSONRequestReader()

    private func facts(_ text: String) throws -> RequestFacts { try reader.read(.of(text)).get().facts }

    private func content(_ text: String) throws -> RequestFacts.Content { try facts(text).content }

    // MARK: content

    @Test(
        "count the text of a message without JSON's escapes",
        arguments: [
            ("", 0, 0), ("abc", 3, 0), (#"a\nb"#, 3, 0), (#"\\\\"#, 2, 0), (#"\\u0041"#, 6, 0), (#"\u0041"#, 1, 0),
            (#"\"\\\""#, 3, 0), ("höhe", 3, 2), (#"h\u00f6he"#, 3, 2), ("日本", 0, 6), (#"\u65e5\u672C"#, 0, 6),
            ("😀", 0, 4), (#"\ud83d\ude00"#, 0, 4), (#"\\\n\\n"#, 4, 0), ("a b c d e f g h i j k l m n o p", 31, 0),
        ]
    )
    func escapes(text: String, ascii: Int, wide: Int) throws {
        let expected = Content(asciiBytes: ascii, wideBytes: wide, messages: 1)
        #expect(try content("{\"messages\":[{\"role\":\"user\",\"content\":\"\(text)\"}]}") == expected)
        #expect(try content("{\"input\":\"\(text)\"}") == expected)
        #expect(try content("{\"prompt\":\"\(text)\",\"model\":\"m\"}") == expected)
        // The same at every place within the blocks in which it is counted.
        for padding in 0..<40 {
            let blanks = String(repeating: " ", count: padding)
            let padded = Content(asciiBytes: ascii + 2 * padding, wideBytes: wide, messages: 1)
            #expect(try content("{\"input\":\"\(blanks)\(text)\(blanks)\"}") == padded)
        }
    }

    @Test("count as a slow reader does, whatever the text", arguments: [31, 32, 33])
    func random(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let pieces = [
            "a", " ", "\\n", "\\\\", "\\\"", "ö", "日", "\\u00e9", "\\u65e5", "\\ud83d\\ude00", "😀", "word ", "{[,]}",
            String(repeating: "A1+/", count: 15), String(repeating: "f0", count: 32),
            String(repeating: "Zz9_", count: 25),
            "xy", ".", "=",
        ]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            let found = try content("{\"input\":\"\(text)\"}")
            #expect(found == Self.slowly(text), "\(text)")
        }
    }

    /// Byte by byte, and from the words of the definitions.
    private static func slowly(_ text: String) -> RequestFacts.Content {
        var content = RequestFacts.Content(messages: 1)
        var run = 0
        var rest = Array(text.utf8)[...]
        func endRun() {
            if run >= 64 {
                content.denseBytes += run
                content.asciiBytes -= run
            }
            run = 0
        }
        while let byte = rest.popFirst() {
            let isDigit =
                byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
            if isDigit || "+/-_=".utf8.contains(byte) { run += 1 } else { endRun() }
            if byte >= 0x80 {
                content.wideBytes += 1
            } else if byte == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u") {
                let value = Int(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16)!
                rest = rest.dropFirst(4)
                if value < 0x80 {
                    content.asciiBytes += 1
                } else {
                    content.wideBytes += value < 0x800 || (0xD800...0xDFFF).contains(value) ? 2 : 3
                }
            } else {
                content.asciiBytes += 1
            }
        }
        endRun()
        return content
    }

    @Test("tell long runs of base64 and hexadecimal digits from words, wherever they stand")
    func dense() throws {
        for length in [1, 16, 48, 63, 64, 65, 79, 80, 81, 127, 128, 200, 1_000] {
            let run = String((0..<length).map { Array("ABCDwxyz0189+/-_")[$0 % 16] })
            for before in 0..<20 {
                let text = String(repeating: "x ", count: before) + run + " end."
                let found = try content("{\"input\":\"\(text)\"}")
                #expect(found.denseBytes == (length >= 64 ? length : 0), "\(length) behind \(before)")
                #expect(found.asciiBytes + found.denseBytes == text.utf8.count)
            }
        }
        let compact = String(repeating: #"{\"name\":\"value\",\"count\":12345},"#, count: 50)
        #expect(try content("{\"input\":\"\(compact)\"}").denseBytes == 0, "compact JSON is made of words")
        let code = String(repeating: "foo(bar,baz[1]);", count: 50)
        #expect(try content("{\"input\":\"\(code)\"}").denseBytes == 0)
    }

    private static let dataURL = "data:image/png;base64," + String(repeating: "iVBORw0K", count: 1_000)

    @Test(
        "count images, sound and files, and nothing of their bytes",
        arguments: [
            (
                #"{"messages":[{"role":"user","content":[{"type":"text","text":"abc"},"#
                    + #"{"type":"image_url","image_url":{"url":"\#(dataURL)","detail":"low"}},"#
                    + #"{"type":"image_url","image_url":{"url":"https://host/a.png"}}]}]}"#,
                Content(asciiBytes: 3, messages: 1, images: 2)
            ),
            (
                #"{"input":[{"role":"user","content":[{"type":"input_text","text":"abc"},"#
                    + #"{"type":"input_image","image_url":"\#(dataURL)"},"#
                    + #"{"type":"input_file","file_data":"\#(dataURL)"},{"type":"input_file","file_id":"file-1"}]}]}"#,
                Content(asciiBytes: 3, messages: 1, images: 1, files: 2)
            ),
            (
                #"{"messages":[{"role":"user","content":[{"type":"input_audio","#
                    + #""input_audio":{"data":"\#(dataURL)","format":"wav"}}]}]}"#,
                Content(messages: 1, audios: 1)
            ),
            (#"{"messages":[{"content":"\#(dataURL)"}]}"#, Content(messages: 1)),
        ] as [(String, RequestFacts.Content)]
    )
    func media(text: String, expected: RequestFacts.Content) throws { #expect(try content(text) == expected) }

    @Test(
        "count what the APIs call a prompt",
        arguments: [
            (#"{"prompt":["abc","de"]}"#, Content(asciiBytes: 5)),
            (#"{"prompt":[1,2,3]}"#, Content(tokens: 3)),
            (#"{"input":[[1,2,3],[4,5]]}"#, Content(tokens: 5)),
            (#"{"input":"abc","instructions":"defg"}"#, Content(asciiBytes: 7, messages: 2)),
            (
                #"{"input":[{"type":"function_call_output","call_id":"c","output":"abcd"}]}"#,
                Content(asciiBytes: 4, messages: 1)
            ),
            (#"{"input":[{"type":"reasoning","encrypted_content":"abcd"}]}"#, Content(asciiBytes: 6, messages: 1)),
            (
                #"{"messages":[{"role":"assistant","tool_calls":[{"id":"x","type":"function","#
                    + #""function":{"name":"ab","arguments":"{}"}}]},{"role":"tool","tool_call_id":"x","content":"abc"}]}"#,
                Content(asciiBytes: 7, messages: 2)
            ),
            (#"{"tools":[{"type":"function"}]}"#, Content(asciiBytes: 21)),
            (#"{"response_format": {"a" : "b"} }"#, Content(asciiBytes: 11)),
            (#"{"user":"abc","metadata":{"a":"b"},"stop":["x"]}"#, Content()),
            (#"{"messages":null,"input":null,"prompt":{},"tools":null}"#, Content(asciiBytes: 4, messages: 1)),
        ] as [(String, RequestFacts.Content)]
    )
    func prompts(text: String, expected: RequestFacts.Content) throws { #expect(try content(text) == expected) }

    // MARK: numbers

    @Test(
        "take the largest limit of the answer and the largest number of choices",
        arguments: [
            (#"{"max_tokens":1,"max_completion_tokens":10000}"#, 10_000, 1),
            (#"{"max_completion_tokens":10000,"max_tokens":1}"#, 10_000, 1),
            (#"{"max_output_tokens":7,"n":3}"#, 7, 3), (#"{"n":2,"best_of":5}"#, nil, 5),
            (#"{"max_tokens":5,"max_tokens":4}"#, 5, 1), (#"{"max_tokens":0,"n":0}"#, nil, 1),
            (#"{"max_tokens":-5,"n":-1}"#, nil, 1), (#"{"max_tokens":null,"n":null}"#, nil, 1),
            (#"{"max_tokens":"9","n":"2"}"#, nil, 1), (#"{"max_tokens":[9],"n":{"a":2}}"#, nil, 1),
            (#"{"max_tokens":1e3,"n":2.9}"#, 1_000, 2),
            (#"{"max_tokens":99999999999999999999,"n":1e300}"#, RequestFacts.mostTokens, RequestFacts.mostTokens),
            (#"{"max_tokens":9223372036854775807}"#, RequestFacts.mostTokens, 1),
            (#"{"a":{"max_tokens":9,"n":9}}"#, nil, 1),
        ] as [(String, Int?, Int)]
    )
    func numbers(text: String, maxOutput: Int?, choices: Int) throws {
        let found = try facts(text)
        #expect(found.maxOutput == maxOutput)
        #expect(found.choices == choices)
    }

    // MARK: harm

    @Test(
        "are not read from a prompt that is no JSON",
        arguments: [
            #"{"messages":[{"content" "x"}]}"#, #"{"messages":[{"content":"x",}]}"#, #"{"messages":[{]}"#,
            #"{"messages":[{"a":1}"#, #"{"input":[1,2}"#, #"{"prompt":["a" "b"]}"#, #"{"max_tokens":1x}"#,
            #"{"stream_options":{"include_usage" true}}"#,
        ]
    )
    func invalid(text: String) { #expect(reader.read(.of(text)).refusal == "400 InvalidRequest") }

    @Test("count what nests too deeply as text, and come back from 100,000 levels")
    func depth() throws {
        for levels in [1, 5, 11, 12, 13, 100, 100_000] {
            let arrays = String(repeating: "[", count: levels) + "\"abcd\"" + String(repeating: "]", count: levels)
            let objects =
                String(repeating: "{\"a\":", count: levels) + "\"abcd\"" + String(repeating: "}", count: levels)
            for nested in [arrays, objects] {
                for name in ["messages", "input", "prompt", "tools", "instructions", "stream_options", "max_tokens"] {
                    let found = try facts("{\"\(name)\":\(nested),\"n\":2}")
                    #expect(found.choices == 2)
                    #expect(found.content.asciiBytes <= nested.utf8.count)
                    if name == "messages" || name == "tools" { #expect(found.content.asciiBytes >= 4) }
                }
            }
        }
    }

    @Test("of a body that is not read are those of a text as long")
    func unread() {
        #expect(RequestFacts(unread: 100).content == Content(asciiBytes: 100, messages: 1))
        #expect(RequestFacts(unread: 100).maxOutput == nil)
    }

    @Test("never fail the process, whatever is done to a request", arguments: [41, 42])
    func broken(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let good = Array(
            (#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a\u00e9\n日 "},"#
                + #"{"type":"image_url","image_url":{"url":"data:x"}}]}],"tools":[{"type":"function","function":{"name":"f"}}],"#
                + #""stream":true,"stream_options":{"include_usage":false},"max_tokens":12,"n":2}"#).utf8
        )
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0...Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] = Array("\"{}[]:,\\u0 ".utf8).randomElement(using: &random)!
                case 2: bytes.remove(at: at)
                default: bytes = Array(bytes[..<max(at, 1)])
                }
            }
            if case .success(let request) = reader.read(.of(bytes)) {
                accepted += 1
                for range in [
                    request.facts.streamOptions.range, request.facts.streamOptions.includeUsageRange,
                    request.facts.streamOptions.streamRange,
                ] {
                    #expect(range.upperBound <= bytes.count)
                }
            }
        }
        #expect(accepted > 100, "some of them are still requests")
        #expect(try facts(String(decoding: good, as: UTF8.self)).choices == 2)
    }
}
