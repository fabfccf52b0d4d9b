@testable import Gateway

/// Answers of the families of Azure's API that are there besides chats: each as it ends well, early and badly (azure.md 5.7).
extension UsageReaderTests {
    private static let responseUsage =
        #"{"input_tokens":30,"input_tokens_details":{"cached_tokens":8},"output_tokens":12,"#
        + #""output_tokens_details":{"reasoning_tokens":7},"total_tokens":42}"#
    private static let responseTokens = TokenUsage(input: 30, output: 12, total: 42, cached: 8, reasoning: 7)

    private static func response(_ status: String, _ usage: String) -> String {
        #"{"id":"resp_1","object":"response","status":"\#(status)","error":null,"#
            + #""incomplete_details":{"reason":"max_output_tokens"},"model":"gpt-5","output":[],"usage":\#(usage)}"#
    }

    private static func stream(_ events: String...) -> String {
        events.map { "data: \($0)\n\n" }.joined()
    }

    static let families: [Answer] = [
        Answer(
            "a response that was cut short",
            .json,
            response("incomplete", responseUsage),
            responseTokens,
            finish: .incomplete,
            model: "gpt-5"
        ),
        Answer(
            "a response that failed after it had cost something",
            .json,
            response("failed", responseUsage),
            responseTokens,
            finish: .failed,
            model: "gpt-5"
        ),
        Answer(
            "a response that failed at once",
            .json,
            response("failed", "null"),
            nil,
            finish: .failed,
            model: "gpt-5"
        ),
        Answer(
            "a streamed response that failed after it had cost something",
            .eventStream,
            stream(
                #"{"type":"response.created","response":{"status":"in_progress","usage":null}}"#,
                #"{"type":"response.output_text.delta","delta":"abcd"}"#,
                #"{"type":"response.failed","response":\#(response("failed", responseUsage))}"#
            ),
            responseTokens,
            finish: .failed,
            textBytes: 4,
            model: "gpt-5"
        ),
        Answer(
            "a streamed response that was cancelled",
            .eventStream,
            stream(
                #"{"type":"response.output_text.delta","delta":"abcd"}"#,
                #"{"type":"response.cancelled","response":\#(response("cancelled", responseUsage))}"#
            ),
            responseTokens,
            finish: .cancelled,
            textBytes: 4,
            model: "gpt-5"
        ),
        Answer(
            "a streamed response that ends before its last event",
            .eventStream,
            stream(
                #"{"type":"response.created","response":{"status":"in_progress","usage":null}}"#,
                #"{"type":"response.output_text.delta","delta":"abcd"}"#,
                #"{"type":"response.reasoning_summary_text.delta","delta":"efg"}"#
            ),
            nil,
            finish: .pending,
            textBytes: 7
        ),
        Answer(
            "a streamed completion that did not ask for its usage",
            .eventStream,
            stream(
                #"{"choices":[{"text":"ab","finish_reason":null}],"usage":null}"#,
                #"{"choices":[{"text":"c","finish_reason":"length"}]}"#,
                "[DONE]"
            ),
            nil,
            finish: .length,
            textBytes: 3
        ),
        Answer(
            "an image of a model without tokens",
            .json,
            #"{"created":1,"data":[{"revised_prompt":"a \"usage\":{\"input_tokens\":1}","url":"https://x"}]}"#,
            nil
        ),
        Answer(
            "a streamed edit of an image",
            .eventStream,
            stream(
                #"{"type":"image_edit.partial_image","b64_json":"AbCd","partial_image_index":0}"#,
                #"{"type":"image_edit.completed","b64_json":"AAAA","usage":{"total_tokens":60,"input_tokens":44,"output_tokens":16,"input_tokens_details":{"text_tokens":4,"image_tokens":40}}}"#
            ),
            TokenUsage(input: 44, output: 16, total: 60, inputImages: 40)
        ),
        Answer(
            "a transcription in full that has a duration and no usage",
            .json,
            #"{"task":"transcribe","language":"english","duration":9.25,"text":"abc","segments":[{"id":0,"tokens":[50364],"seconds":3}]}"#,
            nil
        ),
        Answer(
            "a streamed transcription by time",
            .eventStream,
            stream(
                #"{"type":"transcript.text.delta","delta":"abc"}"#,
                #"{"type":"transcript.text.done","text":"abc","usage":{"type":"duration","seconds":3}}"#
            ),
            TokenUsage(seconds: 3),
            textBytes: 3
        ),
        Answer(
            "speech in events",
            .eventStream,
            stream(
                #"{"type":"speech.audio.delta","audio":"AAECAwQFBgc="}"#,
                #"{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#
            ),
            TokenUsage(input: 14, output: 101, total: 115)
        ),
    ]
}
