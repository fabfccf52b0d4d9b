import Testing

@testable import Gateway

@Suite("A request target")
struct RequestTargetTests {
    private func deployment(_ target: String) -> String? {
        guard case .success(let parsed) = RequestTarget.parse(target), case .deployment(let name, _) = parsed.kind
        else {
            return nil
        }
        return name
    }

    @Test(
        "names its deployment in any spelling that Azure understands",
        arguments: [
            ("/openai/deployments/gpt-4o/chat/completions", "gpt-4o"),
            ("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "gpt-4o"),
            ("/OPENAI/Deployments/gpt-4o/chat/completions", "gpt-4o"),
            ("/%6fpenai/%64eployments/gpt-4o/chat/completions", "gpt-4o"),
            ("/%4F%70%65%6E%61%69/de%70loyments/%67pt%2D4o/x", "gpt-4o"),
            ("/openai/deployments/GPT-4o", "GPT-4o"),
            ("/openai/deployments/gpt-4o/", "gpt-4o"),
            ("/openai/deployments/gpt-4o?x=/../y", "gpt-4o"),
            ("/openai/deployments/a%20b/x", "a b"),
            ("/openai/deployments/h%C3%B6he/x", "höhe"),
            ("/openai/deployments/a%25b/x", "a%b"),
            ("/openai/deployments/%252e%252e/x", "%2e%2e"),
            ("/openai/deployments/.../x", "..."),
            ("http://gateway/openai/deployments/a/x", "a"),
            ("HTTPS://gateway:443/openai/deployments/a/x?y", "a"),
        ]
    )
    func deployments(target: String, name: String) {
        #expect(deployment(target) == name)
    }

    @Test(
        "is any other path as it came",
        arguments: [
            "/", "/openai", "/openai/", "/openai/deployments", "/openai/deployments/", "/openai/v1/chat/completions",
            "/openai/deployment/a/x", "/openai/models?api-version=1", "/x/openai/deployments/a", "/openaideployments/a",
            "/health", "/health/Front-Door", "/health/front-door/", "/HEALTH/front-door", "/a%3Fb", "/a;b=c/d",
        ]
    )
    func others(target: String) throws {
        let parsed = try RequestTarget.parse(target).get()
        #expect(parsed.kind == .other)
        #expect(parsed.raw == target)
    }

    @Test("asks for the gateway's own health only in full")
    func health() throws {
        #expect(try RequestTarget.parse("/health/front-door").get().kind == .frontDoorHealth)
        #expect(try RequestTarget.parse("/health/front-door?probe=1").get().kind == .frontDoorHealth)
        #expect(try RequestTarget.parse("http://h/health/front-door").get().kind == .frontDoorHealth)
        #expect(try RequestTarget.parse("/powerproxy/health/liveness").get().kind == .liveness)
    }

    @Test(
        "has no dot segments, however they are written",
        arguments: [
            "/.", "/..", "/a/../b", "/a/./b", "/openai/deployments/../x", "/openai/deployments/a/../b/chat",
            "/openai/%2e%2e/x", "/openai/%2E./x", "/openai/.%2e/x", "/%2e/openai", "/openai/deployments/a/%2e%2E",
            "http://h/..", "/a/..?b",
        ]
    )
    func dotSegments(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "has no slash, backslash or control character inside a segment",
        arguments: [
            "/openai/deployments/a%2fb/x", "/openai%2Fdeployments/a/x", "/a%5Cb", "/a%5cb", "/a\\b", "/a%00b",
            "/a%0d%0a",
            "/a%1F", "/openai/deployments/%2e%2e%2fb/x",
        ]
    )
    func encodedSlashes(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "has an empty segment at most at its end",
        arguments: [
            "//", "//openai/deployments/a", "/openai//deployments/a", "/openai/deployments//a", "/a/b//", "http://h//a",
        ]
    )
    func emptySegments(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "has whole escapes of valid UTF-8 in its path",
        arguments: [
            "/%", "/a%", "/a%2", "/a%2/b", "/%zz", "/%4g", "/%+1", "/%C3", "/%C3/%B6", "/%FF", "/%ED%A0%80", "/%C0%AE",
        ]
    )
    func brokenEscapes(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "is made of the characters of a URL",
        arguments: [
            "/ä", "/a?ä", "/a b", "/a?b c", "/a#b", "/a?b#c", "/a\u{7F}", "/a\u{0}b", "/a\tb", "/\u{212A}",
            "http://h/ä",
        ]
    )
    func characters(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "is a path or a URL, and nothing else",
        arguments: ["", "*", "openai", "gateway:443", "ftp://h/a", "http:/a", "?a", "http"]
    )
    func forms(target: String) {
        #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
    }

    @Test(
        "in absolute form loses its scheme and authority",
        arguments: [
            ("http://h", "/"), ("https://h:1", "/"), ("http://h?a=b", "/?a=b"), ("HTTP://h/a?b", "/a?b"),
            ("http://h/a/http://x", "/a/http://x"), ("https://u@h/a", "/a"),
        ]
    )
    func absoluteForm(target: String, origin: String) throws {
        guard origin != "/a/http://x" else {
            // An empty segment behind "http:".
            #expect(RequestTarget.parse(target).refusal == "400 MalformedRequest")
            return
        }
        #expect(try RequestTarget.parse(target).get().raw == origin)
    }

    @Test("has a path that ends where the query begins")
    func path() throws {
        #expect(try RequestTarget.parse("/a/b?c=/d?e").get().path == "/a/b")
        #expect(try RequestTarget.parse("/a/b").get().path == "/a/b")
        #expect(try RequestTarget.parse("/?").get().path == "/")
        #expect(try RequestTarget.parse("/a?%zz%").get().path == "/a", "the query is Azure's to read")
    }

    @Test(
        "is written with another deployment's name, and the rest as it came",
        arguments: [
            (
                "/openai/deployments/a/chat/completions?api-version=1&x=%2F", "b",
                "/openai/deployments/b/chat/completions?api-version=1&x=%2F"
            ),
            ("/OpenAI/DEPLOYMENTS/%61/Chat%20x/", "b", "/openai/deployments/b/Chat%20x/"),
            ("/openai/deployments/a", "b", "/openai/deployments/b"),
            ("/openai/deployments/a?q", "b", "/openai/deployments/b?q"),
            ("/openai/deployments/a/", "b", "/openai/deployments/b/"),
            ("http://h/openai/deployments/a/x", "b", "/openai/deployments/b/x"),
            ("/openai/deployments/h%C3%B6he/x", "Az09-._~", "/openai/deployments/Az09-._~/x"),
            ("/openai/deployments/a/x", "a b/c?d#e%", "/openai/deployments/a%20b%2Fc%3Fd%23e%25/x"),
            ("/openai/deployments/a/x", "höhe\n", "/openai/deployments/h%C3%B6he%0A/x"),
            ("/openai/v1/models", "b", "/openai/v1/models"),
        ]
    )
    func naming(target: String, deployment: String, expected: String) throws {
        #expect(try RequestTarget.parse(target).get().naming(deployment: deployment) == expected)
    }

    @Test(
        "that was written for a name is read back with that name",
        arguments: ["gpt-4o", "a b", "a%2fb%", "日本", "x+y&z=1;"]
    )
    func roundTrip(name: String) throws {
        let written = try RequestTarget.parse("/openai/deployments/a/x?y").get().naming(deployment: name)
        if case .success(let parsed) = RequestTarget.parse(written) {
            #expect(parsed.kind == .deployment(name: name, rest: written.utf8.count - "/x?y".utf8.count))
        } else {
            Issue.record("\(written) cannot be read")
        }
    }
}
