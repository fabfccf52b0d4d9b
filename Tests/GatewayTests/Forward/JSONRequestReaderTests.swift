import Testing
import Transport

@testable import Gateway

/// What a request is forwarded by.
private struct Naming: Equatable {
    var model: String?
    var modelRange: Range<Int>
    var stream: Bool
}

extension Result<JSONRequestReader.Request, GatewayError> {
    fileprivate var naming: Result<Naming, GatewayError> {
        map { Naming(model: $0.model, modelRange: $0.modelRange, stream: $0.stream) }
    }
}

@Suite("What a JSON request says about itself", .timeLimit(.minutes(5)))
struct JSONRequestReaderTests {
    private let reader = JSONRequestReader()

    private static let large =
        "{\"messages\":["
        + Array(repeating: #"{"role":"user","content":"\"model\": [1,{}]"}"#, count: 500).joined(separator: ",")
        + "],\"model\":7}"

    /// A body's text in front of the model's value, the value as it stands there, what it means, and the text behind it.
    static let places: [(String, String, String, String)] = [
        ("{\"model\":", "\"m\"", "m", "}"),
        ("{\"model\":", "\"gpt-4o\"", "gpt-4o", ",\"stream\":true}"),
        (" \t\r\n{ \"model\"\n:\t ", "\"m\"", "m", " \r\n , \"a\" : 1 } \n"),
        ("{\"a\":1,\"model\": ", "\"m\"", "m", "   }"),
        (
            "{\"a\":{\"model\":\"no\"},\"b\":[{\"model\":\"no\"}],\"model\":", "\"yes\"", "yes",
            ",\"c\":{\"model\":\"no\"}}"
        ),
        ("{\"model\":", #""a\"b\\c\/d\u0041\n""#, "a\"b\\c/dA\n", "}"),
        ("{\"model\":", #""\ud83d\ude00\u00e9""#, "\u{1F600}\u{E9}", "}"),
        ("{\"model\":", #""ends with \\""#, "ends with \\", " ,\"x\":\"\\\"\"}"),
        ("{\"model\":", "\"\"", "", "}"),
        ("{\"model\":", "\"höhe-日本\"", "höhe-日本", "}"),
        ("{\"höhe\":\"日本\",\"model\":", "\"m\"", "m", ",\"x\":\"日本\"}"),
        (#"{"mod\u0065l":"#, "\"m\"", "m", "}"),
        (#"{"\u006d\u006F\u0064\u0065\u006c":"#, "\"m\"", "m", ",\"modell\":1,\"mode\":2,\"\":3,\"Model\":4}"),
        ("{\"large\":\(large),\"model\":", "\"m\"", "m", ",\"more\":\(large)}"),
        ("{\"model\":", "\"\(String(repeating: "m", count: 10_000))\"", String(repeating: "m", count: 10_000), "}"),
        ("{\"n\":-1.5e+10,\"t\":true,\"f\":false,\"z\":null,\"e\":{},\"l\":[],\"model\":", "\"m\"", "m", "}"),
        ("{\"model\":", "\"{}[],:\"", "{}[],:", ",\"a\":[]}"),
    ]

    @Test("names its model, and the place of it to the byte", arguments: places)
    func model(before: String, value: String, model: String, after: String) throws {
        let body = BodyStorage.of(before + value + after)
        let request = try reader.read(body).get()
        #expect(request.model == model)
        #expect(request.modelRange == before.utf8.count..<(before + value).utf8.count)
        #expect(request.stream == after.contains("\"stream\":true"))
    }

    @Test("can have another model put in its place, and is otherwise the same to the byte", arguments: places)
    func splice(before: String, value: String, model: String, after: String) throws {
        for name in [
            "x", "a-much-longer-name-\(String(repeating: "y", count: 2_000))", "with \"quotes\" and \\ and \n", "日本",
        ] {
            let body = BodyStorage.of(before + value + after)
            let range = try reader.read(body).get().modelRange
            let quoted = JSONText.quoted(name)
            Array(quoted.utf8).withUnsafeBytes { body.replace(range, with: $0) }
            #expect(body.text == before + quoted + after)
            #expect(try reader.read(body).get().model == name)
        }
    }

    @Test(
        "may name no model",
        arguments: ["{}", " {} ", "{\"a\":1}", "{\"Model\":\"m\"}", "{\"a\":{\"model\":\"m\"}}", "{\"model \":\"m\"}"]
    )
    func noModel(text: String) {
        #expect(reader.read(.of(text)).naming == .success(.init(model: nil, modelRange: 0..<0, stream: false)))
    }

    @Test(
        "streams when it says true, and only then",
        arguments: [
            ("true", true), ("false", false), (" true ", true), ("\"true\"", false), ("1", false), ("null", false),
            ("{\"a\":[1]}", false), ("[true]", false), ("\"\"", false), ("-0.5", false),
        ]
    )
    func stream(value: String, isStream: Bool) throws {
        let expected = Naming(model: "m", modelRange: 9..<12, stream: isStream)
        #expect(try reader.read(.of("{\"model\":\"m\",\"stream\":\(value)}")).naming.get() == expected)
        #expect(try reader.read(.of("{\"str\\u0065am\":\(value),\"model\":\"m\"}")).get().stream == isStream)
        #expect(try reader.read(.of("{\"str\\u0065am\":\(value),\"model\":\"m\"}")).get().model == "m")
        #expect(try !reader.read(.of("{\"a\":{\"stream\":\(value)}}")).get().stream)
    }

    private func message(_ body: BodyStorage) -> String? {
        guard case .failure(let error) = reader.read(body), error.status == 400, error.code == "InvalidRequest" else {
            return nil
        }
        return error.message
    }

    @Test(
        "names one model: readers disagree on two",
        arguments: [
            "{\"model\":\"m\",\"model\":\"m\"}", "{\"model\":\"a\",\"x\":{},\"model\":\"b\"}",
            "{\"model\":\"m\",\"mod\\u0065l\":\"m\"}",
            "{\"mod\\u0065l\":\"m\",\"model\":1}", "{\"model\":\"a\",\"model\":null}",
        ]
    )
    func duplicates(text: String) {
        #expect(message(.of(text)) == "The request body has 'model' more than once.")
    }

    @Test(
        "names its model as a string",
        arguments: ["1", "null", "true", "{}", "[]", "[\"m\"]", "{\"model\":\"m\"}", "-1.5"]
    )
    func noString(value: String) {
        #expect(message(.of("{\"model\":\(value)}")) == "The value of 'model' in the request body is not a string.")
        #expect(
            message(.of("{\"a\":1,\"model\": \(value) ,\"b\":2}"))
                == "The value of 'model' in the request body is not a string."
        )
    }

    @Test(
        "is one JSON object and nothing else",
        arguments: [
            "", " ", "\n", "[]", "[{\"model\":\"m\"}]", "\"model\"", "1", "true", "null", "{", "}", "{\"model\"",
            "{\"model\":", "{\"model\":}",
            "{\"model\":\"m\"", "{\"model\":\"m", "{\"model\":\"m\",", "{\"model\":\"m\"]", "{\"model\":\"m\"}}",
            "{\"model\":\"m\"}{}",
            "{\"model\":\"m\"} x", "{\"model\":\"m\"},", "{\"model\":\"m\"}[]", "{\"model\":\"m\"}\"\"",
            "{\"model\":\"m\"}1",
            "{\"model\" \"m\"}", "{\"model\":\"m\" \"n\"}", "{\"model\":\"m\"x}", "{\"model\":\"m\"x\"}",
            "{model:\"m\"}", "{'model':'m'}",
            "{\"a\":1 \"model\":\"m\"}", "{\"model\":\"\\x\"}", "{\"model\":\"\\u12\"}", "{\"mod\\qel\":\"m\"}",
            "{\"model\":\"a\nb\"}",
            "{\"model\":\"m\"}\u{0}", "{\"model\":\"a\u{0}b\"}", "\u{0}{\"model\":\"m\"}", "{\"model\":\"m\"\u{0}}",
            "{\"model\"\u{0}:\"m\"}",
            "data: {\"model\":\"m\"}", "model=m", "<model>m</model>",
        ]
    )
    func invalid(text: String) {
        #expect(message(.of(text)) == "The request body is not a JSON object.")
    }

    @Test(
        "has no comma too many",
        arguments: ["{\"model\":\"m\",}", "{,\"model\":\"m\"}", "{\"a\":1,,\"model\":\"m\"}"]
    )
    func commas(text: String) {
        #expect(message(.of(text)) == "The request body is not a JSON object.")
    }

    @Test(
        "is UTF-8",
        arguments: [
            [0xFF], [0xC3, 0x28], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2, 0x82],
        ] as [[UInt8]]
    )
    func utf8(bytes: [UInt8]) {
        for (before, after) in [
            ("{\"model\":\"m\",\"a\":\"", "\"}"), ("{\"model\":\"", "\"}"), ("{\"", "\":1,\"model\":\"m\"}"),
        ] {
            #expect(
                message(.of(Array(before.utf8) + bytes + Array(after.utf8))) == "The request body is not valid UTF-8."
            )
        }
    }

    @Test(
        "has no half of a surrogate pair for a model",
        arguments: [#"\ud800"#, #"\ud800x"#, #"\ud800\ud800"#, #"x\udc00"#, #"\ud83d\u0041"#]
    )
    func surrogates(escapes: String) {
        #expect(reader.read(.of("{\"model\":\"\(escapes)\"}")).refusal == "400 InvalidRequest")
        #expect(
            reader.read(.of("{\"a\":\"\(escapes)\",\"model\":\"m\"}")).naming
                == .success(
                    .init(model: "m", modelRange: (16 + escapes.utf8.count)..<(19 + escapes.utf8.count), stream: false)
                )
        )
    }

    @Test("may nest 100,000 levels deep, closed or not, without harm")
    func depth() throws {
        let levels = 100_000
        let arrays = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let objects = String(repeating: "{\"a\":", count: levels) + "1" + String(repeating: "}", count: levels)
        for nested in [arrays, objects] {
            let body = "{\"a\":\(nested),\"model\":\"m\"}"
            #expect(try reader.read(.of(body)).get().model == "m")
        }
        let open = String(repeating: "[", count: levels)
        for body in [
            open, "{\"a\":\(open)", "{\"model\":\(open)", "{\"model\":\"m\",\"a\":\(open)}",
            String(repeating: "{\"a\":", count: levels),
        ] {
            #expect(reader.read(.of(body)).refusal == "400 InvalidRequest")
        }
        #expect(try reader.read(.of("{\"model\":\"m\"}")).get().model == "m", "the parser is whole behind all that")
    }

    @Test("may be 5 MB long, and the next one short")
    func large() throws {
        let content = String(repeating: "All work and no play makes \\u00e9 a dull \\\"model\\\". ", count: 100_000)
        let before = "{\"messages\":[{\"role\":\"user\",\"content\":\"\(content)\"}],\"model\":"
        let body = BodyStorage.of(before + "\"m\",\"stream\":true}")
        #expect(body.count > 5_000_000)
        for _ in 0..<2 {
            let range = before.utf8.count..<(before.utf8.count + 3)
            #expect(try reader.read(body).naming.get() == .init(model: "m", modelRange: range, stream: true))
            #expect(
                try reader.read(.of("{\"model\":\"n\"}")).naming.get()
                    == .init(model: "n", modelRange: 9..<12, stream: false)
            )
        }
    }

    @Test("is read right at every length around the parser's blocks of 64 bytes", arguments: 0...200)
    func lengths(padding: Int) throws {
        let text = "{\"p\":\"\(String(repeating: "x", count: padding))\",\"model\":\"m\"}"
        let request = try reader.read(.of(text)).get()
        #expect(request.modelRange == (text.utf8.count - 4)..<(text.utf8.count - 1))
        #expect(reader.read(.of(String(text.dropLast()))).refusal == "400 InvalidRequest")
    }
}
