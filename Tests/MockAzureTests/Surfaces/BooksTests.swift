import Testing

@testable import MockAzure

/// The books say what the answers say, surface by surface.
@Suite("The books of tokens")
struct BooksTests {
    private static let faults = """
        "mock":{"tokens":6,"prompt-tokens":1500,"cached-tokens":1024,"reasoning-tokens":9,"completion-audio-tokens":2,
        "rejected-prediction-tokens":3}
        """
    private static let stream = #""stream":true,"stream_options":{"include_usage":true},"#

    /// Path below v1, members of the body.
    private static let calls: [(path: String, body: String)] = [
        ("chat/completions", #""messages":[{"role":"user","content":"hi"}],"#),
        ("chat/completions", #""messages":[{"role":"user","content":"hi"}],"n":3,"#),
        ("chat/completions", stream + #""messages":[{"role":"user","content":"hi"}],"n":2,"#),
        ("chat/completions", stream + #""messages":[{"role":"user","content":"hi"}],"max_tokens":1,"#),
        ("completions", #""prompt":["a","b"],"best_of":4,"#),
        ("completions", stream + #""prompt":["a","b"],"#),
        ("completions", stream + #""prompt":"a","max_tokens":0,"#),
        ("embeddings", #""input":["a","b"],"#),
        ("responses", #""input":"hi","#),
        ("responses", #""input":"hi","stream":true,"#),
        ("responses", #""input":"hi","stream":true,"max_output_tokens":1,"#),
        ("images/generations", #""prompt":"hi","n":2,"#),
        ("images/generations", #""prompt":"hi","stream":true,"partial_images":1,"#),
        ("audio/speech", #""input":"hi","stream_format":"sse","#),
    ]

    @Test("have what the usage of the answer says", arguments: calls)
    func surfaces(path: String, body: String) throws {
        let played = try PlayedMock()
        let answer = played.post(Target.v1(path), #"{"model":"any",\#(body)\#(Self.faults)}"#)
        #expect(answer.status == 200)
        let objects = answer.data.isEmpty ? [answer.json] : answer.data
        let usages = objects.flatMap { [$0["usage"], $0["response"]["usage"]] }.filter(\.isObject)
        let usage = try #require(usages.first)
        #expect(usages.count == 1)
        let prompt = usage["prompt_tokens"].int ?? usage["input_tokens"].int
        #expect(played.booked.prompt == prompt)
        #expect(played.booked.prompt + played.booked.completion == usage["total_tokens"].int)
        #expect(played.booked.cached == 1_024)
        let details = [usage["completion_tokens_details"], usage["output_tokens_details"]].first(where: \.isObject)
        if let reasoning = details?["reasoning_tokens"].int { #expect(played.booked.reasoning == reasoning) }
    }

    @Test("have of a stream that the client left what was sent")
    func aborted() throws {
        let played = try PlayedMock()
        // Head with the filter's event, the role, and three words.
        let answer = played.post(
            Target.v1("chat/completions"),
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,"mock":{"tokens":50}}"#,
            leaveAfter: 5
        )
        #expect(
            answer.data.compactMap { $0["choices"][0]["delta"]["content"].string } == [
                "", "The", " gateway", " passed",
            ]
        )
        #expect(played.booked.prompt == 5)
        #expect(played.booked.completion == 3)
        #expect(played.books.aborted == 1)
    }

    @Test("have nothing of an answer that was never begun")
    func nothingSent() throws {
        let played = try PlayedMock()
        _ = played.post(
            Target.v1("responses"),
            #"{"model":"gpt-4o","input":"hi","mock":{"delay":50,"truncate":"head"}}"#
        )
        #expect(played.booked.prompt + played.booked.completion == 0)
    }

    @Test("have the requests of every surface by its name, and the tokens by deployment")
    func kinds() throws {
        let played = try PlayedMock()
        for (path, body) in Self.calls { _ = played.post(Target.v1(path), #"{"model":"\#(path)",\#(body)"user":"x"}"#) }
        _ = played.get(Target.v1("files"))
        _ = played.get(Target.v1("responses/none"))
        let counts = played.books.requests.reduce(into: [String: Int]()) { $0[$1.key.kind, default: 0] += $1.value }
        #expect(
            counts == [
                "chat": 4, "completions": 3, "embeddings": 1, "responses": 3, "image_generation": 2, "speech": 1,
                "files": 1, "response": 1,
            ]
        )
        #expect(Set(played.books.tokens.keys) == Set(Self.calls.map(\.path)))
    }
}

/// azure.md 5.1.
@Suite("A surface")
struct RouteTests {
    @Test(
        "is where Azure has it",
        arguments: [
            ("/openai/deployments/d/chat/completions", Route.Kind.chat), ("/openai/v1/chat/completions", .chat),
            ("/openai/deployments/d/completions", .completions), ("/openai/v1/completions", .completions),
            ("/openai/deployments/d/embeddings", .embeddings), ("/openai/v1/embeddings", .embeddings),
            ("/openai/deployments/d/images/generations", .imageGeneration),
            ("/openai/v1/images/generations", .imageGeneration),
            ("/openai/deployments/d/images/edits", .imageEdit), ("/openai/v1/images/edits", .imageEdit),
            ("/openai/deployments/d/audio/speech", .speech), ("/openai/v1/audio/speech", .speech),
            ("/openai/deployments/d/audio/transcriptions", .transcription),
            ("/openai/v1/audio/translations", .translation),
            ("/openai/responses", .responses), ("/openai/v1/responses", .responses),
            ("/openai/responses/resp_1", .response), ("/openai/v1/responses/resp_1", .response),
            ("/openai/v1/responses/resp_1/cancel", .responseCancel),
            ("/openai/files", .files), ("/openai/v1/files/f", .file), ("/openai/files/f/content", .fileContent),
            ("/openai/models", .models), ("/openai/v1/models/m", .models),
            ("/openai/deployments/d/responses", .unknown), ("/openai/deployments/d/files", .unknown),
            ("/openai/chat/completions", .unknown), ("/openai/v1/responses/", .unknown),
            ("/openai/v1/responses/a/b", .unknown), ("/v1/chat/completions", .unknown),
        ]
    )
    func routes(path: String, kind: Route.Kind) {
        #expect(Route(path: path[...]).kind == kind)
    }

    @Test("takes its model from the body where the path names none")
    func resourceForm() throws {
        let played = try PlayedMock("gpt-4o")
        let known = played.post(Target.resource("responses"), #"{"model":"gpt-4o","input":"hi"}"#)
        #expect(known.header("x-ms-deployment-name") == "gpt-4o")
        let unknown = played.post(Target.resource("responses"), #"{"model":"other","input":"hi"}"#)
        #expect(unknown.status == 404)
        #expect(unknown.json["error"]["code"].string == "DeploymentNotFound")
    }
}
