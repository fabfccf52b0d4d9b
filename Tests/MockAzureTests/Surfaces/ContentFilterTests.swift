import Testing

@testable import MockAzure

/// azure.md 5.6.
@Suite("A prompt that the content filter refuses")
struct ContentFilterTests {
    private static let marked = "mock:content-filter, please"

    @Test(
        "is a 400 with the verdict, and billed",
        arguments: [
            ("chat/completions", #"{"messages":[{"role":"user","content":"\#(marked)"}]}"#, 11),
            (
                "chat/completions",
                #"{"messages":[{"role":"user","content":[{"type":"text","text":"\#(marked)"}]}],"stream":true}"#, 11
            ),
            ("completions", #"{"prompt":"\#(marked)"}"#, 7),
            ("embeddings", #"{"input":["\#(marked)"]}"#, 7),
        ]
    )
    func refused(operation: String, body: String, promptTokens: Int) throws {
        let played = try PlayedMock()
        let answer = played.post(Target.deployment("any", operation), body)
        #expect(answer.status == 400)
        #expect(
            answer.json["error"]["message"].string?.hasPrefix("The response was filtered due to the prompt") == true
        )
        #expect(answer.json["error"]["type"].isNull)
        #expect(answer.json["error"]["param"].string == "prompt")
        #expect(answer.json["error"]["code"].string == "content_filter")
        #expect(answer.json["error"]["status"].int == 400)
        #expect(
            answer.json["error"]["innererror"] == """
                {"code":"ResponsibleAIPolicyViolation","content_filter_result":{
                "hate":{"filtered":true,"severity":"high"},"jailbreak":{"filtered":false,"detected":false},
                "self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},
                "violence":{"filtered":false,"severity":"safe"}}}
                """
        )
        #expect(played.booked.prompt == promptTokens)
        #expect(played.booked.completion == 0)
    }

    @Test("is refused by a fault as well, and leaves no response behind")
    func fault() throws {
        let answer = try PlayedMock().post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","user":"mock:content-filter=prompt"}"#
        )
        #expect(answer.status == 400)
        #expect(answer.json["error"]["code"].string == "content_filter")
    }

    @Test("has other names where images are made")
    func images() throws {
        let generation = try PlayedMock().post(
            Target.deployment("dall-e-3", "images/generations"),
            #"{"prompt":"\#(Self.marked)"}"#
        )
        let edit = try PlayedMock().post(
            Target.deployment("gpt-image-1", "images/edits"),
            form: FormBody([("prompt", Self.marked)], files: [("image", "a.png", [1])])
        )
        for answer in [generation, edit] {
            #expect(answer.status == 400)
            #expect(answer.json["error"]["inner_error"]["code"].string == "ResponsibleAIPolicyViolation")
            #expect(answer.json["error"]["inner_error"]["content_filter_results"]["hate"]["filtered"] == "true")
            #expect(answer.json["error"]["innererror"].isMissing)
        }
    }

    @Test("is known by its beginning alone")
    func notMarked() throws {
        let answer = try PlayedMock().post(
            Target.v1("chat/completions"),
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"about mock:content-filter"}]}"#
        )
        #expect(answer.status == 200)
    }
}
