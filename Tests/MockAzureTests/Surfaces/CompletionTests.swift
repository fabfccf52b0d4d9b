import Testing

@testable import MockAzure

@Suite("A legacy completion")
struct CompletionTests {
    private static let target = Target.deployment("gpt-35-turbo-instruct", "completions")

    private func complete(_ members: String, mock: String = #""tokens":3"#) throws -> PlayedAnswer {
        try PlayedMock().post(Self.target, #"{\#(members),"mock":{\#(mock)}}"#)
    }

    @Test("has text and the classic three of usage")
    func plain() throws {
        let answer = try complete(#""prompt":"12345678""#)
        #expect(answer.json["object"].string == "text_completion")
        #expect(answer.json["id"].string?.hasPrefix("cmpl-") == true)
        #expect(answer.json["choices"][0]["text"].string == "The gateway passed")
        #expect(answer.json["choices"][0]["finish_reason"].string == "stop")
        #expect(answer.json["usage"] == #"{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}"#)
        #expect(answer.json["prompt_filter_results"][0]["prompt_index"].int == 0)
    }

    @Test(
        "takes a prompt in any of its forms",
        arguments: [
            (#""prompt":["1234","12345"]"#, 3, 2), (#""prompt":[1,2,3]"#, 3, 1), (#""prompt":[[1,2],[3]]"#, 3, 2),
            (#""max_tokens":9"#, 1, 1),
        ]
    )
    func prompts(members: String, promptTokens: Int, choices: Int) throws {
        let answer = try complete(members)
        #expect(answer.json["usage"]["prompt_tokens"].int == promptTokens)
        #expect(answer.json["choices"].array.count == choices)
    }

    @Test("has n choices for each prompt, and pays for every candidate")
    func candidates() throws {
        let answer = try complete(#""prompt":["a","b"],"n":2,"best_of":5"#)
        #expect(answer.json["choices"].array.map { $0["index"].int } == [0, 1, 2, 3])
        #expect(answer.json["usage"]["completion_tokens"].int == 3 * 2 * 5)
        #expect(try complete(#""prompt":"a","n":3,"best_of":2"#).status == 400)
        #expect(try complete(#""prompt":"a","best_of":2,"stream":true"#).status == 400)
    }

    @Test("repeats the prompt when asked")
    func echo() throws {
        let answer = try complete(#""prompt":["say \"\u00e9\"","b"],"echo":true,"max_tokens":1"#)
        #expect(answer.json["choices"].array.map { $0["text"].string } == ["say \"é\" The", "b The"])
        #expect(answer.json["choices"][0]["finish_reason"].string == "length")
        let streamed = try complete(#""prompt":"a\nb","echo":true,"stream":true"#)
        #expect(streamed.data.compactMap { $0["choices"][0]["text"].string }.joined() == "a\nb The gateway passed")
    }

    @Test("streams words, a finish reason, its usage and [DONE]")
    func streamed() throws {
        let answer = try complete(#""prompt":"hi","stream":true,"stream_options":{"include_usage":true}"#)
        #expect(answer.events.last?.data == "[DONE]")
        #expect(answer.data[0]["prompt_filter_results"][0]["prompt_index"].int == 0)
        #expect(answer.data.compactMap { $0["choices"][0]["text"].string } == ["The", " gateway", " passed", ""])
        #expect(answer.data.last?["usage"] == #"{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}"#)
        #expect(answer.data.last?["choices"] == "[]")
        #expect(answer.data.dropLast().allSatisfy { $0["usage"].isNull })
    }

    @Test("ends with content_filter when the filter stops it")
    func filtered() throws {
        for stream in ["false", "true"] {
            let answer = try complete(#""prompt":"hi","stream":\#(stream)"#, mock: #""content-filter":"completion""#)
            let choices = stream == "true" ? answer.data.last?["choices"] : answer.json["choices"]
            #expect(choices?[0]["finish_reason"].string == "content_filter")
            #expect(choices?[0]["content_filter_results"]["violence"]["filtered"] == "true")
        }
    }
}
