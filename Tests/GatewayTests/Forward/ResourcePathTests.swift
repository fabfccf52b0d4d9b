import Testing

@testable import Gateway

@Suite("Paths of what lives on one resource")
struct ResourcePathTests {
    static let paths: [(String, ResourcePath.Collection?, String?)] = [
        ("/openai/v1/responses", .responses, nil),
        ("/openai/v1/responses/resp_1", .responses, "resp_1"),
        ("/openai/responses/resp_1/cancel", .responses, "resp_1"),
        ("/OpenAI/V1/Responses/resp_1", .responses, "resp_1"),
        ("/openai/v1/responses/resp%5F1", .responses, "resp_1"),
        ("/openai/v1/%72esponses/resp_1", .responses, "resp_1"),
        ("/openai/files", .files, nil),
        ("/openai/files/file-1/content", .files, "file-1"),
        ("/openai/batches/batch_1", .batches, "batch_1"),
        ("/openai/assistants/asst_1", .assistants, "asst_1"),
        ("/openai/threads/thread_1/messages/msg_1", .threads, "thread_1"),
        ("/openai/threads/runs", .threads, nil),
        ("/openai/v1/vector_stores/vs_1/files", .vectorStores, "vs_1"),
        ("/openai/v1/fine_tuning/jobs", .fineTuning, nil),
        ("/openai/v1/fine_tuning/jobs/ftjob-1/events", .fineTuning, "ftjob-1"),
        ("/openai/v1/conversations/conv_1/items", .conversations, "conv_1"),
        ("/openai/v1/chat/completions", nil, nil),
        ("/openai/deployments/gpt-4o/chat/completions", nil, nil),
        ("/openai/v1/models", nil, nil),
        ("/openai/v1", nil, nil),
        ("/openai", nil, nil),
        ("/", nil, nil),
        ("", nil, nil),
        ("/responses/resp_1", nil, nil),
        ("/openai/v1/responsesx/resp_1", nil, nil),
        ("/openai/v1/responses%ff/resp_1", nil, nil),
    ]

    @Test("are told from all others", arguments: paths)
    func read(path: String, collection: ResourcePath.Collection?, id: String?) {
        let read = ResourcePath(path[...])
        #expect(read?.collection == collection)
        #expect(read?.id == id)
    }

    @Test("name a time to remember, of at least the 30 days that Azure keeps responses")
    func terms() {
        for collection in ResourcePath.Collection.allCases { #expect(collection.term >= 30 * 86_400_000) }
    }
}

@Suite("Members of a JSON object")
struct JSONMembersTests {
    static let texts: [(String, [String])] = [
        (#"{"id":"resp_1","object":"response"}"#, ["id=resp_1"]),
        (#" { "object" : "file", "id" : "file-1" } "#, ["id=file-1"]),
        (#"{"x":{"id":"no"},"y":[{"id":"no"},["id","no"]],"id":"yes"}"#, ["id=yes"]),
        (#"{"response":{"id":"in","x":{"id":"no"}},"id":"out"}"#, ["id=in", "id=out"]),
        (#"{"other":{"id":"no"}}"#, []),
        (#"[{"id":"no"}]"#, []),
        (#"{"id":"re\u0073p_1"}"#, ["id=resp_1"]),
        (#"{"\u0069d":"a"}"#, ["id=a"]),
        (#"{"a":"\"id\":\"no\"","id":"b"}"#, ["id=b"]),
        (#"{"id":1,"thread_id":null}"#, []),
        (#"{"id":"thread_1","thread_id":"thread_2"}"#, ["id=thread_1", "thread_id=thread_2"]),
        (#"{"id":"cut"#, []),
        (#"{"id":"a","text":"cut off in the mid"#, ["id=a"]),
        (#"{"id":"a"}{"id":"b"}"#, ["id=a"]),
        ("", []),
        ("}}}]]{\"id\":\"a\"}", []),
        ("no JSON", []),
        ("{\"id\":\"\\", []),
        (#"{"a":["#, []),
    ]

    @Test("are read where they are, as far as it came", arguments: texts)
    func read(text: String, expected: [String]) {
        let members = Array(text.utf8).withUnsafeBytes {
            JSONMembers($0, wanted: ["id", "thread_id"], inner: "response").texts.map { "\($0.name)=\($0.text)" }
        }
        #expect(members == expected)
    }

    @Test("a text is found at its first place, and nowhere where it is not")
    func search() {
        func offset(_ text: StaticString, _ bytes: String, from start: Int = 0) -> Int? {
            Array(bytes.utf8).withUnsafeBytes { $0.offset(of: text, from: start) }
        }
        #expect(offset("ab", "aab") == 1)
        #expect(offset("ab", "abab", from: 1) == 2)
        #expect(offset("ab", "a") == nil)
        #expect(offset("ab", "") == nil)
        #expect(offset("ab", "xxa") == nil)
        #expect(offset("ab", "ab", from: 5) == nil)
    }
}
