import NIOCore
import Testing

@testable import MockAzure

/// azure.md 5.6, errors inside HTTP 200 streams, and 5.7, signs of life.
@Suite("A stream in trouble")
struct StreamTroubleTests {
    private func chat(_ mock: String) throws -> (PlayedAnswer, PlayedMock) {
        let played = try PlayedMock()
        let answer = played.post(
            Target.v1("chat/completions"),
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,"mock":{\#(mock)}}"#
        )
        return (answer, played)
    }

    @Test("of chat without capacity is one error event in a 200, and costs nothing")
    func chatWithoutCapacity() throws {
        let (answer, played) = try chat(#""stream-error":1"#)
        #expect(answer.status == 200)
        #expect(answer.events.count == 1)
        let error = try #require(answer.data.first?["error"])
        #expect(error["message"].string?.contains("no_kv_space") == true)
        #expect(error["type"].string == "server_error")
        #expect(error["code"].string == "rate_limit_exceeded")
        #expect(played.booked.prompt + played.booked.completion == 0)
    }

    @Test("of completions without capacity is the same")
    func completionsWithoutCapacity() throws {
        let answer = try PlayedMock().post(
            Target.v1("completions"),
            #"{"model":"gpt-35-turbo-instruct","prompt":"hi","stream":true,"mock":{"stream-error":1}}"#
        )
        #expect(answer.data.map { $0["error"]["code"].string } == ["rate_limit_exceeded"])
    }

    @Test("of a response without capacity is created, fails, and says why, with Retry-After in the head")
    func responseWithoutCapacity() throws {
        let played = try PlayedMock()
        let answer = played.post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","stream":true,"mock":{"stream-error":1,"retry-after":7}}"#
        )
        #expect(answer.status == 200)
        #expect(answer.header("retry-after") == "7")
        #expect(answer.events.map(\.name) == ["response.created", "response.failed", "error"])
        #expect(answer.data[1]["response"]["status"].string == "failed")
        #expect(answer.data[1]["response"]["error"].isNull)
        #expect(answer.data[1]["response"]["usage"].isNull)
        #expect(
            answer.data[2] == """
                {"type":"error","sequence_number":2,"error":{"type":"too_many_requests","code":"rate_limit_exceeded",
                "message":"Your requests to the deployment have exceeded rate limit.","param":null}}
                """
        )
        #expect(played.booked.prompt + played.booked.completion == 0)
        let id = try #require(answer.data[0]["response"]["id"].string)
        #expect(played.get(Target.v1("responses/\(id)")).json["status"].string == "failed")
    }

    @Test("has an error in the place of an event, and nothing after it")
    func errorAfter() throws {
        let (answer, played) = try chat(#""tokens":20,"error-after":4"#)
        #expect(answer.events.count == 5)
        #expect(answer.data.last?["error"]["type"].string == "server_error")
        #expect(played.booked.completion == 2)
        let response = try PlayedMock().post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","stream":true,"mock":{"error-after":5}}"#
        )
        #expect(response.events.last?.name == "error")
        #expect(response.data.last?["sequence_number"].int == 5)
    }

    @Test("shows signs of life in a pause, one for each interval")
    func keepalive() throws {
        let (answer, _) = try chat(#""tokens":2,"first-token":100,"keepalive":30"#)
        #expect(answer.isComplete)
        #expect(answer.waited == .milliseconds(100))
        let names = answer.events.map(\.name)
        #expect(names.count { $0 == "keepalive" } == 3)
        // They stand where the model was silent: before the first word.
        #expect(names[2..<5].allSatisfy { $0 == "keepalive" })
        #expect(answer.data.compactMap { $0["choices"][0]["delta"]["content"].string }.joined() == "The gateway")
    }

    @Test("shows signs of life for as long as it is silent")
    func silence() throws {
        let (answer, _) = try chat(#""silence":3,"keepalive":30000"#)
        #expect(!answer.isComplete)
        #expect(answer.events.dropFirst(3).allSatisfy { $0.name == "keepalive" })
        #expect(answer.events.count == 3 + 19)
    }

    @Test("numbers the signs of life of a response")
    func responseKeepalive() throws {
        let answer = try PlayedMock().post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","stream":true,"mock":{"tokens":1,"first-token":20,"keepalive":15}}"#
        )
        #expect(answer.events.contains { $0.name == "keepalive" })
        #expect(answer.data.map { $0["sequence_number"].int } == Array(0..<answer.data.count))
    }
}
