internal import CCurl

/// Why a transfer ended without a complete answer.
package struct TransferError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, in the field's words; stable, for metrics and logs.
    package enum Code: String, Sendable, CaseIterable {
        case resolve = "resolve_failed"
        case connect = "connect_failed"
        case tls = "tls_failed"
        case certificate = "certificate_rejected"
        case proxy = "proxy_failed"
        case connectTimeout = "connect_timeout"
        case poolTimeout = "pool_timeout"
        case poolFull = "pool_full"
        case firstByteTimeout = "first_byte_timeout"
        case idleTimeout = "idle_timeout"
        case totalTimeout = "total_timeout"
        case send = "send_failed"
        case receive = "receive_failed"
        case closedEarly = "closed_early"
        case protocolViolation = "protocol_violation"
        case headTooLarge = "head_too_large"
        case requestBody = "request_body_failed"
        case cancelled = "cancelled"
        case resources = "out_of_resources"
        case misuse = "internal_error"
    }

    /// Whose doing it is.
    package enum Blame: String, Sendable {
        /// The server, or the way to it.
        case upstream
        /// Our configuration names something that cannot work (a host that does not exist, a certificate not trusted).
        case configuration
        /// The one for whom the transfer ran: it gave up, or its request body failed.
        case caller
        /// This process.
        case gateway
    }

    package let code: Code
    package let blame: Blame
    /// Whether the server can have seen the request, and so may have acted on it: false only when certain.
    package let mayHaveReachedServer: Bool
    /// libcurl's or the system's words; for logs, never for clients.
    package let cause: String

    package init(_ code: Code, blame: Blame, mayHaveReachedServer: Bool, cause: String) {
        self.code = code
        self.blame = blame
        self.mayHaveReachedServer = mayHaveReachedServer
        self.cause = cause
    }

    package var description: String { "\(code.rawValue): \(cause)" }
}

extension TransferError {
    static func resources(_ call: String, _ errno: Int32) -> Self {
        Self(.resources, blame: .gateway, mayHaveReachedServer: false, cause: "\(call) failed, errno \(errno)")
    }

    static func timeout(_ code: Code, sent: Bool) -> Self {
        Self(code, blame: .upstream, mayHaveReachedServer: sent, cause: "no progress within the configured time")
    }

    static func cancelled(sent: Bool) -> Self {
        Self(.cancelled, blame: .caller, mayHaveReachedServer: sent, cause: "cancelled")
    }

    static let headTooLarge = Self(
        .headTooLarge,
        blame: .upstream,
        mayHaveReachedServer: true,
        cause: "a response head above \(ResponseHead.maximumBytes) bytes or \(ResponseHead.maximumFields) fields"
    )

    static let connectionDied = Self(
        .closedEarly,
        blame: .upstream,
        mayHaveReachedServer: true,
        cause: "a kept connection took the request and closed before a byte of the answer"
    )

    static func violation(_ cause: String) -> Self {
        Self(.protocolViolation, blame: .upstream, mayHaveReachedServer: true, cause: cause)
    }

    /// libcurl's code as ours (curl_easy_perform(3), libcurl-errors(3)).
    ///
    /// - Parameters:
    ///   - sent: whether any byte of the request left; it settles `mayHaveReachedServer` where the code alone cannot.
    ///   - connected: whether a connection stood; it tells a connect timeout from the others.
    init(curl code: CURLcode, sent: Bool, connected: Bool) {
        let (kind, blame): (Code, Blame) =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST: (.resolve, .upstream)
            case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: (.proxy, .upstream)
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: (.connect, .upstream)
            case CURLE_SSL_CONNECT_ERROR, CURLE_USE_SSL_FAILED: (.tls, .upstream)
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
                (.certificate, .configuration)
            case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_NOTFOUND,
                CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CIPHER:
                (.tls, .configuration)
            case CURLE_OPERATION_TIMEDOUT: (connected ? .firstByteTimeout : .connectTimeout, .upstream)
            case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND: (.send, .upstream)
            case CURLE_RECV_ERROR: (.receive, .upstream)
            case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: (.closedEarly, .upstream)
            case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_BAD_CONTENT_ENCODING,
                CURLE_UNSUPPORTED_PROTOCOL, CURLE_TOO_MANY_REDIRECTS, CURLE_RANGE_ERROR, CURLE_CHUNK_FAILED:
                (.protocolViolation, .upstream)
            case CURLE_READ_ERROR, CURLE_ABORTED_BY_CALLBACK: (.requestBody, .caller)
            case CURLE_WRITE_ERROR: (.cancelled, .caller)
            case CURLE_OUT_OF_MEMORY: (.resources, .gateway)
            case CURLE_URL_MALFORMAT: (.misuse, .configuration)
            default: (.misuse, .gateway)
            }
        let neverSent: Bool =
            switch kind {
            case .resolve, .connect, .tls, .certificate, .proxy, .connectTimeout, .poolTimeout, .poolFull: true
            case .firstByteTimeout, .idleTimeout, .totalTimeout, .send, .receive, .closedEarly, .protocolViolation,
                .headTooLarge, .requestBody, .cancelled, .resources, .misuse:
                false
            }
        self.init(
            kind,
            blame: blame,
            mayHaveReachedServer: sent && !neverSent,
            cause: String(cString: curl_easy_strerror(code))
        )
    }
}
