internal import NIOCore
internal import Transport

/// An answer that the gateway gives in place of Azure, in Azure's error shape.
///
/// `code` is stable and meant for programs; `message` is for the person who reads a log at night: what, and what to do.
package struct GatewayError: Error, Equatable, Sendable {
    /// Who caused it (pingora's three sources).
    package enum Source: String, Sendable {
        case downstream
        case upstream
        case gateway
    }

    package var status: Int
    package var code: String
    package var message: String
    package var source: Source
    /// Milliseconds after which the same request may succeed; answered with `retry-after-ms` and `retry-after`.
    package var retryAfter: Int64?
    /// The cause in more detail than `code`, where Azure's code has to be a number; answered as `innererror.code`.
    package var innerCode: String?
    /// What a 401 says of how to authenticate (RFC 6750 section 3).
    package var challenge: Challenge = .bearer
    /// A word for the log where the caller is not to know more than `code`.
    package var reason: String?

    package enum Challenge: Sendable {
        case bearer
        /// A token came and was refused.
        case invalidToken
    }

    package init(
        _ status: Int,
        _ code: String,
        _ message: String,
        source: Source,
        retryAfter: Int64? = nil,
        innerCode: String? = nil,
        reason: String? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.source = source
        self.retryAfter = retryAfter
        self.innerCode = innerCode
        self.reason = reason
    }

    /// `{"error":{"code":...,"message":...}}`, which every Azure OpenAI SDK reads.
    package var json: String {
        let inner = innerCode.map { ",\"innererror\":{\"code\":\(JSONText.quoted($0))}" } ?? ""
        return "{\"error\":{\"code\":\(JSONText.quoted(code)),\"message\":\(JSONText.quoted(message))\(inner)}}"
    }
}

// MARK: what clients did

extension GatewayError {
    static func badRequest(_ code: String, _ message: String) -> Self {
        Self(400, code, message, source: .downstream)
    }

    /// The text is Azure's own, so that what operators and SDKs know about it stays true.
    static let unknownKey = Self(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. "
            + "Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
        source: .downstream,
        reason: "unknown_key"
    )

    static let differingKeys = Self(
        401,
        "401",
        "Access denied: the headers api-key and Authorization carry different keys; send one of them.",
        source: .downstream,
        reason: "differing_keys"
    )

    /// - Parameter status: 403, or 401 where the configuration says so.
    static func modelNotAllowed(_ model: String, status: Int = 403) -> Self {
        Self(
            status,
            "PermissionDenied",
            "This key may not use the model '\(model)'. Ask the gateway's operator for access.",
            source: .downstream
        )
    }

    static func modelUnknown(_ model: String) -> Self {
        Self(
            404,
            "DeploymentNotFound",
            "The API deployment '\(model)' does not exist at this gateway. Check the deployment or model name.",
            source: .downstream
        )
    }

    static let methodNotAllowed = Self(405, "MethodNotAllowed", "This method is not supported.", source: .downstream)

    static let headTimeout = Self(
        408,
        "RequestTimeout",
        "The request's head or body did not arrive in time.",
        source: .downstream
    )

    static func bodyTooLarge(limit: Int) -> Self {
        Self(413, "RequestTooLarge", "The request body is larger than \(limit) bytes.", source: .downstream)
    }

    static func targetTooLong(limit: Int) -> Self {
        Self(414, "RequestTargetTooLong", "The request target is longer than \(limit) bytes.", source: .downstream)
    }

    static let headTooLarge = Self(
        431,
        "RequestHeaderFieldsTooLarge",
        "The request has too many or too large header fields.",
        source: .downstream
    )

    static func malformed(_ reason: String) -> Self {
        Self(400, "MalformedRequest", "The request is not valid HTTP/1.1: \(reason).", source: .downstream)
    }

    /// For the record only; nobody is there to read it. 499 is nginx's number for it.
    static let clientLeft = Self(499, "client_left", "The client closed the connection.", source: .downstream)
}

// MARK: what the gateway or Azure did

extension GatewayError {
    static let overloaded = Self(
        503,
        "GatewayOverloaded",
        "The gateway is at its limit of requests in flight. Try again shortly.",
        source: .gateway,
        retryAfter: 1000
    )

    static let shuttingDown = Self(
        503,
        "GatewayShuttingDown",
        "The gateway is shutting down. Try again; another replica will answer.",
        source: .gateway,
        retryAfter: 1000
    )

    /// A transfer's failure as clients see it: a reason code, and no detail of what is behind the gateway.
    init(_ error: TransferError) {
        let code = "upstream_\(error.code.rawValue)"
        switch error.code {
        case .firstByteTimeout, .idleTimeout, .totalTimeout, .connectTimeout:
            self.init(504, code, "Azure OpenAI did not answer in time.", source: .upstream)
        case .poolFull, .poolTimeout:
            self.init(
                503,
                code,
                "All connections to Azure OpenAI are busy. Try again shortly.",
                source: .gateway,
                retryAfter: 1000
            )
        case .resources, .misuse:
            self.init(500, code, "The gateway could not send the request.", source: .gateway)
        case .resolve, .connect, .tls, .certificate, .proxy, .send, .receive, .closedEarly, .protocolViolation,
            .headTooLarge, .requestBody, .cancelled:
            self.init(502, code, "Azure OpenAI could not be reached or gave no valid answer.", source: .upstream)
        }
    }
}

/// JSON strings (RFC 8259 section 7) for the few documents that the gateway writes itself.
enum JSONText {
    static func quoted(_ text: some StringProtocol) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _
            where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0x2028 || scalar.value == 0x2029:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
