import Testing

@testable import Gateway

@Suite("A key in the query")
struct QueryCredentialsTests {
    @Test(
        "is removed in every spelling, and nothing else is",
        arguments: [
            ("/a?api-key=secret", "/a"),
            ("/a?api-key=secret&b=c", "/a?b=c"),
            ("/a?b=c&api-key=secret", "/a?b=c"),
            ("/a?b&api-key=secret&c", "/a?b&c"),
            ("/a?API-Key=secret&b=c", "/a?b=c"),
            ("/a?api-key=1&b=c&api-key=2", "/a?b=c"),
            ("/a?%61pi-key=secret&b=c", "/a?b=c"),
            ("/a?api%2Dkey=secret&b=c", "/a?b=c"),
            ("/a?api%2dKEY=secret", "/a"),
            ("/a?%41%50%49%2D%4B%45%59=secret&b=%zz", "/a?b=%zz"),
            ("/a?api-key&b=c", "/a?b=c"),
            ("/a?b=&&api-key=a=b", "/a?b=&"),
        ]
    )
    func removed(target: String, expected: String) {
        #expect(QueryCredentials.removed(from: target) == expected)
    }

    @Test(
        "is not seen where there is none",
        arguments: [
            "/a", "/a?", "/api-key=x", "/a?b=api-key", "/a?b=api-key=x&c", "/a?x-api-key=1", "/a?api-keys=1",
            "/a?api_key=1",
            "/a?api-version=2024-10-21", "/a?%", "/a?%2", "/a?%zz=1&b", "/a?b=%61pi-key", "/a?=api-key",
        ]
    )
    func kept(target: String) {
        #expect(QueryCredentials.removed(from: target) == target)
    }
}
