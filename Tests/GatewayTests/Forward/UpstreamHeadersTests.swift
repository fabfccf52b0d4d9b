import NIOHTTP1
import Testing
import Transport

@testable import Gateway

@Suite("The header fields that go to Azure")
struct UpstreamHeadersTests {
    private func lines(
        _ fields: [(String, String)],
        forwarded: [String] = [],
        connectionNames: [String] = [],
        credential: UpstreamCredential = .apiKey("endpoint-key"),
        matching expression: String? = nil,
        body: UpstreamHeaders.Body = .none
    ) -> [String] {
        let arena = HeaderArena()
        arena.add("left", "from the last attempt")
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/", headers: HTTPHeaders(fields))
        UpstreamHeaders(forwarded: forwarded).write(
            head,
            connectionNames: connectionNames,
            credential: credential,
            matcher: expression.flatMap { HeaderNameMatcher($0) },
            body: body,
            into: arena
        )
        return arena.lines
    }

    /// Fields of every kind that must not pass.
    static let hostile = [
        "api-key", "API-KEY", "Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Set-Cookie", "X-Api-Key",
        "Ocp-Apim-Subscription-Key", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
        "X-Real-IP",
        "X-Azure-FDID", "X-Azure-Ref", "X-Azure-ClientIP", "X-Azure-SocketIP", "X-FD-HealthProbe", "Via",
        "Accept-Encoding",
        "Accept-Language", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
        "Upgrade",
        "Content-Length", "Host", "Expect", "Origin", "Referer", "X-Stainless-Lang", "traceparent", "X-Request-ID",
        "HTTP2-Settings", "Sec-WebSocket-Key", "x-ms-client-principal", "X-HTTP-Method-Override", "X-Original-URL",
    ]

    @Test("carry a token where the gateway has one for the endpoint")
    func token() {
        let lines = lines(
            [("Accept", "*/*"), ("Authorization", "Bearer client")],
            credential: .authorization("Bearer own")
        )
        #expect(lines == ["Accept: */*", "authorization: Bearer own"])
    }

    @Test("are chosen by an expression in place of the list, but for the gateway's own and those of the connection")
    func matching() {
        let fields = [
            ("Accept", "*/*"), ("X-Team", "a"), ("x-ms-thing", "b"), ("User-Agent", "c"), ("Not-X-Team", "d"),
            ("Authorization", "Bearer client"), ("api-key", "client"), ("X-Hop", "e"),
        ]
        for _ in 0..<2 {
            let chosen = lines(fields, connectionNames: ["x-hop"], matching: "(?i)x-(?!ms)|accept|auth|api")
            #expect(chosen == ["Accept: */*", "X-Team: a", "api-key: endpoint-key"])
        }
        let matcher = HeaderNameMatcher(".*")
        for name in ["Connection", "CONTENT-LENGTH", "transfer-encoding", "Host", "Api-Key", "authorization"] {
            #expect(matcher?.passes(name) == false)
            #expect(matcher?.passes(name) == false, "remembered")
        }
        for number in 0..<2_000 { #expect(matcher?.passes("x-\(number)") == true) }
    }

    @Test("are only those on the list", arguments: hostile)
    func dropped(name: String) {
        #expect(lines([(name, "client-secret"), ("Accept", "*/*")]) == ["Accept: */*", "api-key: endpoint-key"])
    }

    @Test(
        "keep their names and values as they came",
        arguments: [
            "Range", "accept", "If-Range", "IF-MATCH", "User-Agent", "aoai-evals", "OpenAI-Beta", "content-type",
            "If-None-Match", "Idempotency-Key", "Content-Encoding", "Content-Language", "x-MS-client-REQUEST-id",
        ]
    )
    func passed(name: String) {
        let written = lines([(name, "a value; q=1")], body: .known)
        #expect(written.contains("\(name): a value; q=1"))
    }

    @Test("carry the endpoint's key, or none, and never the client's")
    func credentials() {
        let client = [("api-key", "client-secret"), ("Authorization", "Bearer client-secret"), ("Accept", "*/*")]
        #expect(lines(client) == ["Accept: */*", "api-key: endpoint-key"])
        #expect(lines(client, credential: .none) == ["Accept: */*"])
    }

    @Test("include what the endpoint's configuration adds, in any case of letters")
    func forwarded() {
        let fields = [("X-Team", "a"), ("x-other", "b"), ("Accept", "*/*")]
        #expect(lines(fields, forwarded: ["x-team"]) == ["X-Team: a", "Accept: */*", "api-key: endpoint-key"])
    }

    @Test("do not include those that Connection names, though they are on the list")
    func connectionNames() {
        let fields = [("OpenAI-Beta", "x"), ("X-Team", "a"), ("User-Agent", "u"), ("Accept", "*/*")]
        let written = lines(fields, forwarded: ["x-team"], connectionNames: ["openai-beta", "x-team"])
        #expect(written == ["User-Agent: u", "Accept: */*", "api-key: endpoint-key"])
    }

    @Test("are at most ten of Azure's custom fields, whatever the client sends")
    func customFields() {
        let standard: Set<String> = [
            "accept", "user-agent", "content-type", "content-encoding", "content-language", "range", "if-range",
            "if-match",
            "if-none-match", "expect", "transfer-encoding",
        ]
        let forwarded = (1...UpstreamHeaders.maxForwarded).map { "x-team-\($0)" }
        let listed = ["aoai-evals", "openai-beta", "idempotency-key", "x-ms-client-request-id"]
        let fields = (Self.hostile + listed + forwarded + Array(standard)).map { ($0, "v") }
        let names = lines(fields, forwarded: forwarded, body: .chunked).map { $0.prefix { $0 != ":" }.lowercased() }
        let custom = names.filter { !standard.contains($0) }
        #expect(Set(custom) == Set(listed + forwarded + ["api-key"]))
        #expect(custom.count == 10)
    }

    @Test("keep libcurl from adding fields of its own")
    func suppressed() {
        #expect(lines([], credential: .none) == ["Accept:"])
        #expect(lines([], credential: .none, body: .known) == ["Accept:", "Expect:", "Content-Type:"])
        #expect(
            lines([], credential: .none, body: .chunked) == [
                "Accept:", "Expect:", "Transfer-Encoding: chunked", "Content-Type:",
            ]
        )
        let fields = [("content-type", "text/plain"), ("accept", "a")]
        #expect(lines(fields, credential: .none, body: .known) == ["content-type: text/plain", "accept: a", "Expect:"])
    }

    @Test("keep libcurl from adding its own in the place of what Connection names")
    func suppressedWhenNamed() {
        let fields = [("content-type", "text/plain"), ("accept", "a")]
        let written = lines(fields, connectionNames: ["accept", "content-type"], credential: .none, body: .known)
        #expect(written == ["Accept:", "Expect:", "Content-Type:"])
    }
}
