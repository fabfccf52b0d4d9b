import TestSupport
import Testing
import Transport

@testable import Gateway

@Suite("The estimate of a request's tokens", .timeLimit(.minutes(5)))
struct TokenEstimateTests {
    private func estimate(
        _ text: String,
        _ operation: APIOperation = .chat,
        correction: Double = 1,
        defaultOutput: Int = 1_000,
        burst: Int = .max
    ) throws -> TokenEstimate {
        let facts = try JSONRequestReader().read(.of(text)).get().facts
        return TokenEstimate(
            facts,
            operation: operation,
            correction: correction,
            defaultOutput: defaultOutput,
            burst: burst
        )
    }

    private static func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }

    /// Pseudo-random base64, the same each time.
    private static let base64: String = {
        var random = SplitMix(seed: 7)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return String((0..<8_000).map { _ in alphabet.randomElement(using: &random)! })
    }()

    /// Texts with the bytes per token that were measured for their kind (azure.md 6), with o200k and with cl100k, and how far
    /// off the estimate may be, in percent: never so low that a limit means nothing, and where it is high, on record.
    static let kinds: [(String, String, Double, Double, ClosedRange<Double>, ClosedRange<Double>)] = [
        (
            "English prose", times(100, "The limits of a gateway are kept by counting, not by hoping. "), 4.6, 4.6,
            10...20, 10...20
        ),
        ("Swift source", times(100, "func take(_ byte: UInt8) -> Bool { count += 1 }\\n"), 4.3, 4.3, 5...10, 5...10),
        ("Lua source", times(100, "local left = redis.call('GET', KEYS[1])\\n"), 3.9, 4.0, -5...1, -2...2),
        ("C# source", times(100, "            public string Name { get; set; }\\n"), 5.6, 5.5, 35...42, 33...40),
        (
            "a JSON schema", times(50, #"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"#), 4.1,
            4.15,
            0...6, 0...6
        ),
        ("random base64", base64, 1.5, 1.4, -1...1, -8 ... -5),
        ("German", times(50, "Übergroße Mengen müssen früher oder später gezählt werden. "), 4.4, 3.8, 8...14, -8...0),
        ("Chinese", times(50, "人人生而自由在尊严和权利上一律平等他们赋有理性和良心"), 3.7, 2.7, 3...8, -25 ... -20),
        ("Japanese", times(50, "すべての人間は生れながらにして自由でありかつ尊厳と権利とについて平等である"), 3.5, 2.7, -2...2, -25 ... -20),
        (
            "Russian", times(50, "Все люди рождаются свободными и равными в своем достоинстве "), 7.2, 4.0, 90...110,
            5...15
        ),
        ("Arabic", times(50, "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق "), 4.9, 2.4, 30...42, -36 ... -28),
        ("Hindi", times(50, "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता "), 9.2, 2.8, 140...170, -26 ... -18),
    ]

    @Test("is near what was measured for texts of that kind", arguments: kinds)
    func measured(
        kind: String,
        text: String,
        o200k: Double,
        cl100k: Double,
        newer: ClosedRange<Double>,
        older: ClosedRange<Double>
    ) throws {
        let estimate = Double(try estimate("{\"input\":\"\(text)\"}", .embeddings).prompt)
        let plain = text.replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
        for (bytesPerToken, error) in [(o200k, newer), (cl100k, older)] {
            let tokens = Double(plain.utf8.count) / bytesPerToken
            let percent = (estimate / tokens - 1) * 100
            #expect(error.contains(percent), "\(kind): \(percent) %")
        }
    }

    @Test("of base64 is not half of what it is, as a quarter of its bytes would be")
    func dense() throws {
        let estimate = try estimate("{\"input\":\"\(Self.base64)\"}", .embeddings).prompt
        #expect(estimate > 2 * Self.base64.utf8.count / 4)
    }

    @Test(
        "adds the longest answer to the prompt, as often as there are choices",
        arguments: [
            (#"{"messages":[{"content":"12345678"}],"max_tokens":100}"#, APIOperation.chat, 6, 106),
            (#"{"messages":[{"content":"12345678"}],"max_tokens":100,"n":3}"#, .chat, 6, 306),
            (#"{"messages":[{"content":"12345678"}]}"#, .chat, 6, 1_006),
            (#"{"messages":[{"content":"12345678"}],"n":2}"#, .chat, 6, 2_006),
            (#"{"prompt":"12345678","max_tokens":10,"best_of":4,"n":2}"#, .completions, 2, 42),
            (#"{"prompt":[1,2,3,4,5],"max_tokens":10}"#, .completions, 5, 15),
            (#"{"input":"12345678","max_output_tokens":50,"instructions":"1234"}"#, .responses, 11, 61),
            (#"{"input":["12345678","123"],"max_tokens":7}"#, .embeddings, 3, 3),
            (#"{"input":""}"#, .embeddings, 0, 1),
            (#"{"prompt":"12345678","n":2}"#, .images, 6, 6 + 2 * 1_584),
            (
                #"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:x"}}]}],"max_tokens":1}"#,
                .chat, 769, 770
            ),
            (#"{"messages":[{"content":[{"type":"input_audio","input_audio":{}}]}],"max_tokens":1}"#, .chat, 604, 605),
            (
                #"{"input":[{"content":[{"type":"input_file","file_id":"f"}]}],"max_output_tokens":1}"#, .responses,
                2_004, 2_005
            ),
        ] as [(String, APIOperation, Int, Int)]
    )
    func sums(text: String, operation: APIOperation, prompt: Int, total: Int) throws {
        let estimate = try estimate(text, operation)
        #expect(estimate.prompt == prompt)
        #expect(estimate.plainPrompt == prompt)
        #expect(estimate.total == total)
    }

    @Test("corrects the prompt, rounded up, and not the answer")
    func correction() throws {
        let text = #"{"prompt":[1,2,3,4,5,6,7,8,9,10],"max_tokens":100}"#
        #expect(try estimate(text, .completions, correction: 1.41).prompt == 15)
        #expect(try estimate(text, .completions, correction: 1.41).plainPrompt == 10)
        #expect(try estimate(text, .completions, correction: 1.41).total == 115)
        #expect(try estimate(text, .completions, correction: 0.5).total == 105)
        for odd in [-1, 0, -Double.infinity] { #expect(try estimate(text, .completions, correction: odd).prompt == 0) }
        #expect(try estimate(text, .completions, correction: .infinity).prompt == 1_000)
        #expect(try estimate(text, .completions, correction: .nan).prompt == 10)
    }

    @Test("is never more than the client can ever have at once, and never nothing")
    func burst() throws {
        let text = #"{"prompt":[1,2,3],"max_tokens":100}"#
        for (burst, total) in [(1_000, 103), (103, 103), (102, 102), (1, 1), (0, 1), (-5, 1)] {
            #expect(try estimate(text, .completions, burst: burst).total == total)
        }
        #expect(try estimate("{}", .chat, defaultOutput: 0).total == 1)
        #expect(try estimate("{}", .chat, defaultOutput: -7).total == 1)
    }

    @Test("holds on at its largest number")
    func saturation() {
        var facts = RequestFacts()
        let most = RequestFacts.mostTokens
        for huge in [most, Int.max, Int.max / 2] {
            facts.content = .init(
                asciiBytes: huge,
                wideBytes: huge,
                denseBytes: huge,
                tokens: huge,
                messages: huge,
                images: huge,
                audios: huge,
                files: huge
            )
            facts.maxOutput = huge
            facts.choices = huge
            for operation in [APIOperation.chat, .embeddings, .images, .other] {
                let estimate = TokenEstimate(facts, operation: operation, correction: 3, defaultOutput: huge)
                #expect(estimate == .init(facts, operation: operation, correction: 100, defaultOutput: 0))
                #expect(estimate.prompt == most && estimate.total == most)
            }
        }
        facts.content = .init(asciiBytes: Int.min, messages: -1)
        facts.choices = -1
        facts.maxOutput = 1
        #expect(TokenEstimate(facts, operation: .chat, defaultOutput: 1).total == 1)
    }

    @Test(
        "knows the operation by the end of the path, in whatever case",
        arguments: [
            ("/openai/deployments/gpt-4o/chat/completions", APIOperation.chat), ("/openai/v1/Chat/Completions", .chat),
            ("/openai/v1/chat/completions/", .chat), ("/openai/deployments/chat/completions", .chat),
            ("/openai/deployments/d/completions", .completions), ("/openai/v1/embeddings", .embeddings),
            ("/openai/responses", .responses), ("/openai/v1/responses/resp_1", .other),
            ("/openai/v1/images/generations", .images), ("/openai/v1/images/edits", .images),
            ("/openai/deployments/w/audio/transcriptions", .transcription),
            ("/openai/deployments/w/audio/translations", .transcription), ("/openai/v1/audio/speech", .speech),
            ("/openai/v1/files", .other), ("/", .other), ("", .other), ("/openai/v1/chatcompletions", .other),
        ] as [(String, APIOperation)]
    )
    func operations(path: String, operation: APIOperation) {
        #expect(APIOperation(path: path[...]) == operation)
        #expect(operation.takesStreamOptions == (operation == .chat || operation == .completions))
    }
}
