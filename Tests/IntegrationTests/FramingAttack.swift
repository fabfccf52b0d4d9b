internal import Testing

/// A request whose framing or syntax is wrong, or at least suspicious.
struct FramingAttack: Sendable, CustomTestStringConvertible {
    enum Expected: Sendable {
        /// Refused with this status, the connection closed, nothing sent upstream.
        case refused(Int)
        /// Legal but rare: answered 200 and passed on in plain form, or refused with 400.
        case acceptedOrRefused
    }

    let name: String
    let bytes: [UInt8]
    let expected: Expected

    var testDescription: String { name }

    init(_ name: String, _ bytes: String, _ expected: Expected = .refused(400)) {
        self.init(name, Array(bytes.utf8), expected)
    }

    init(_ name: String, _ bytes: [UInt8], _ expected: Expected = .refused(400)) {
        self.name = name
        self.bytes = bytes
        self.expected = expected
    }

    private static let key = "api-key: \(GatewayConfigurationText.key)\r\n"
    private static let json = #"{"model":"gpt-4o"}"#
    /// What an attacker would like to have taken for a request of its own.
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nhost: g\r\n\(key)\r\n"

    /// A request with these lines in its head, each with its line end, and this body.
    private static func post(_ lines: String, _ body: String = json) -> String {
        "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: g\r\n\(key)\(lines)\r\n\(body)"
    }

    private static func get(_ lines: String, line: String = "GET /openai/models HTTP/1.1") -> String {
        "\(line)\r\nhost: g\r\n\(key)\(lines)\r\n"
    }

    /// The body as one chunk, with something in the place of its size line, its end, or behind it.
    private static func chunks(
        _ name: String,
        size: String? = nil,
        end: String = "\r\n",
        last: String = "0\r\n\r\n",
        _ expected: Expected = .refused(400)
    ) -> FramingAttack {
        let size = size ?? "\(String(json.utf8.count, radix: 16))\r\n"
        return Self(name, post("transfer-encoding: chunked\r\n", size + json + end + last + smuggled), expected)
    }

    static let bodyLength: [FramingAttack] = [
        Self(
            "Content-Length, then Transfer-Encoding",
            post("content-length: 5\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n" + smuggled)
        ),
        Self(
            "Transfer-Encoding, then Content-Length",
            post("transfer-encoding: chunked\r\ncontent-length: 5\r\n", "0\r\n\r\n" + smuggled)
        ),
        Self(
            "Content-Length with a Transfer-Encoding of identity",
            post("content-length: 18\r\ntransfer-encoding: identity\r\n", json + smuggled)
        ),
        Self("two differing Content-Lengths", post("content-length: 18\r\ncontent-length: 5\r\n", json + smuggled)),
        Self("two equal Content-Lengths", post("content-length: 18\r\nContent-Length: 18\r\n", json + smuggled)),
        Self("a list of equal Content-Lengths", post("content-length: 18, 18\r\n", json + smuggled)),
        Self("a list of differing Content-Lengths", post("content-length: 18, 5\r\n", json + smuggled)),
        Self("an empty Content-Length", post("content-length:\r\n", json + smuggled)),
        Self("a Content-Length with a plus", post("content-length: +18\r\n", json + smuggled)),
        Self("a negative Content-Length", post("content-length: -1\r\n", json + smuggled)),
        Self("a hexadecimal Content-Length", post("content-length: 0x12\r\n", json + smuggled)),
        Self("a Content-Length with a blank inside", post("content-length: 1 8\r\n", json + smuggled)),
        Self("a Content-Length with a fraction", post("content-length: 18.0\r\n", json + smuggled)),
        Self("a Content-Length with an exponent", post("content-length: 1e1\r\n", json + smuggled)),
        Self("a Content-Length of 2^64 + 18", post("content-length: 18446744073709551634\r\n", json + smuggled)),
        Self("a Content-Length of 30 digits", post("content-length: \(String(repeating: "9", count: 30))\r\n", json)),
        Self("a Content-Length in other digits", post("content-length: \u{0661}\u{0668}\r\n", json + smuggled)),
        Self("a Content-Length with a form feed", post("content-length: \u{0C}18\r\n", json + smuggled)),
        Self("Content_Length beside Content-Length, with a blank", post("content-length : 18\r\n", json + smuggled)),
    ]

    static let transferEncoding: [FramingAttack] =
        [
            "chunked, chunked", "gzip, chunked", "chunked, gzip", "gzip", "identity", "xchunked", "chunkedx",
            "\"chunked\"",
            "chunked;q=1", "\u{0B}chunked", "\u{0C}chunked", "chunked\u{0B}", "chunked\u{00}", ", chunked", "chunked,",
            "",
            "chun ked", "c\u{0130}hunked",
        ].map { coding in
            Self(
                "a Transfer-Encoding of \(coding.debugDescription)",
                post("transfer-encoding: \(coding)\r\n", "12\r\n\(json)\r\n0\r\n\r\n" + smuggled)
            )
        } + [
            Self(
                "Transfer-Encoding twice",
                post(
                    "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
                    "12\r\n\(json)\r\n0\r\n\r\n" + smuggled
                )
            ),
            Self(
                "Transfer-Encoding twice, once identity",
                post(
                    "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
                    "12\r\n\(json)\r\n0\r\n\r\n" + smuggled
                )
            ),
            Self(
                "Transfer-Encoding in HTTP/1.0",
                """
                POST /openai/v1/chat/completions HTTP/1.0\r\nhost: g\r\n\(key)transfer-encoding: chunked\r\n\r\n\
                12\r\n\(json)\r\n0\r\n\r\n\(smuggled)
                """
            ),
            Self(
                "a Transfer-Encoding behind a blank",
                post("transfer-encoding : chunked\r\ncontent-length: 5\r\n", "0\r\n\r\n" + smuggled)
            ),
            Self(
                "a Transfer-Encoding on a folded line",
                post("transfer-encoding:\r\n chunked\r\n", "12\r\n\(json)\r\n0\r\n\r\n" + smuggled)
            ),
        ]

    static let chunk: [FramingAttack] = [
        chunks("a chunk size that is no number", size: "g\r\n"),
        chunks("a negative chunk size", size: "-1\r\n"),
        chunks("a chunk size with a plus", size: "+12\r\n"),
        chunks("a chunk size of 0x", size: "0x12\r\n"),
        chunks("an empty chunk size", size: "\r\n"),
        chunks("a chunk size of 17 digits", size: "10000000000000012\r\n"),
        chunks(
            "a chunk size of 2^64 - 1, which is waited for no longer than any body",
            size: "ffffffffffffffff\r\n",
            .refused(408)
        ),
        chunks("a chunk size with a blank before it", size: " 12\r\n"),
        chunks("a chunk size with a bare LF", size: "12\n"),
        chunks("a chunk size with a bare CR", size: "12\r"),
        chunks("a chunk size with a NUL", size: "12\u{0}\r\n"),
        chunks("a chunk without line end", end: ""),
        chunks("a chunk that ends with a bare LF", end: "\n"),
        chunks("a chunk that ends with a bare CR", end: "\r"),
        chunks("a chunk that is longer than its size", end: "xx\r\n"),
        chunks("a last chunk with a bare LF", last: "0\n\r\n"),
        chunks("a last chunk whose empty line is a bare LF", last: "0\r\n\n"),
        chunks("a chunk size with leading zeros", size: "0000012\r\n", .acceptedOrRefused),
        chunks("a chunk extension", size: "12;name=value\r\n", .acceptedOrRefused),
        chunks("a chunk extension with a quoted text", size: "12;name=\"a;b\"\r\n", .acceptedOrRefused),
        chunks("a chunk extension with a bare LF", size: "12;a\nb\r\n"),
        chunks("a chunk size with a blank behind it", size: "12 \r\n", .acceptedOrRefused),
        chunks("a trailer", last: "0\r\nx-late: 1\r\n\r\n", .acceptedOrRefused),
        chunks("a trailer that frames", last: "0\r\ncontent-length: 5\r\n\r\n", .acceptedOrRefused),
        chunks("a trailer with a bare LF", last: "0\r\nx-late: 1\n\r\n"),
        chunks("a trailer with a NUL", last: "0\r\nx-late: \u{0}\r\n\r\n"),
    ]

    static let fields: [FramingAttack] = [
        Self("a folded field", get("x-a: 1\r\n folded\r\n")),
        Self("a field folded by a tab", get("x-a: 1\r\n\tfolded\r\n")),
        Self("a folded first line", "GET /openai/models HTTP/1.1\r\n host: g\r\n\(key)\r\n"),
        Self("a bare LF behind a field", get("x-a: 1\nx-b: 2\r\n")),
        Self("a bare LF behind the request line", "GET /openai/models HTTP/1.1\nhost: g\r\n\(key)\r\n"),
        Self("a bare LF as the empty line", "GET /openai/models HTTP/1.1\r\nhost: g\r\n\(key)\n"),
        Self("bare LFs everywhere", "GET /openai/models HTTP/1.1\nhost: g\napi-key: key-of-team-a\n\n"),
        Self("a bare CR in a value", get("x-a: 1\rx-b: 2\r\n")),
        Self("a bare CR in a name", get("x\r-a: 1\r\n")),
        Self("a NUL in a value", get("x-a: 1\u{0}2\r\n")),
        Self("a NUL in a name", get("x\u{0}a: 1\r\n")),
        Self("a control character in a value", get("x-a: 1\u{1}2\r\n")),
        Self("a DEL in a value", get("x-a: 1\u{7F}2\r\n")),
        Self("a blank before the colon", get("x-a : 1\r\n")),
        Self("a tab before the colon", get("x-a\t: 1\r\n")),
        Self("a blank before the colon of Host", "GET /openai/models HTTP/1.1\r\nhost : g\r\n\(key)\r\n"),
        Self("a blank inside a name", get("x a: 1\r\n")),
        Self("a field without a colon", get("x-a\r\n")),
        Self("an empty name", get(": 1\r\n")),
        Self("a name that is not ASCII", get("x-\u{E9}: 1\r\n")),
        Self("a name with parentheses", get("x(a): 1\r\n")),
        Self("two Hosts", get("host: other\r\n")),
        Self("two equal Hosts", get("Host: g\r\n")),
        Self("no Host", "GET /openai/models HTTP/1.1\r\n\(key)\r\n"),
        Self("a Host with a path", "GET /openai/models HTTP/1.1\r\nhost: g/x\r\n\(key)\r\n"),
        Self("a Host with a user", "GET /openai/models HTTP/1.1\r\nhost: a@g\r\n\(key)\r\n"),
        Self("a Host with a blank", "GET /openai/models HTTP/1.1\r\nhost: g h\r\n\(key)\r\n"),
        Self("a list of Hosts", "GET /openai/models HTTP/1.1\r\nhost: g, h\r\n\(key)\r\n"),
    ]

    static let requestLine: [FramingAttack] = [
        Self("HTTP/0.9", "GET /openai/models\r\n\r\n"),
        Self("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Self("HTTP/2.0 in a request line", get("", line: "GET /openai/models HTTP/2.0")),
        Self("HTTP/1.2", get("", line: "GET /openai/models HTTP/1.2")),
        Self("HTTP/1.10", get("", line: "GET /openai/models HTTP/1.10")),
        Self("a protocol in lower case", get("", line: "GET /openai/models http/1.1")),
        Self("another protocol", get("", line: "GET /openai/models ICE/1.1")),
        Self("a version with a blank", get("", line: "GET /openai/models HTTP/ 1.1")),
        Self("a method in lower case", get("", line: "get /openai/models HTTP/1.1")),
        Self("a method that nobody knows", get("", line: "FROBNICATE /openai/models HTTP/1.1")),
        Self("an empty method", get("", line: " /openai/models HTTP/1.1")),
        Self("a blank before the method", get("", line: " GET /openai/models HTTP/1.1")),
        Self("two blanks behind the method", get("", line: "GET  /openai/models HTTP/1.1"), .acceptedOrRefused),
        Self("a blank in the target", get("", line: "GET /openai/a b HTTP/1.1")),
        Self("a tab in the request line", get("", line: "GET\t/openai/models\tHTTP/1.1")),
        Self("a NUL in the target", get("", line: "GET /openai/\u{0}models HTTP/1.1")),
        Self("a target that is not ASCII", get("", line: "GET /openai/é HTTP/1.1")),
        Self("a fragment in the target", get("", line: "GET /openai/models#a HTTP/1.1")),
        Self("a target without a slash", get("", line: "GET openai/models HTTP/1.1")),
        Self("dot segments in the target", get("", line: "GET /openai/x/../deployments/gpt-4o-mini/a HTTP/1.1")),
        Self("encoded dot segments", get("", line: "GET /openai/x/%2e%2E/deployments/gpt-4o-mini/a HTTP/1.1")),
        Self("an encoded slash", get("", line: "GET /openai%2Fdeployments/gpt-4o-mini/a HTTP/1.1")),
        Self("a backslash", get("", line: "GET /openai\\deployments\\gpt-4o-mini\\a HTTP/1.1")),
        Self("an empty segment", get("", line: "GET //openai/deployments/gpt-4o-mini/a HTTP/1.1")),
        Self("a broken escape", get("", line: "GET /openai/%zz HTTP/1.1")),
        Self("a target of another scheme", get("", line: "GET ftp://g/openai/models HTTP/1.1")),
        Self("OPTIONS *", get("", line: "OPTIONS * HTTP/1.1")),
        Self("CONNECT", get("", line: "CONNECT example.com:443 HTTP/1.1")),
        Self("TLS on a plain port", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03, 0x0D, 0x0A]),
        Self("rubbish", "\u{FF}\u{FE}\u{0}\u{1}\r\n\r\n"),
    ]
}
