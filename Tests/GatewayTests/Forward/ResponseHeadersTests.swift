import NIOCore
import Testing
import Transport

@testable import Gateway

@Suite("The header fields that a client gets to see")
struct ResponseHeadersTests {
    /// The lines between the status line and the empty line.
    private func lines(_ fields: [String], status: Int = 200, method: String = "POST") throws -> [String] {
        let head = try ResponseHead.of(status, fields)
        var writer = ResponseWriter(buffers: BufferPool())
        writer.beginHead(status: status)
        ResponseHeaders(head).write(head, method: method, replacing: ReplacedFields(), to: &writer)
        writer.endHead(.none, closes: false)
        let bytes = try #require(writer.take().first)
        let lines = String(buffer: bytes).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.suffix(2) == ["", ""])
        return Array(lines.dropFirst().dropLast(2))
    }

    @Test("pass as they came, in order, repeats and odd spellings included")
    func passed() throws {
        let fields = [
            "Content-Type: application/json; charset=utf-8", "apim-request-id: 1", "x-ratelimit-remaining-tokens:7",
            "Set-Cookie: a", "Set-Cookie: b", "X-MS-Region:  East US 2", "retry-after-ms: 10", "cache-control: private",
            "x-accel-buffering: yes", "empty:", "X-Obs: \u{E9}",
        ]
        #expect(try lines(fields) == fields)
    }

    @Test(
        "do not include those of one hop",
        arguments: [
            "Connection: keep-alive", "KEEP-ALIVE: timeout=5", "Proxy-Connection: x", "te: trailers", "Trailer: x",
            "Upgrade: h2c", "Transfer-Encoding: chunked", "Content-Length: 3", "Proxy-Authenticate: Basic",
            "Proxy-Authorization: x", "alt-svc: h3=\":443\"", "Alt-Svc: clear",
        ]
    )
    func dropped(field: String) throws {
        #expect(try lines(["a: 1", field, "b: 2"]) == ["a: 1", "b: 2"])
    }

    @Test("do not include those that Connection names, wherever it stands")
    func connectionNames() throws {
        let fields = ["X-One: 1", "connection: close, x-one", "x-two: 2", "Connection:\tX-TWO ,", "x-three: 3"]
        #expect(try lines(fields) == ["x-three: 3"])
    }

    @Test(
        "tell proxies not to hold back an event stream",
        arguments: ["text/event-stream", "TEXT/Event-Stream; charset=utf-8"]
    )
    func eventStream(type: String) throws {
        let fields = ["content-type: \(type)", "Cache-Control: max-age=60", "X-Accel-Buffering: yes", "a: b"]
        #expect(try ResponseHeaders(ResponseHead.of(200, fields)).isEventStream)
        let expected = [
            "content-type: \(type)", "a: b", "cache-control: no-cache, no-transform", "x-accel-buffering: no",
        ]
        #expect(try lines(fields) == expected)
    }

    @Test("do so for event streams alone", arguments: ["application/json", "text/event", "xtext/event-stream", ""])
    func noEventStream(type: String) throws {
        #expect(try !ResponseHeaders(ResponseHead.of(200, ["content-type: \(type)"])).isEventStream)
        #expect(try !ResponseHeaders(ResponseHead.of(200, [])).isEventStream)
    }

    @Test("tell a HEAD request the length that GET would have")
    func head() throws {
        #expect(try lines(["content-length: 42", "a: b"], method: "HEAD") == ["a: b", "content-length: 42"])
        #expect(try lines(["content-length: x", "a: b"], method: "HEAD") == ["a: b"])
        let both = ["content-length: 42", "transfer-encoding: chunked"]
        #expect(try lines(both, method: "HEAD") == [])
    }

    struct Case: Sendable {
        let status: Int
        let method: String
        let fields: [String]
        let framing: ResponseWriter.Framing
        let oldFraming: ResponseWriter.Framing

        init(
            _ status: Int,
            _ method: String,
            _ fields: [String],
            _ framing: ResponseWriter.Framing,
            _ oldFraming: ResponseWriter.Framing
        ) {
            self.status = status
            self.method = method
            self.fields = fields
            self.framing = framing
            self.oldFraming = oldFraming
        }
    }

    static let cases: [Case] = [
        Case(200, "POST", ["content-length: 5"], .length(5), .length(5)),
        Case(200, "POST", ["content-length: 0"], .length(0), .length(0)),
        Case(200, "POST", [], .chunked, .untilClose),
        Case(200, "POST", ["transfer-encoding: chunked"], .chunked, .untilClose),
        Case(200, "POST", ["transfer-encoding: chunked", "content-length: 5"], .chunked, .untilClose),
        Case(200, "POST", ["content-length: 5", "content-length: 5"], .length(5), .length(5)),
        Case(200, "POST", ["content-length: -5"], .chunked, .untilClose),
        Case(200, "POST", ["content-length: five"], .chunked, .untilClose),
        Case(200, "POST", ["content-length: 99999999999999999999"], .chunked, .untilClose),
        Case(429, "POST", ["content-length: 5"], .length(5), .length(5)),
        Case(500, "GET", [], .chunked, .untilClose),
        Case(200, "HEAD", ["content-length: 5"], .none, .none),
        Case(200, "HEAD", [], .none, .none),
        Case(204, "POST", [], .none, .none),
        Case(204, "DELETE", ["content-length: 5"], .none, .none),
        Case(304, "GET", ["content-length: 5"], .none, .none),
        Case(205, "POST", ["content-length: 0"], .length(0), .length(0)),
    ]

    @Test("say where the body ends as status, method and version allow", arguments: cases)
    func framing(one: Case) throws {
        let headers = ResponseHeaders(try ResponseHead.of(one.status, one.fields))
        #expect(headers.framing(status: one.status, method: one.method, isHTTP10: false) == one.framing)
        #expect(headers.framing(status: one.status, method: one.method, isHTTP10: true) == one.oldFraming)
    }
}
