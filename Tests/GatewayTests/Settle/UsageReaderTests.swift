import Testing

@testable import Gateway

extension UsageReader {
    /// What a reader makes of an answer that comes in pieces which end at `cuts`.
    init(_ format: Format, _ answer: [UInt8], cuts: [Int] = []) {
        self.init(format)
        var start = 0
        for end in cuts + [answer.count] {
            answer[start..<end].withUnsafeBytes { read($0) }
            start = end
        }
    }

    init(_ format: Format, _ answer: String) { self.init(format, Array(answer.utf8)) }
}

@Suite("The usage in an answer", .timeLimit(.minutes(10)))
struct UsageReaderTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let format: UsageReader.Format
        let text: String
        let usage: TokenUsage?
        var finish: AnswerFinish?
        var textBytes = 0
        var model: String?
        var tier: ServiceTier?

        init(
            _ description: String,
            _ format: UsageReader.Format,
            _ text: String,
            _ usage: TokenUsage?,
            finish: AnswerFinish? = nil,
            textBytes: Int = 0,
            model: String? = nil,
            tier: ServiceTier? = nil
        ) {
            testDescription = description
            self.format = format
            self.text = text
            self.usage = usage
            self.finish = finish
            self.textBytes = textBytes
            self.model = model
            self.tier = tier
        }
    }

    private static let chatDetails =
        #""completion_tokens":50,"completion_tokens_details":{"accepted_prediction_tokens":1,"audio_tokens":4,"#
        + #""reasoning_tokens":20,"rejected_prediction_tokens":2},"prompt_tokens":100,"#
        + #""prompt_tokens_details":{"audio_tokens":5,"cached_tokens":64},"total_tokens":150"#
    private static let chatUsage = TokenUsage(
        input: 100,
        output: 50,
        total: 150,
        cached: 64,
        reasoning: 20,
        inputAudio: 5,
        outputAudio: 4
    )

    private static let responseUsage =
        #"{"input_tokens":30,"input_tokens_details":{"cached_tokens":8},"output_tokens":12,"#
        + #""output_tokens_details":{"reasoning_tokens":7},"total_tokens":42}"#
    private static let responseTokens = TokenUsage(input: 30, output: 12, total: 42, cached: 8, reasoning: 7)

    private static func responseEvents(_ last: String, usage: String) -> String {
        """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"r","status":"in_progress","usage":null}}

        event: response.in_progress
        data: {"type":"response.in_progress","response":{"status":"in_progress","usage":{"input_tokens":1}}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"Hö\\n\\u00e9 \\"x\\""}

        event: response.output_text.done
        data: {"type":"response.output_text.done","text":"not counted again"}

        event: response.\(last)
        data: {"type":"response.\(last)","response":{"error":null,"model":"gpt-5","output":[{"content":[{"text":"x","usage":{"input_tokens":9}}]}],"service_tier":"priority","status":"\(last)","usage":\(usage)}}


        """
    }

    static let answers: [Answer] = [
        Answer(
            "a chat",
            .json,
            #"{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"finish_reason":"stop","index":0,"#
                + #""logprobs":{"content":[{"token":"usage","bytes":[1]}]},"message":{"content":"a \"usage\": {\n日","role":"assistant"}}],"#
                + #""created":1,"model":"gpt-4o-2024-11-20","object":"chat.completion","service_tier":"default","#
                + #""usage":{\#(chatDetails)}}"#,
            chatUsage,
            finish: .stop,
            textBytes: 16,
            model: "gpt-4o-2024-11-20",
            tier: .standard
        ),
        Answer(
            "a chat whose usage stands first",
            .json,
            #" { "usage" : { \#(chatDetails) } , "choices" : [ ] }"# + "\n",
            chatUsage
        ),
        Answer(
            "a chat without a usage",
            .json,
            #"{"choices":[{"message":{"content":"abc"},"finish_reason":"length"}],"usage":null}"#,
            nil,
            finish: .length,
            textBytes: 3
        ),
        Answer(
            "usages that are none",
            .json,
            #"{"a":{"usage":{"prompt_tokens":1}},"usage":{},"choices":[{"usage":{"prompt_tokens":1}}],"b":"usage","#
                + #""c":[{"usage":{"total_tokens":3}}]}"#,
            nil
        ),
        Answer("an array", .json, #"[{"usage":{"prompt_tokens":1}}]"#, nil),
        Answer("a text", .json, #"usage {"usage":{"prompt_tokens":1}}"#, nil),
        Answer("nothing", .json, "", nil),
        Answer("cut off behind the usage", .json, #"{"usage":{"prompt_tokens":1}"#, nil),
        Answer(
            "embeddings",
            .json,
            #"{"object":"list","data":[{"embedding":[-0.1,1e-5,2],"index":0},{"embedding":"AAECAw=="}],"#
                + #""model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            TokenUsage(input: 8, total: 8),
            model: "text-embedding-3-small"
        ),
        Answer(
            "a completion",
            .json,
            #"{"choices":[{"text":"abc","index":0,"finish_reason":"length"},{"text":"de","finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
            TokenUsage(input: 1, output: 2, total: 3),
            finish: .stop,
            textBytes: 5
        ),
        Answer(
            "a response",
            .json,
            #"{"id":"resp_1","object":"response","status":"completed","error":null,"model":"gpt-5","output":[],"usage":\#(responseUsage)}"#,
            responseTokens,
            finish: .completed,
            model: "gpt-5"
        ),
        Answer(
            "a response in the background",
            .json,
            #"{"id":"resp_1","status":"queued","background":true,"output":[],"usage":null}"#,
            nil,
            finish: .pending
        ),
        Answer(
            "an image",
            .json,
            #"{"created":1,"data":[{"b64_json":"iVBO\/Rw0KG=="}],"usage":{"total_tokens":1100,"input_tokens":44,"#
                + #""output_tokens":1056,"input_tokens_details":{"text_tokens":4,"image_tokens":40},"#
                + #""output_tokens_details":{"image_tokens":1056,"text_tokens":0}}}"#,
            TokenUsage(input: 44, output: 1056, total: 1100, inputImages: 40, outputImages: 1056)
        ),
        Answer(
            "a transcription by tokens",
            .json,
            #"{"text":"abc","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"#
                + #""output_tokens":5,"total_tokens":19}}"#,
            TokenUsage(input: 14, output: 5, total: 19, inputAudio: 10)
        ),
        Answer(
            "a transcription by time",
            .json,
            #"{"text":"abc","usage":{"type":"duration","seconds":9.25}}"#,
            TokenUsage(seconds: 9.25)
        ),
        Answer(
            "numbers of all kinds",
            .json,
            #"{"usage":{"prompt_tokens":-5,"completion_tokens":99999999999999999999999,"total_tokens":1.9,"#
                + #""prompt_tokens_details":{"cached_tokens":1e3,"audio_tokens":"7"}}}"#,
            TokenUsage(output: TokenUsage.mostTokens, total: TokenUsage.mostTokens)
        ),
        Answer(
            "a streamed chat",
            .eventStream,
            """
            data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}],"usage":null}

            data: {"choices":[{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0}],"model":"gpt-4o","usage":null}

            data: {"choices":[{"delta":{"content":"Hello "},"finish_reason":null,"index":0}],"model":"gpt-4o","usage":null}

            data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}}],"model":"gpt-4o","usage":null}

            data: {"choices":[{"delta":{},"finish_reason":"tool_calls","index":0}],"model":"gpt-4o","service_tier":"flex","usage":null}

            data: {"choices":[],"model":"gpt-4o","usage":{\(chatDetails)}}

            data: [DONE]


            """,
            chatUsage,
            finish: .toolCalls,
            textBytes: 9,
            model: "gpt-4o",
            tier: .flex
        ),
        Answer(
            "a streamed completion with CRLF, comments and other fields",
            .eventStream,
            ": ping\r\n\r\nid: 1\r\nevent: x\r\nretry: 5\r\ndata:{\"choices\":[{\"text\":\"abc\"}]}\r\n\r\n"
                + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\r\n\r\ndata: [DONE]\r\n\r\n",
            TokenUsage(input: 1, output: 2, total: 3),
            textBytes: 3
        ),
        Answer(
            "a stream with CR alone",
            .eventStream,
            "data: {\"choices\":[{\"text\":\"abc\"}]}\r\rdata: {\"usage\":{\"prompt_tokens\":1}}\r\r",
            TokenUsage(input: 1, total: 1),
            textBytes: 3
        ),
        Answer(
            "an event of several lines",
            .eventStream,
            "data: {\"usage\":\ndata: {\"prompt_tokens\"\ndata::4}\ndata:}\n\n",
            TokenUsage(input: 4, total: 4)
        ),
        Answer(
            "a stream that is cut off behind the usage",
            .eventStream,
            #"data: {"choices":[],"usage":{"prompt_tokens":5}}"#,
            TokenUsage(input: 5, total: 5)
        ),
        Answer(
            "a stream that is cut off in the usage",
            .eventStream,
            "data: {\"choices\":[{\"delta\":{\"content\":\"abcd\"}}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":5",
            nil,
            textBytes: 4
        ),
        Answer(
            "fields that are not data",
            .eventStream,
            "dat: {\"usage\":{\"prompt_tokens\":5}}\ndata : {\"usage\":{\"prompt_tokens\":5}}\n\ndata\n\n data: {\"usage\":{\"total_tokens\":1}}\n\n",
            nil
        ),
        Answer(
            "usage in every chunk",
            .eventStream,
            "data: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}\n\ndata: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n",
            TokenUsage(input: 5, output: 2, total: 7)
        ),
        Answer(
            "a streamed response",
            .eventStream,
            responseEvents("completed", usage: responseUsage),
            responseTokens,
            finish: .completed,
            textBytes: 10,
            model: "gpt-5",
            tier: .priority
        ),
        Answer(
            "a streamed response that was cut short",
            .eventStream,
            responseEvents("incomplete", usage: responseUsage),
            responseTokens,
            finish: .incomplete,
            textBytes: 10,
            model: "gpt-5",
            tier: .priority
        ),
        Answer(
            "a streamed response that failed",
            .eventStream,
            responseEvents("failed", usage: "null"),
            nil,
            finish: .failed,
            textBytes: 10,
            model: "gpt-5",
            tier: .priority
        ),
        Answer(
            "a streamed image",
            .eventStream,
            "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"\(String(repeating: "AbCd", count: 200))\"}\n\n"
                + "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AAAA\",\"usage\":{\"total_tokens\":20,\"input_tokens\":4,\"output_tokens\":16}}\n\n",
            TokenUsage(input: 4, output: 16, total: 20)
        ),
        Answer(
            "a streamed transcription",
            .eventStream,
            "data: {\"type\":\"transcript.text.delta\",\"delta\":\"abc\"}\n\n"
                + "data: {\"type\":\"transcript.text.done\",\"text\":\"abc\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,"
                + "\"input_token_details\":{\"text_tokens\":0,\"audio_tokens\":14},\"output_tokens\":45,\"total_tokens\":59}}\n\n",
            TokenUsage(input: 14, output: 45, total: 59, inputAudio: 14),
            textBytes: 3
        ),
        Answer("sound", .opaque, #"{"usage":{"prompt_tokens":1}}"#, nil),
    ]

    private func check(_ reader: UsageReader, _ answer: Answer, _ cuts: [Int]) {
        let isRight =
            reader.usage == answer.usage && reader.finish == answer.finish && reader.textBytes == answer.textBytes
            && reader.model == answer.model && reader.serviceTier == answer.tier && reader.error == nil
        if !isRight {
            Issue.record(
                "cut at \(cuts): \(reader.usage as Any), \(reader.finish as Any), \(reader.textBytes), \(reader.model as Any), \(reader.serviceTier as Any), \(reader.error as Any)"
            )
        }
    }

    @Test("is found in one piece, byte by byte, and cut in two at every place", arguments: answers + families)
    func cuts(answer: Answer) {
        let bytes = Array(answer.text.utf8)
        check(UsageReader(answer.format, bytes), answer, [])
        check(UsageReader(answer.format, bytes, cuts: Array(bytes.indices)), answer, Array(bytes.indices))
        for cut in bytes.indices { check(UsageReader(answer.format, bytes, cuts: [cut]), answer, [cut]) }
    }

    @Test("is estimated where Azure gave none: the prompt as estimated, and a token for four bytes of what came")
    func estimated() {
        let aborted = UsageReader(
            .eventStream,
            "data: {\"choices\":[{\"delta\":{\"content\":\"Hello wor\"}}]}\n\ndata: {\"choi"
        )
        #expect(
            aborted.settled(promptEstimate: 100) == TokenUsage(input: 100, output: 3, total: 103, isEstimated: true)
        )
        let reported = UsageReader(.json, #"{"usage":{"prompt_tokens":7,"total_tokens":7}}"#)
        #expect(reported.settled(promptEstimate: 100) == TokenUsage(input: 7, total: 7))
        #expect(TokenUsage.estimated(prompt: -1, textBytes: -1) == TokenUsage(isEstimated: true))
        let most = TokenUsage.mostTokens
        let huge = TokenUsage.estimated(prompt: Int.max, textBytes: Int.max)
        #expect(huge == TokenUsage(input: most, output: most, total: 2 * most, isEstimated: true))
    }

    @Test("knows the end of a chat stream")
    func done() {
        #expect(UsageReader(.eventStream, "data: [DONE]\n\n").isDone)
        #expect(UsageReader(.eventStream, "data:[DONE]").isDone)
        #expect(!UsageReader(.eventStream, "data: [DONE").isDone)
        #expect(!UsageReader(.eventStream, "data: [DUNE]\n\n").isDone)
        #expect(!UsageReader(.eventStream, "data: {\"a\":\"[DONE]\"}\n\n: [DONE]\n\n").isDone)
        #expect(UsageReader(.eventStream, Array("data: [DONE]\n\n".utf8), cuts: Array(0..<14)).isDone)
    }

    @Test(
        "tells the beginning of an answer from what comes before it",
        arguments: [
            (#"{"choices":[],"prompt_filter_results":[]}"#, false), (#"{"choices":[{"delta":{}}]}"#, true),
            (#"{"type":"response.created","response":{}}"#, false),
            (#"{"type":"response.in_progress","response":{}}"#, false), (#"{"type":"keepalive"}"#, false),
            (#"{"type":"response.output_item.added"}"#, true), (#"{"type":"response.completed","response":{}}"#, true),
            (#"{"type":"response.failed","response":{"status":"failed"}}"#, false), (#"{"error":{}}"#, false),
            (#"{"type":"error"}"#, false),
        ]
    )
    func content(event: String, hasContent: Bool) {
        #expect(UsageReader(.eventStream, "data: \(event)\n\n").hasContent == hasContent)
    }

    @Test("needs no more memory for a large answer than for a small one")
    func memory() {
        // A stream may stay open for minutes, and thousands of them at once.
        #expect(MemoryLayout<UsageChunkFilter>.size <= 1_024)
    }
}
