/// The errors of azure.md 5.6 by name: what the fault `error` can ask for.
enum ErrorFault: String, CaseIterable {
    // 400
    case request
    case operation
    case contextLength = "context-length"
    // 401 and 403
    case key
    case token
    case permission
    case firewall
    // 404
    case deployment
    case path
    // 405 to 431
    case method
    case timeout
    case tooLarge = "too-large"
    case headers
    // 429
    case quotaCalls = "quota-calls"
    case quotaTokens = "quota-tokens"
    case rateLimit = "rate-limit"
    case capacity
    case highDemand = "high-demand"
    // 5xx
    case server
    case unavailable
    /// A page of the edge in front of Azure.
    case html
    /// Plain text.
    case text
    /// No body at all.
    case empty

    /// The error that a status alone stands for; `nil` where it stands for none.
    init?(status: Int) {
        switch status {
        case 400: self = .request
        case 401: self = .key
        case 403: self = .firewall
        case 404: self = .deployment
        case 405: self = .method
        case 408: self = .timeout
        case 413: self = .tooLarge
        case 429: self = .quotaTokens
        case 431: self = .headers
        case 500: self = .server
        case 503: self = .unavailable
        case 502, 504: self = .html
        default: return nil
        }
    }
}

extension AzureError {
    private static let unavailableText =
        "The service is temporarily unable to process your request. Please try again later."

    /// The refusal that the faults of a request ask for; `nil` when they ask for none.
    static func injected(_ request: IncomingRequest) -> AzureError? {
        let faults = request.faults
        if faults.error == nil && (faults.status ?? 200) == 200 { return nil }
        let status = faults.status
        guard let fault = faults.error ?? status.flatMap({ ErrorFault(status: $0) }) else {
            return self.plain(status ?? 500, "\(status ?? 500)", "The mock answers this status as the fault asked for.")
        }
        var error = self.injected(fault, request, status: status)
        if let status { error.status = status }
        if error.status == 429 { error.refusal = fault.rawValue }
        return error
    }

    private static func injected(_ fault: ErrorFault, _ request: IncomingRequest, status: Int?) -> AzureError {
        switch fault {
        case .request: self.badRequest(BadRequest("The request was refused as the fault asked for."))
        case .operation: self.operationNotSupported(request.route.kind, model: "the model of this deployment")
        case .contextLength: self.contextTooLong
        case .key: self.wrongKey
        case .token: self.wrongToken
        case .permission: self.permissionDenied(request)
        case .firewall: self.plain(403, "AccessDenied", "Access denied due to Virtual Network/Firewall rules.")
        case .deployment: self.unknownDeployment
        case .path: self.unknownResource
        case .method: self.wrongMethod
        case .timeout: self.plain(408, "Timeout", "The operation was timeout.")
        case .tooLarge: self.tooLarge
        case .headers: self.tooManyHeaders
        case .quotaCalls: self.quota("call", request)
        case .quotaTokens: self.quota("token", request)
        case .rateLimit: self.exceeded(route: request.route, retryAfter: request.faults.retrySeconds)
        case .capacity: self.tooManyRequests(self.unavailableText, route: request.route)
        case .highDemand:
            self.tooManyRequests("System is experiencing high demand. Please try again later.", route: request.route)
        case .server:
            self.plain(500, "server_error", "The server had an error processing your request. Sorry about that!")
        case .unavailable: self.plain(503, "ServiceUnavailable", self.unavailableText)
        case .html: self.page(status ?? 502, AnswerHead.reason(status ?? 502))
        case .text: AzureError(status: 503, code: "503", body: "upstream connect error\n", contentType: "text/plain")
        case .empty: AzureError(status: 503, code: "503", body: "", contentType: "text/plain")
        }
    }

    private static func quota(_ unit: String, _ request: IncomingRequest) -> AzureError {
        self.quota(
            unit,
            route: request.route,
            apiVersion: request.apiVersion,
            retryAfter: request.faults.retrySeconds
        )
    }

    private static let contextTooLong = AzureError.badRequest(
        BadRequest(
            """
            This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens. \
            Please reduce the length of the messages.
            """,
            code: AzureError.contextTooLongCode,
            param: "messages"
        )
    )

    /// What a principal without the role gets, its token being good.
    private static func permissionDenied(_ request: IncomingRequest) -> AzureError {
        let operation = request.route.kind.path
        return self.plain(
            401,
            "PermissionDenied",
            """
            The principal `00000000-0000-0000-0000-000000000000` lacks the required data action \
            `Microsoft.CognitiveServices/accounts/OpenAI/deployments/\(operation)/action` to perform \
            `POST /openai/deployments/{deployment-id}/\(operation)` operation.
            """
        )
    }
}

extension Faults {
    /// Seconds for the texts that name them; 1 unless a fault says more.
    var retrySeconds: Int {
        self.retryAfter ?? self.retryAfterMilliseconds.map { ($0 + 999) / 1_000 } ?? 1
    }
}
