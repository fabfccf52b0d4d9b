internal import NIOHTTP1
internal import Transport

/// What the gateway itself reads of a request's header fields, found in one pass.
///
/// Rules: RFC 9110 section 5, RFC 9112 sections 3.2, 6.1 to 6.3. NIO's parser (llhttp, strict) has already refused folded
/// fields, bare LF, NUL, white space before a colon, Content-Length with Transfer-Encoding, and repeated Content-Lengths.
struct RequestFields: ~Copyable {
    var apiKey: String?
    var authorization: String?
    var contentType: String?
    /// The first one; Azure reads no JSON that has any.
    var contentEncoding: String?
    /// `nil`: no Content-Length was sent.
    var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    /// As it came; empty where it came more than once, which is no valid one.
    var traceparent: String?
    /// Of several fields one list (RFC 9110 section 5.3).
    var tracestate: String?
    /// Lower-case names that `Connection` lists: for this hop only.
    var connectionNames: [String] = []

    /// Reads the fields.
    ///
    /// - Throws: what is wrong with them.
    init(_ head: HTTPRequestHead, maxFields: Int, maxBytes: Int) throws(GatewayError) {
        var hosts = 0
        var bytes = 0
        guard head.headers.count <= maxFields else { throw .headTooLarge }
        for (name, value) in head.headers {
            bytes += name.utf8.count + value.utf8.count
            guard bytes <= maxBytes else { throw .headTooLarge }
            switch name.utf8.count {
            case 4 where name.isSame("host"):
                hosts += 1
                guard Self.isHost(value) else { throw .malformed("the Host header is not a host") }
            case 6 where name.isSame("expect"):
                guard value.isSame("100-continue") else {
                    throw GatewayError(
                        417,
                        "ExpectationFailed",
                        "Only 'Expect: 100-continue' is known.",
                        source: .downstream
                    )
                }
                // HTTP/1.0 knows no interim answers (RFC 9110 section 10.1.1).
                expectsContinue = head.version != .http1_0
            case 7 where name.isSame("api-key"):
                guard apiKey == nil else { throw .differingKeys }
                apiKey = value
            case 10 where name.isSame("connection"):
                if value.isSame("keep-alive") { continue }
                for part in value.split(separator: ",") {
                    let token = part.trimmed.lowercased()
                    if token != "close", token != "keep-alive", !token.isEmpty { connectionNames.append(token) }
                }
            case 10 where name.isSame("tracestate"):
                tracestate = tracestate.map { "\($0),\(value)" } ?? value
            case 11 where name.isSame("traceparent"):
                traceparent = traceparent == nil ? value : ""
            case 12 where name.isSame("content-type"):
                guard contentType == nil else { throw .malformed("more than one Content-Type") }
                contentType = value
            case 13 where name.isSame("authorization"):
                guard authorization == nil else { throw .differingKeys }
                authorization = value
            case 14 where name.isSame("content-length"):
                guard contentLength == nil, let length = Self.length(value) else {
                    throw .malformed("the Content-Length is not one decimal number")
                }
                contentLength = length
            case 16 where name.isSame("content-encoding"):
                contentEncoding = contentEncoding ?? value
            case 17 where name.isSame("transfer-encoding"):
                guard !isChunked, value.isSame("chunked") else {
                    throw .malformed("the only Transfer-Encoding supported is chunked")
                }
                isChunked = true
            default:
                break
            }
        }
        if isChunked, contentLength != nil {
            throw .malformed("Content-Length together with Transfer-Encoding")
        }
        if isChunked, head.version == .http1_0 {
            throw .malformed("Transfer-Encoding in an HTTP/1.0 request")
        }
        if hosts > 1 { throw .malformed("more than one Host header") }
        if hosts == 0, head.version != .http1_0 { throw .malformed("no Host header") }
    }

    /// 1*DIGIT that fits; no sign, no list.
    private static func length(_ value: String) -> Int? {
        guard !value.isEmpty, value.utf8.count <= 18, value.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(value)
    }

    /// RFC 3986 host and port by their characters; empty is allowed (RFC 9112 section 3.2).
    private static func isHost(_ value: String) -> Bool {
        value.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "!"), UInt8(ascii: "$"),
                UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
                UInt8(ascii: "+"), UInt8(ascii: ";"), UInt8(ascii: "="):
                true
            default: false
            }
        }
    }
}

extension StringProtocol {
    /// Without blanks and tabs at both ends.
    var trimmed: SubSequence {
        let bytes = utf8
        var start = bytes.startIndex
        while start < bytes.endIndex, HeaderBytes.isBlank(bytes[start]) { bytes.formIndex(after: &start) }
        var end = start
        var index = start
        while index < bytes.endIndex {
            let isBlank = HeaderBytes.isBlank(bytes[index])
            bytes.formIndex(after: &index)
            if !isBlank { end = index }
        }
        return self[start..<end]
    }

    /// A Content-Type without its parameters (RFC 9110 section 8.3.1).
    var mediaType: SubSequence.SubSequence {
        let bytes = utf8
        return self[..<(bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex)].trimmed
    }
}
