import NIOHTTP1
import Testing

@testable import Gateway

@Suite("A request's header fields")
struct RequestFieldsTests {
    private func read(
        _ fields: [(String, String)],
        version: HTTPVersion = .http1_1,
        host: String? = "gateway",
        maxFields: Int = 100,
        maxBytes: Int = 64 * 1024
    ) -> Result<RequestFields, GatewayError> {
        let all = (host.map { [("Host", $0)] } ?? []) + fields
        let head = HTTPRequestHead(version: version, method: .POST, uri: "/", headers: HTTPHeaders(all))
        return Result { () throws(GatewayError) in
            try RequestFields(head, maxFields: maxFields, maxBytes: maxBytes)
        }
    }

    private func reason(_ result: borrowing Result<RequestFields, GatewayError>) -> String? {
        switch result {
        case .failure(let error): error.status == 400 ? error.message : nil
        case .success: nil
        }
    }

    @Test("may have as many bytes as are allowed, names and values together, and not one more")
    func bytes() throws {
        let fields = [("x", String(repeating: "a", count: 20))]  // with "Host: gateway" 11 bytes more
        #expect(throws: Never.self) { _ = try read(fields, maxBytes: 32).get() }
        #expect(read(fields, maxBytes: 31).refusal == "431 RequestHeaderFieldsTooLarge")
    }

    private func malformed(_ reason: String) -> String { GatewayError.malformed(reason).message }

    @Test("what the gateway needs is found in any case of letters")
    func found() throws {
        let fields = try read([
            ("API-KEY", "key"), ("aUTHORIZATION", "Bearer key"), ("Content-TYPE", "text/plain; a=b"),
            ("CONTENT-length", "0042"), ("eXpEcT", "100-Continue"), ("cONNECTION", "X-One, close ,\tkeep-alive,,X-Two"),
        ]).get()
        #expect(fields.apiKey == "key")
        #expect(fields.authorization == "Bearer key")
        #expect(fields.contentType == "text/plain; a=b")
        #expect(fields.contentLength == 42)
        #expect(fields.expectsContinue == true)
        #expect(fields.isChunked == false)
        #expect(fields.connectionNames == ["x-one", "x-two"])
    }

    @Test("what is not there is not invented")
    func absent() throws {
        let fields = try read([("X-Api-Key", "no"), ("Proxy-Authorization", "no")]).get()
        #expect(fields.apiKey == nil)
        #expect(fields.authorization == nil)
        #expect(fields.contentType == nil)
        #expect(fields.contentLength == nil)
        #expect(fields.isChunked == false)
        #expect(fields.expectsContinue == false)
        #expect(fields.connectionNames.isEmpty)
    }

    @Test("one Host is required of HTTP/1.1, and none of HTTP/1.0")
    func host() {
        #expect(reason(read([], host: nil)) == malformed("no Host header"))
        #expect(reason(read([("host", "other")])) == malformed("more than one Host header"))
        #expect(reason(read([("host", "gateway")], version: .http1_0)) == malformed("more than one Host header"))
        #expect(read([], version: .http1_0, host: nil).refusal == nil)
        #expect(read([], host: "").refusal == nil)
    }

    @Test(
        "a Host is made of the bytes of a host",
        arguments: [
            ("example.com", true), ("example.com:8080", true), ("[::1]:443", true), ("a_b-c.~x%41", true),
            ("EXAMPLE", true), ("!$&'()*+;=", true), ("a b", false), ("a/b", false), ("user@host", false),
            ("a,b", false), ("a\\b", false), ("a\u{0}b", false), ("a\u{7F}", false), ("höst", false), ("a?b", false),
            ("a#b", false), ("\"a\"", false), ("<a>", false), ("a\tb", false),
        ]
    )
    func hostBytes(host: String, isHost: Bool) {
        let expected = isHost ? nil : malformed("the Host header is not a host")
        #expect(reason(read([], host: host)) == expected)
        #expect(reason(read([], version: .http1_0, host: host)) == expected)
    }

    @Test(
        "a Content-Length is one decimal number",
        arguments: [
            "", "+1", "-1", "1,1", "1, 1", "0x10", "1 ", "1.0", "1e3", "\u{661}", "1000000000000000000",
            "99999999999999999999",
        ]
    )
    func badLength(value: String) {
        let expected = malformed("the Content-Length is not one decimal number")
        #expect(reason(read([("content-length", value)])) == expected)
    }

    @Test("a Content-Length may be as large as it can be said, once")
    func length() throws {
        #expect(try read([("content-length", "999999999999999999")]).get().contentLength == 999_999_999_999_999_999)
        #expect(try read([("content-length", "0")]).get().contentLength == 0)
        let expected = malformed("the Content-Length is not one decimal number")
        #expect(reason(read([("content-length", "5"), ("Content-Length", "5")])) == expected)
        #expect(reason(read([("content-length", "5"), ("Content-Length", "6")])) == expected)
    }

    @Test("the only Transfer-Encoding is chunked, once, in HTTP/1.1, and without a length")
    func transferEncoding() throws {
        #expect(try read([("Transfer-Encoding", "CHUNKED")]).get().isChunked == true)
        let only = malformed("the only Transfer-Encoding supported is chunked")
        for value in ["gzip", "gzip, chunked", "chunked, chunked", "chunked;q=1", "", "xchunked", "identity"] {
            #expect(reason(read([("transfer-encoding", value)])) == only, "\(value)")
        }
        #expect(reason(read([("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")])) == only)
        let both = malformed("Content-Length together with Transfer-Encoding")
        #expect(reason(read([("transfer-encoding", "chunked"), ("content-length", "1")])) == both)
        #expect(reason(read([("content-length", "1"), ("transfer-encoding", "chunked")])) == both)
        let old = malformed("Transfer-Encoding in an HTTP/1.0 request")
        #expect(reason(read([("transfer-encoding", "chunked")], version: .http1_0)) == old)
    }

    @Test("the only expectation is 100-continue")
    func expect() {
        #expect(read([("expect", "100-continue")]).refusal == nil)
        #expect(read([("expect", "100-continue, x")]).refusal == "417 ExpectationFailed")
        #expect(read([("expect", "")]).refusal == "417 ExpectationFailed")
        #expect(read([("expect", "200-ok")]).refusal == "417 ExpectationFailed")
    }

    @Test("an HTTP/1.0 client is never asked to continue: it does not know interim answers")
    func expectInOldVersion() throws {
        #expect(try read([("expect", "100-continue")], version: .http1_0).get().expectsContinue == false)
    }

    @Test("a credential stands once, even when it stands twice the same")
    func credentialsOnce() {
        #expect(read([("api-key", "a"), ("Api-Key", "a")]).refusal == GatewayError.differingKeysShort)
        #expect(
            read([("authorization", "Bearer a"), ("Authorization", "Bearer a")]).refusal
                == GatewayError.differingKeysShort
        )
    }

    @Test("a Content-Type stands once")
    func contentTypeOnce() {
        let fields = [("content-type", "application/json"), ("Content-Type", "application/json")]
        #expect(reason(read(fields)) == malformed("more than one Content-Type"))
    }

    @Test("names of several Connection fields are gathered in lower case")
    func connectionNames() throws {
        let fields = try read([("connection", "Upgrade, X-A"), ("connection", "x-b,\t KEEP-ALIVE")]).get()
        #expect(fields.connectionNames == ["upgrade", "x-a", "x-b"])
    }

    @Test("there may be as many fields as are allowed, and not one more")
    func count() {
        let fields = (0..<9).map { ("x-\($0)", "v") }
        #expect(read(fields, maxFields: 10).refusal == nil)
        #expect(read(fields, maxFields: 9).refusal == "431 RequestHeaderFieldsTooLarge")
    }

    @Test("ASCII letters compare without regard to case, and no other characters do")
    func isSame() {
        #expect("HoSt".isSame("host"))
        #expect("".isSame(""))
        #expect(!"hos".isSame("host"))
        #expect(!"hostt".isSame("host"))
        #expect(!"\u{212A}ey".isSame("key"), "the Kelvin sign is no k")
        #expect(!"@".isSame("`"))
        #expect(!"[".isSame("{"))
    }

    @Test("blanks and tabs are trimmed at the ends alone")
    func trimmed() {
        #expect(" \t a \t b\t ".trimmed == "a \t b")
        #expect(" \t ".trimmed == "")
        #expect("".trimmed == "")
        #expect("\u{A0}a\n".trimmed == "\u{A0}a\n")
    }
}

extension GatewayError {
    fileprivate static var differingKeysShort: String { "\(differingKeys.status) \(differingKeys.code)" }
}
