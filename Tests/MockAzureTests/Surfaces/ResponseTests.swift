import Testing

@testable import MockAzure

/// azure.md 5.7.
@Suite("A response")
struct ResponseTests {
    private func create(_ members: String, mock: String = "") throws -> PlayedAnswer {
        try PlayedMock().post(Target.v1("responses"), #"{"model":"gpt-4o",\#(members),"mock":{\#(mock)}}"#)
    }

    @Test("has output and usage")
    func plain() throws {
        let answer = try create(#""input":"12345678""#, mock: #""tokens":3"#)
        #expect(answer.status == 200)
        #expect(answer.json["object"].string == "response")
        #expect(answer.json["status"].string == "completed")
        #expect(answer.json["id"].string?.hasPrefix("resp_") == true)
        #expect(answer.json["output"].array.count == 1)
        #expect(answer.json["output"][0]["content"][0]["text"].string == "The gateway passed")
        #expect(
            answer.json["usage"] == """
                {"input_tokens":6,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,
                "output_tokens_details":{"reasoning_tokens":0},"total_tokens":9}
                """
        )
        #expect(answer.json["service_tier"].string == "default")
    }

    @Test("reads items of all kinds")
    func items() throws {
        let input = """
            [{"role":"user","content":"1234"},{"role":"user","content":[{"type":"input_text","text":"1234"}]},
            {"type":"function_call_output","call_id":"c","output":"1234"}]
            """
        let answer = try create(#""input":\#(input),"instructions":"1234""#)
        #expect(answer.json["usage"]["input_tokens"].int == 4 + 3 * 4)
    }

    @Test("has the details of its usage from the faults, and reasoning as an item before the message")
    func details() throws {
        let mock = #""tokens":2,"prompt-tokens":3000,"cached-tokens":2048,"reasoning-tokens":64"#
        let answer = try create(#""input":"hi""#, mock: mock)
        #expect(
            answer.json["usage"] == """
                {"input_tokens":3000,"input_tokens_details":{"cached_tokens":2048},"output_tokens":66,
                "output_tokens_details":{"reasoning_tokens":64},"total_tokens":3066}
                """
        )
        #expect(answer.json["output"].array.map { $0["type"].string } == ["reasoning", "message"])
    }

    @Test("streams typed and numbered events")
    func streamed() throws {
        let answer = try create(#""input":"hi","stream":true"#, mock: #""tokens":2"#)
        let names = [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
            "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
            "response.content_part.done", "response.output_item.done", "response.completed",
        ]
        #expect(answer.events.map(\.name) == names)
        #expect(answer.data.map { $0["type"].string } == names)
        #expect(answer.data.map { $0["sequence_number"].int } == Array(0..<names.count))
        #expect(answer.data.compactMap { $0["delta"].string }.joined() == "The gateway")
        #expect(answer.data[6]["text"].string == "The gateway")
        #expect(answer.data.map { $0["response"] }.filter { $0["usage"].isNull }.count == 2)
        let last = answer.data[names.count - 1]["response"]
        #expect(last["usage"]["output_tokens"].int == 2)
        #expect(last["output"][0]["content"][0]["text"].string == "The gateway")
    }

    @Test("says nothing of its usage when it shall not")
    func withoutUsage() throws {
        let answer = try create(#""input":"hi","stream":true"#, mock: #""no-usage":1"#)
        #expect(answer.data.allSatisfy { !$0["response"]["usage"].isObject })
    }

    @Test(
        "is incomplete, with its usage, when it was cut short",
        arguments: [
            (#""max_output_tokens":2"#, "", "max_output_tokens", 2),
            (#""store":true"#, #""content-filter":"completion""#, "content_filter", 16),
        ]
    )
    func incomplete(members: String, mock: String, reason: String, tokens: Int) throws {
        let answer = try create(#""input":"hi","stream":true,\#(members)"#, mock: mock)
        #expect(answer.events.last?.name == "response.incomplete")
        let response = try #require(answer.data.last?["response"])
        #expect(response["status"].string == "incomplete")
        #expect(response["incomplete_details"]["reason"].string == reason)
        #expect(response["usage"]["output_tokens"].int == tokens)
    }

    @Test("calls a function")
    func function() throws {
        let tools = #""tools":[{"type":"function","name":"weather","parameters":{}}]"#
        let arguments = #"{"location":"Paris"}"#
        let plain = try create(#""input":"hi",\#(tools)"#).json["output"][0]
        #expect(plain["type"].string == "function_call")
        #expect(plain["name"].string == "weather")
        #expect(plain["arguments"].string == arguments)
        let streamed = try create(#""input":"hi","stream":true,\#(tools)"#)
        #expect(streamed.data.compactMap { $0["delta"].string }.joined() == arguments)
        #expect(streamed.events.contains { $0.name == "response.function_call_arguments.done" })
        let result = #""input":[{"type":"function_call_output","call_id":"c","output":"rain"}],\#(tools)"#
        #expect(try create(result).json["output"][0]["type"].string == "message")
    }

    @Test("says the tier that served it")
    func serviceTier() throws {
        let asked = try create(#""input":"hi","service_tier":"priority""#)
        #expect(asked.json["service_tier"].string == "priority")
        let downgraded = try create(#""input":"hi","service_tier":"priority""#, mock: #""service-tier":"default""#)
        #expect(downgraded.json["service_tier"].string == "default")
    }

    @Test(
        "is refused where the request makes no sense",
        arguments: [
            #""stream":true"#, #""input":"hi","background":true,"store":false"#, #""input":5"#,
            #""input":"hi","service_tier":"gold""#,
        ]
    )
    func refused(members: String) throws {
        #expect(try create(members).status == 400)
    }
}
