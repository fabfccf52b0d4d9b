import NIOCore

/// Everything the head of an answer is written from.
struct AnswerHead {
    /// How the end of the body is told (RFC 9112 section 6.3).
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// For HTTP/1.0: the body ends with the connection.
        case untilClose
    }

    let status: Int
    let contentType: StaticString
    let framing: Framing
    let deployment: String?
    let limits: LimitHeaders?
    let allow: [String]
    let faults: Faults
    let keepAlive: Bool
    /// HTTP/1.0 closes unless told otherwise; later versions keep the connection.
    let isVersion10: Bool

    /// The figures in `x-ratelimit-*` of a deployment without limits, which counts but does not refuse.
    static let requestLimit = 1_000_000
    static let tokenLimit = 100_000_000

    func write(into buffer: inout ByteBuffer, loop: LoopState) {
        self.writeStatusLine(into: &buffer)
        buffer.writeStaticString("content-type: ")
        buffer.writeStaticString(self.contentType)
        self.writeFraming(into: &buffer)
        self.writeIdentifiers(into: &buffer, loop: loop)
        if let deployment { self.writeDeployment(deployment, into: &buffer, loop: loop) }
        if !self.allow.isEmpty { buffer.writeString("\r\nallow: \(self.allow.joined(separator: ", "))") }
        if self.faults.any { self.writeFaults(into: &buffer) }
        if !self.keepAlive {
            buffer.writeStaticString("\r\nconnection: close")
        } else if self.isVersion10 {
            buffer.writeStaticString("\r\nconnection: keep-alive")
        }
        buffer.writeStaticString("\r\ndate: ")
        buffer.writeImmutableBuffer(loop.date)
        buffer.writeStaticString("\r\n\r\n")
    }

    private func writeStatusLine(into buffer: inout ByteBuffer) {
        if self.faults.garbage == .statusLine {
            buffer.writeStaticString("BANANA/9 two hundred\r\n")
        } else if self.status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            buffer.writeString("HTTP/1.1 \(self.status) \(Self.reason(self.status))\r\n")
        }
    }

    private func writeFraming(into buffer: inout ByteBuffer) {
        switch self.framing {
        case .length where self.status == 204 || self.status == 304:
            break
        case .length where self.faults.garbage == .length:
            buffer.writeStaticString("\r\ncontent-length: banana")
        case .length(let count):
            buffer.writeStaticString("\r\ncontent-length: ")
            buffer.writeDecimal(count)
            if self.faults.garbage == .twoLengths {
                buffer.writeStaticString("\r\ncontent-length: ")
                buffer.writeDecimal(count + 7)
            }
        case .chunked:
            buffer.writeStaticString("\r\ntransfer-encoding: chunked")
        case .untilClose:
            break
        }
    }

    private func writeIdentifiers(into buffer: inout ByteBuffer, loop: LoopState) {
        buffer.writeStaticString("\r\napim-request-id: ")
        loop.writeGUID(into: &buffer)
        buffer.writeStaticString("\r\nx-request-id: ")
        loop.writeGUID(into: &buffer)
        buffer.writeStaticString("\r\nx-ms-region: East US 2\r\nx-ms-client-request-id: Not-Set")
    }

    private func writeDeployment(_ deployment: String, into buffer: inout ByteBuffer, loop: LoopState) {
        buffer.writeStaticString("\r\nx-ms-deployment-name: ")
        // A name comes from the client's path or body: a line break in it would be a second header.
        buffer.writeBytes(deployment.utf8.lazy.filter { $0 >= 0x20 && $0 != 0x7F })
        let isServed = self.status == 200 || self.status == 429
        if isServed { buffer.writeStaticString("\r\nx-ms-rai-invoked: true") }
        if let limits {
            limits.write(into: &buffer)
        } else if isServed {
            Self.writeNominalLimits(into: &buffer, loop: loop)
        }
    }

    private static func writeNominalLimits(into buffer: inout ByteBuffer, loop: LoopState) {
        buffer.writeStaticString("\r\nx-ratelimit-limit-requests: ")
        buffer.writeDecimal(Self.requestLimit)
        buffer.writeStaticString("\r\nx-ratelimit-limit-tokens: ")
        buffer.writeDecimal(Self.tokenLimit)
        buffer.writeStaticString("\r\nx-ratelimit-remaining-requests: ")
        buffer.writeDecimal(max(0, Self.requestLimit - loop.requestsThisMinute))
        buffer.writeStaticString("\r\nx-ratelimit-remaining-tokens: ")
        buffer.writeDecimal(max(0, Self.tokenLimit - loop.tokensThisMinute))
    }

    private func writeFaults(into buffer: inout ByteBuffer) {
        // A real refusal knows better when to come again.
        let isRefused = self.limits?.retryAfter != nil
        if let seconds = self.faults.retryAfter, !isRefused {
            buffer.writeString("\r\nretry-after: \(seconds)")
        }
        if let milliseconds = self.faults.retryAfterMilliseconds, !isRefused {
            buffer.writeString("\r\nretry-after-ms: \(milliseconds)")
        }
        switch self.faults.garbage {
        case .header:
            buffer.writeStaticString("\r\nthis line has no colon\r\nx-broken: a\0b")
        case .hugeHeader:
            buffer.writeStaticString("\r\nx-huge: ")
            buffer.writeRepeatingByte(UInt8(ascii: "h"), count: 1024 * 1024)
        case .statusLine, .length, .twoLengths, .chunk, .extra, nil:
            break
        }
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 201: "Created"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Access Denied"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Mock Status"
        }
    }
}
