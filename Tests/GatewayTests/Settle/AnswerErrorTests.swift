import Testing

@testable import Gateway

@Suite("The error in an answer", .timeLimit(.minutes(5)))
struct AnswerErrorTests {
    private static let quota =
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-06-01 have exceeded "
        + "call rate limit of your current OpenAI S0 pricing tier. Please retry after 8 seconds. Please go here: https://x"

    static let events: [(String, AnswerError.Kind, String, Int?)] = [
        (
            #"{"error":{"message":"The server is overloaded: no_kv_space. Please retry later.","type":"server_error","param":null,"code":"rate_limit_exceeded"}}"#,
            .capacity, "rate_limit_exceeded", nil
        ),
        (
            #"{"type":"error","error":{"type":"too_many_requests","code":"rate_limit_exceeded","message":"Your requests to the deployment have exceeded rate limit.","param":null},"sequence_number":2}"#,
            .rateLimit, "rate_limit_exceeded", nil
        ),
        (
            #"{"type":"error","sequence_number":3,"code":"server_error","message":"The server had an error while processing your request.","param":null}"#,
            .server, "server_error", nil
        ),
        (#"{"error":{"code":"429","message":"\#(quota)"}}"#, .rateLimit, "429", 8),
        (#"{"error":{"code":429,"message":"x"}}"#, .rateLimit, "429", nil),
        (
            #"{"error":{"type":"too_many_requests","code":null,"message":"Retry After 86400 seconds"}}"#, .rateLimit,
            "too_many_requests", 86_400
        ),
        (#"{"error":{"message":"retry after 99999999999999999999 seconds"}}"#, .other, "", 604_800),
        (#"{"error":{"message":"retry after x"}}"#, .other, "", nil),
        (
            #"{"error":{"code":"content_filter","innererror":{"code":"x","content_filter_result":{"hate":{"filtered":true}}},"message":"filtered"}}"#,
            .contentFilter, "content_filter", nil
        ),
        (#"{"error":{"message":"The system is experiencing High Demand"}}"#, .capacity, "", nil),
        (
            #"{"error":{"code":"503","message":"The service is temporarily unable to process your request."}}"#,
            .capacity, "503", nil
        ),
        (#"{"error":{"code":"InternalServerError"}}"#, .server, "InternalServerError", nil),
        (
            #"{"error":{"message":"Unknown parameter: 'stream_options'.","type":"invalid_request_error"}}"#,
            .streamOptions, "invalid_request_error", nil
        ),
        (#"{"error":{"co\u0064e":"\u0034\u00329"}}"#, .rateLimit, "429", nil),
        (#"{"error":"rate limit"}"#, .rateLimit, "", nil),
        (#"{"error":{}}"#, .other, "", nil),
        (#"{"type":"error"}"#, .other, "", nil),
        (
            #"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"},"usage":null}}"#,
            .server, "server_error", nil
        ),
    ]

    @Test("says of what kind it is, in any pieces", arguments: events)
    func kinds(event: String, kind: AnswerError.Kind, code: String, retryAfter: Int?) {
        let expected = AnswerError(kind: kind, code: code, retryAfterSeconds: retryAfter)
        let body = Array(event.utf8)
        #expect(UsageReader(.json, body).error == expected)
        let stream = Array("event: error\ndata: \(event)\n\n".utf8)
        for cut in stream.indices {
            let reader = UsageReader(.eventStream, stream, cuts: [cut])
            if reader.error != expected { Issue.record("\(reader.error as Any) when cut at \(cut)") }
            #expect(!reader.hasContent)
        }
        #expect(UsageReader(.eventStream, stream, cuts: Array(stream.indices)).error == expected)
    }

    @Test(
        "is none where there is none",
        arguments: [
            #"{"error":null}"#, #"{"code":"server_error","message":"rate limit"}"#,
            #"{"choices":[{"error":{"code":"429"}}]}"#,
            #"{"x":{"error":{"code":"429"}}}"#, #"{"type":"response.completed","response":{"error":null}}"#,
        ]
    )
    func none(event: String) { #expect(UsageReader(.eventStream, "data: \(event)\n\n").error == nil) }

    @Test("is the one that says something, where a response fails and only then says why")
    func failedResponse() {
        let reader = UsageReader(
            .eventStream,
            """
            data: {"type":"response.created","response":{"status":"in_progress","error":null,"usage":null}}

            data: {"type":"response.failed","response":{"status":"failed","error":{},"usage":null}}

            event: error
            data: {"type":"error","error":{"type":"too_many_requests","code":"rate_limit_exceeded","message":"m"}}

            data: {"type":"error","error":{"code":"later"}}


            """
        )
        #expect(reader.error == AnswerError(kind: .rateLimit, code: "rate_limit_exceeded"))
        #expect(reader.finish == .failed)
        #expect(!reader.hasContent)
        #expect(reader.usage == nil)
    }

    @Test("keeps no more of a code than fits")
    func long() {
        let long = String(repeating: "x", count: 10_000)
        let reader = UsageReader(
            .json,
            "{\"error\":{\"code\":\"\(long)\",\"message\":\"\(long) rate limit\"},\"model\":\"\(long)\"}"
        )
        #expect(reader.error == AnswerError(kind: .other, code: String(repeating: "x", count: ShortText.capacity)))
        #expect(reader.model?.utf8.count == ShortText.capacity)
    }
}
