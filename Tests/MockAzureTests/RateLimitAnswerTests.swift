import NIOHTTP1
import Testing

@testable import MockAzure

/// What clients see of limits: azure.md 5.3, 5.4 and 5.6.
@Suite("A limited deployment")
struct RateLimitAnswerTests {
    @Test("tells its limits in the head of every answer, as the counts stand after it")
    func headers() throws {
        let mock = try Mock("gpt-4o,tpm=1000,rpm=600")
        // 5 tokens of prompt and 10 of max_tokens.
        let first = try mock.chat("gpt-4o", #""max_tokens":10"#)
        #expect(first.status == 200)
        #expect(first.number("x-ratelimit-limit-requests") == 600)
        #expect(first.number("x-ratelimit-remaining-requests") == 599)
        #expect(first.number("x-ratelimit-limit-tokens") == 1_000)
        #expect(first.number("x-ratelimit-remaining-tokens") == 985)
        #expect(first.header("x-ratelimit-reset-tokens") == "60")
        #expect(first.header("retry-after") == nil)
        #expect(first.header("x-ms-deployment-name") == "gpt-4o")
        mock.now = 30_001
        let second = try mock.chat("gpt-4o", #""max_tokens":10"#)
        #expect(second.number("x-ratelimit-remaining-tokens") == 970)
        #expect(second.header("x-ratelimit-reset-requests") == "30")
        mock.now = 60_000
        #expect(try mock.chat("gpt-4o", #""max_tokens":10"#).number("x-ratelimit-remaining-tokens") == 985)
    }

    @Test("answers the request that is one token too much with 429, and when to come again")
    func tokens() throws {
        let mock = try Mock("gpt-4o,tpm=30")
        #expect(try mock.chat("gpt-4o", #""max_tokens":10"#).status == 200)
        let tooMuch = try mock.chat("gpt-4o", #""max_tokens":11"#)
        #expect(tooMuch.status == 429)
        #expect(tooMuch.header("retry-after-ms") == "60000")
        #expect(tooMuch.header("retry-after") == "60")
        #expect(tooMuch.number("x-ratelimit-remaining-tokens") == 15)
        let text = """
            {"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API \
            version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after \
            60 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the \
            default rate limit."}}
            """
        #expect(tooMuch.body == text)
        #expect(try mock.chat("gpt-4o", #""max_tokens":10"#).status == 200)
        mock.now = 59_001
        let late = try mock.chat("gpt-4o")
        #expect(late.header("retry-after-ms") == "999")
        #expect(late.header("retry-after") == "1")
        #expect(late.body.contains("Please retry after 1 seconds."))
    }

    @Test("answers the 11th request of a second with 429 at 600 requests per minute")
    func calls() throws {
        let mock = try Mock("gpt-4o,rpm=600")
        for _ in 0..<10 { #expect(try mock.chat("gpt-4o").status == 200) }
        let refused = try mock.chat("gpt-4o")
        #expect(refused.status == 429)
        #expect(refused.header("retry-after-ms") == "1000")
        #expect(refused.body.contains("have exceeded call rate limit"))
        mock.now = 999
        #expect(try mock.chat("gpt-4o").status == 429)
        mock.now = 1_000
        #expect(try mock.chat("gpt-4o").status == 200)
    }

    @Test("refuses on v1 in v1's shape")
    func v1() throws {
        let mock = try Mock("gpt-4o,tpm=0")
        let refused = try mock.send(.POST, "/openai/v1/chat/completions", body: Mock.chatBody(#""model":"gpt-4o""#))
        #expect(refused.status == 429)
        #expect(
            refused.body == """
                {"error":{"type":"too_many_requests","code":"rate_limit_exceeded",\
                "message":"Your requests to the deployment have exceeded rate limit.","param":null}}
                """
        )
    }

    @Test("counts requests that fail, by a fault, by their body, by their length")
    func unsuccessful() throws {
        let mock = try Mock("gpt-4o,rpm=240")
        #expect(try mock.chat("gpt-4o", #""mock":{"status":500}"#).status == 500)
        #expect(try mock.chat("gpt-4o", #""messages":7"#).status == 400)
        #expect(try mock.chat("gpt-4o", #""mock":{"error":"context-length"}"#).status == 400)
        #expect(try mock.chat("gpt-4o").status == 200)
        #expect(try mock.chat("gpt-4o").status == 429)
    }

    @Test("does not count what never reached it")
    func unreached() throws {
        let mock = try Mock("gpt-4o,rpm=60")
        #expect(try mock.chat("gpt-4o", headers: ["api-key": "wrong"]).status == 401)
        #expect(try mock.chat("other").status == 404)
        #expect(try mock.send(.GET, "/openai/models?api-version=2024-10-21").status == 200)
        #expect(try mock.chat("gpt-4o").status == 200)
    }

    @Test("estimates the prompt by its characters, and 16 tokens where max_tokens is absent")
    func estimate() throws {
        let mock = try Mock("gpt-4o,tpm=10000", "text-embedding-3-small,tpm=10000")
        #expect(try mock.chat("gpt-4o").number("x-ratelimit-remaining-tokens") == 10_000 - 5 - 16)
        let embeddings = "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21"
        let reply = try mock.send(.POST, embeddings, body: #"{"input":"12345678"}"#)
        #expect(reply.number("x-ratelimit-remaining-tokens") == 10_000 - 2)
    }

    @Test("multiplies by best_of")
    func bestOf() throws {
        let mock = try Mock("gpt-35-turbo-instruct,tpm=10000")
        let reply = try mock.send(
            .POST,
            "/openai/deployments/gpt-35-turbo-instruct/completions?api-version=2024-10-21",
            body: #"{"prompt":"12345678","max_tokens":100,"best_of":3}"#
        )
        #expect(reply.status == 200)
        #expect(reply.number("x-ratelimit-remaining-tokens") == 10_000 - 2 - 300)
    }

    @Test("says the same before a stream as before a whole answer")
    func streams() throws {
        let mock = try Mock("gpt-4o,tpm=40")
        let stream = try mock.chat("gpt-4o", #""max_tokens":10,"stream":true"#)
        #expect(stream.body.hasSuffix("data: [DONE]\n\n"))
        #expect(stream.number("x-ratelimit-remaining-tokens") == 25)
        #expect(try mock.chat("gpt-4o", #""max_tokens":21,"stream":true"#).status == 429)
    }

    @Test("does not refuse where no limit is set, and tells large ones")
    func unlimited() throws {
        let mock = try Mock("gpt-4o")
        let reply = try mock.chat("gpt-4o", #""max_tokens":1000000000"#)
        #expect(reply.status == 200)
        #expect(reply.number("x-ratelimit-limit-tokens") == AnswerHead.tokenLimit)
    }
}
