import NIOCore

/// Azure's refusals: a status and the body that goes with it (azure.md 5.6).
struct AzureError {
    let status: Int
    let body: String
    var contentType: StaticString = "application/json"

    static let wrongKey = AzureError(
        status: 401,
        body: object(
            code: "401",
            message: """
                Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key \
                for an active subscription and use a correct regional API endpoint for your resource.
                """
        )
    )

    /// The one refusal without an `error` object.
    static let wrongToken = AzureError(
        status: 401,
        body: """
            {"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect \
            (https://cognitiveservices.azure.com), or have expired."}
            """
    )

    static let unknownDeployment = AzureError(
        status: 404,
        body: object(
            code: "DeploymentNotFound",
            message: """
                The API deployment for this resource does not exist. If you created the deployment within the last 5 \
                minutes, please wait a moment and try again.
                """
        )
    )

    static let unknownResource = AzureError(status: 404, body: object(code: "404", message: "Resource not found"))

    static let wrongMethod = AzureError(status: 405, body: object(code: "405", message: "Method not allowed"))

    static let tooLarge = AzureError(
        status: 413,
        body: object(code: "RequestEntityTooLarge", message: "The request body is too large.")
    )

    static func badRequest(_ reason: BadRequest) -> AzureError {
        AzureError(status: 400, body: self.invalidRequest(code: "BadRequest", message: reason.message))
    }

    /// An event in the middle of a stream that was 200 so far.
    static let inStream: StaticString = """
        data: {"error":{"message":"The server had an error while processing your request. Sorry about that!",\
        "type":"server_error","param":null,"code":"rate_limit_exceeded"}}\n\n
        """

    /// The refusal a fault asks for, by its status alone.
    static func injected(_ status: Int, route: Route, apiVersion: String?, retryAfter seconds: Int) -> AzureError {
        switch status {
        case 400: self.badRequest(BadRequest("The request was refused as the fault asked for."))
        case 401: self.wrongKey
        case 403: self.plain(403, "AccessDenied", "Access denied due to Virtual Network/Firewall rules.")
        case 404: self.unknownDeployment
        case 405: self.wrongMethod
        case 408: self.plain(408, "Timeout", "The operation was timeout.")
        case 413: self.tooLarge
        case 429: self.rateLimited(route: route, apiVersion: apiVersion, retryAfter: seconds)
        case 431: self.plain(431, "RequestHeaderFieldsTooLarge", "Too many custom headers.")
        case 500:
            self.plain(500, "server_error", "The server had an error processing your request. Sorry about that!")
        case 502: self.page(502, "Bad Gateway")
        case 503:
            self.plain(
                503,
                "ServiceUnavailable",
                "The service is temporarily unable to process your request. Please try again later."
            )
        case 504: self.page(504, "Gateway Timeout")
        default: self.plain(status, "\(status)", "The mock answers \(status) as the fault asked for.")
        }
    }

    private static func rateLimited(route: Route, apiVersion: String?, retryAfter seconds: Int) -> AzureError {
        if route.surface == .v1 {
            return AzureError(
                status: 429,
                body: """
                    {"error":{"type":"too_many_requests","code":"rate_limit_exceeded",\
                    "message":"Your requests to the deployment have exceeded rate limit.","param":null}}
                    """
            )
        }
        let version = apiVersion ?? "2024-10-21"
        return self.plain(
            429,
            "429",
            """
            Requests to the \(route.kind.operation) Operation under Azure OpenAI API version \(version) have exceeded \
            token rate limit of your current OpenAI S0 pricing tier. Please retry after \(seconds) seconds. Please go \
            here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.
            """
        )
    }

    private static func plain(_ status: Int, _ code: String, _ message: String) -> AzureError {
        AzureError(status: status, body: self.object(code: code, message: message))
    }

    /// What the edge in front of Azure answers: no JSON at all.
    private static func page(_ status: Int, _ title: String) -> AzureError {
        let name = "\(status) \(title)"
        let body = "<html><head><title>\(name)</title></head><body><h1>\(name)</h1></body></html>\n"
        return AzureError(status: status, body: body, contentType: "text/html")
    }

    private static func object(code: String, message: String) -> String {
        "{\"error\":{\"code\":\(self.json(code)),\"message\":\(self.json(message))}}"
    }

    private static func invalidRequest(code: String, message: String) -> String {
        """
        {"error":{"message":\(self.json(message)),"type":"invalid_request_error","param":null,"code":\(self.json(code))}}
        """
    }

    private static func json(_ text: String) -> String {
        var buffer = ByteBuffer()
        buffer.writeJSON(text)
        return String(buffer: buffer)
    }
}
