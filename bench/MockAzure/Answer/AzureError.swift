import NIOCore

/// Azure's refusals: a status and the body that goes with it (azure.md 5.6).
struct AzureError {
    /// The code of a prompt that is too long for the model, which is what lets a 400 spill over.
    static let contextTooLongCode = "context_length_exceeded"

    var status: Int
    /// Azure's name for it, where somebody asks for it.
    var code = ""
    let body: String
    var contentType: StaticString = "application/json"
    /// What a 429 is counted as in `/mock/stats`.
    var refusal: String?

    static let wrongKey = AzureError.plain(
        401,
        "401",
        """
        Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an \
        active subscription and use a correct regional API endpoint for your resource.
        """
    )

    /// The one refusal without an `error` object.
    static let wrongToken = AzureError(
        status: 401,
        code: "401",
        body: """
            {"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect \
            (https://cognitiveservices.azure.com), or have expired."}
            """
    )

    static let unknownDeployment = AzureError.plain(
        404,
        "DeploymentNotFound",
        """
        The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, \
        please wait a moment and try again.
        """
    )

    static let unknownResource = AzureError.plain(404, "404", "Resource not found")

    static let wrongMethod = AzureError.plain(405, "405", "Method not allowed")

    static let tooLarge = AzureError.plain(413, "RequestEntityTooLarge", "The request body is too large.")

    static let tooManyHeaders = AzureError.plain(
        431,
        "RequestHeaderFieldsTooLarge",
        "The request has more than \(CustomHeaders.maximum) custom headers."
    )

    /// An event in the middle of a stream that was 200 so far.
    static let inStream: StaticString = """
        data: {"error":{"message":"The server had an error while processing your request. Sorry about that!",\
        "type":"server_error","param":null,"code":"rate_limit_exceeded"}}\n\n
        """

    static func badRequest(_ reason: BadRequest) -> AzureError {
        let param = reason.param.map(Self.json) ?? "null"
        return AzureError(
            status: 400,
            code: reason.code,
            body: """
                {"error":{"message":\(self.json(reason.message)),"type":"invalid_request_error","param":\(param),\
                "code":\(self.json(reason.code))}}
                """
        )
    }

    static func operationNotSupported(_ kind: Route.Kind, model: String) -> AzureError {
        self.plain(
            400,
            "OperationNotSupported",
            """
            The \(kind.modelOperation) operation does not work with the specified model, \(model). Please choose \
            different model and try again. You can learn more about which models can be used with each operation here: \
            https://go.microsoft.com/fwlink/?linkid=2197993.
            """
        )
    }

    // MARK: Bodies

    /// `{"error":{"code":…,"message":…}}`
    static func plain(_ status: Int, _ code: String, _ message: String) -> AzureError {
        let body = "{\"error\":{\"code\":\(self.json(code)),\"message\":\(self.json(message))}}"
        return AzureError(status: status, code: code, body: body)
    }

    /// What the edge in front of Azure answers: no JSON at all.
    static func page(_ status: Int, _ title: String) -> AzureError {
        let name = "\(status) \(title)"
        let body = "<html><head><title>\(name)</title></head><body><h1>\(name)</h1></body></html>\n"
        return AzureError(status: status, code: "\(status)", body: body, contentType: "text/html")
    }

    static func json(_ text: String) -> String {
        var buffer = ByteBuffer()
        buffer.writeJSON(text)
        return String(buffer: buffer)
    }
}
