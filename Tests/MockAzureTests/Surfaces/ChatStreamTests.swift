import NIOCore
import Testing

@testable import MockAzure

/// azure.md 5.7.
@Suite("A streamed chat completion")
struct ChatStreamTests {
    private func stream(_ mock: String, options: String = "", messages: String = "hi") throws -> PlayedAnswer {
        try PlayedMock().post(
            Target.deployment("gpt-4o", "chat/completions"),
            #"{"messages":[{"role":"user","content":"\#(messages)"}],"stream":true\#(options),"mock":{\#(mock)}}"#
        )
    }

    private static let withUsage = #","stream_options":{"include_usage":true}"#

    @Test("begins with the prompt's filter results in an event of no completion")
    func promptFilter() throws {
        let first = try #require(stream(#""tokens":1"#).data.first)
        #expect(first["id"] == #""""#)
        #expect(first["object"] == #""""#)
        #expect(first["created"] == "0")
        #expect(first["model"] == #""""#)
        #expect(first["choices"] == "[]")
        #expect(first["prompt_filter_results"][0]["prompt_index"] == "0")
        #expect(first["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]["detected"] == "false")
        #expect(first["usage"].isMissing)
        #expect(try stream(#""tokens":1"#, options: Self.withUsage).data.first?["usage"].isNull == true)
    }

    @Test("can begin with the older name, or without")
    func promptFilterVariants() throws {
        let older = try #require(stream(#""prompt-filter":"annotations""#).data.first)
        #expect(older["prompt_annotations"][0]["prompt_index"] == "0")
        #expect(older["prompt_filter_results"].isMissing)
        let first = try #require(stream(#""prompt-filter":0"#).data.first)
        #expect(first["choices"][0]["delta"]["role"].string == "assistant")
    }

    @Test("brings role, words with verdicts, a finish reason, and [DONE]")
    func order() throws {
        let answer = try stream(#""tokens":2"#)
        #expect(answer.header("content-type") == "text/event-stream; charset=utf-8")
        #expect(answer.events.allSatisfy { $0.name == nil })
        #expect(answer.events.last?.data == "[DONE]")
        let choices = answer.data.dropFirst().map { $0["choices"][0] }
        #expect(
            choices.map { $0["delta"] } == [
                #"{"content":"","refusal":null,"role":"assistant"}"#, #"{"content":"The"}"#, #"{"content":" gateway"}"#,
                "{}",
            ]
        )
        #expect(choices.map { $0["finish_reason"] } == ["null", "null", "null", #""stop""#])
        #expect(choices[1]["content_filter_results"]["hate"] == #"{"filtered":false,"severity":"safe"}"#)
    }

    @Test("has its usage in an event without choices before [DONE], and null in all others")
    func usage() throws {
        let data = try stream(#""tokens":3"#, options: Self.withUsage).data
        let last = try #require(data.last)
        #expect(last["choices"] == "[]")
        #expect(
            last["usage"] == """
                {"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,
                "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,
                "rejected_prediction_tokens":0}}
                """
        )
        #expect(data.dropLast().allSatisfy { $0["usage"].isNull })
        #expect(try stream(#""tokens":3"#).data.allSatisfy { $0["usage"].isMissing })
        let without = try stream(#""tokens":3,"no-usage":1"#, options: Self.withUsage).data
        #expect(without.allSatisfy { $0["usage"].isNull })
        #expect(without.last?["choices"][0]["finish_reason"].string == "stop")
    }

    @Test("has the details of its usage from the faults")
    func usageDetails() throws {
        let faults = """
            "tokens":2,"prompt-tokens":2000,"cached-tokens":1024,"prompt-audio-tokens":7,"reasoning-tokens":10,
            "completion-audio-tokens":5,"accepted-prediction-tokens":1,"rejected-prediction-tokens":4
            """
        #expect(
            try stream(faults, options: Self.withUsage).data.last?["usage"] == """
                {"prompt_tokens":2007,"completion_tokens":21,"total_tokens":2028,
                "prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":7},
                "completion_tokens_details":{"reasoning_tokens":10,"audio_tokens":5,"accepted_prediction_tokens":1,
                "rejected_prediction_tokens":4}}
                """
        )
    }

    @Test("brings several words in an event when the filter buffers")
    func buffered() throws {
        let data = try stream(#""tokens":5,"filter-mode":"buffered","filter-size":2"#).data
        #expect(
            data.compactMap { $0["choices"][0]["delta"]["content"].string } == [
                "", "The gateway", " passed this", " answer",
            ]
        )
    }

    @Test("says the tier that served it, and nothing when nobody asked")
    func serviceTier() throws {
        let asked = try stream(#""tokens":1"#, options: #","service_tier":"priority""#).data
        #expect(asked.dropFirst().allSatisfy { $0["service_tier"].string == "priority" })
        let downgraded = try stream(#""service-tier":"default""#, options: #","service_tier":"priority""#).data
        #expect(downgraded.dropFirst().allSatisfy { $0["service_tier"].string == "default" })
        #expect(
            try stream(#""tokens":1"#, options: #","service_tier":"auto""#).data.last?["service_tier"].string
                == "default"
        )
        #expect(try stream(#""tokens":1"#).data.allSatisfy { $0["service_tier"].isMissing })
    }

    @Test("brings all choices, each with an index and a finish reason")
    func choices() throws {
        let choices = try stream(#""tokens":2"#, options: #","n":3"#).data.dropFirst().map { $0["choices"][0] }
        let finished = choices.filter { !$0["finish_reason"].isNull }.compactMap { $0["index"].int }
        #expect(finished == [0, 1, 2])
        #expect(choices.count { $0["delta"]["content"].string == " gateway" } == 3)
    }

    @Test("has log probabilities when asked")
    func logprobs() throws {
        let word = try #require(stream(#""tokens":1"#, options: #","logprobs":true"#).data.dropFirst(2).first)
        #expect(word["choices"][0]["logprobs"]["content"][0]["token"].string == "The")
        #expect(word["choices"][0]["logprobs"]["content"][0]["bytes"] == "[84,104,101]")
    }

    // MARK: The asynchronous filter

    @Test("is annotated afterwards when the filter is asynchronous")
    func asynchronous() throws {
        let data = try stream(
            #""tokens":4,"filter-mode":"async","filter-size":2"#,
            options: Self.withUsage,
            messages: "12345"
        ).data
        let annotations = data.filter { !$0["choices"][0]["content_filter_offsets"].isMissing }
        #expect(annotations.count == 2)
        #expect(
            annotations.allSatisfy { $0["id"] == #""""# && $0["choices"][0]["delta"].isMissing && $0["usage"].isNull }
        )
        #expect(
            annotations[0]["choices"][0]["content_filter_offsets"]
                == #"{"check_offset":5,"start_offset":5,"end_offset":16}"#
        )
        #expect(
            annotations[1]["choices"][0]["content_filter_offsets"]
                == #"{"check_offset":28,"start_offset":16,"end_offset":28}"#
        )
        let words = data.filter { $0["choices"][0]["delta"].isObject }
        #expect(words.allSatisfy { $0["choices"][0]["content_filter_results"].isMissing })
        // The last annotation comes after the finish reason, and before the usage.
        #expect(data[data.count - 3]["choices"][0]["finish_reason"].string == "stop")
        #expect(data.last?["usage"]["completion_tokens"].int == 4)
    }

    @Test("ends late with content_filter when the asynchronous filter finds something")
    func asynchronousFinding() throws {
        let data = try stream(#""tokens":3,"filter-mode":"async","content-filter":"completion""#).data
        let reasons = data.compactMap { $0["choices"][0]["finish_reason"].string }
        #expect(reasons == ["content_filter"])
        let last = try #require(data.last?["choices"][0])
        #expect(last["delta"].isMissing)
        #expect(last["content_filter_results"]["violence"] == #"{"filtered":true,"severity":"medium"}"#)
        #expect(data.compactMap { $0["choices"][0]["delta"]["content"].string }.joined() == "The gateway passed")
    }

    @Test("ends with content_filter when the filter stops it", arguments: ["token", "buffered"])
    func finding(mode: String) throws {
        let last = try #require(stream(#""filter-mode":"\#(mode)","content-filter":"completion""#).data.last)
        #expect(last["choices"][0]["finish_reason"].string == "content_filter")
        #expect(last["choices"][0]["content_filter_results"]["violence"]["filtered"] == "true")
    }
}
