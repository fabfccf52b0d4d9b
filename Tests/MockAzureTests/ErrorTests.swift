import NIOHTTP1
import Testing

@testable import MockAzure

/// azure.md 5.6 and 5.5: refusals and their bodies.
@Suite("A refusal")
struct ErrorTests {
    private static let chat = Mock.chatTarget("gpt-4o")

    // MARK: Credentials

    @Test("of a wrong key names the subscription")
    func wrongKey() throws {
        let reply = try Mock("gpt-4o").chat("gpt-4o", headers: ["api-key": "wrong"])
        #expect(reply.status == 401)
        #expect(
            reply.body == """
                {"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. \
                Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for \
                your resource."}}
                """
        )
    }

    @Test(
        "of a missing or wrong token has no error object",
        arguments: [
            [:], ["authorization": "Bearer wrong"], ["authorization": "Basic key"], ["authorization": "Bearer "],
        ]
            as [HTTPHeaders]
    )
    func wrongToken(headers: HTTPHeaders) throws {
        let reply = try Mock("gpt-4o").chat("gpt-4o", headers: headers)
        #expect(reply.status == 401)
        #expect(
            reply.body == """
                {"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect \
                (https://cognitiveservices.azure.com), or have expired."}
                """
        )
    }

    @Test("does not come to who has the key, as key or as token")
    func credentials() throws {
        let mock = try Mock("gpt-4o")
        #expect(try mock.chat("gpt-4o").status == 200)
        #expect(try mock.chat("gpt-4o", headers: ["authorization": "Bearer key"]).status == 200)
    }

    // MARK: Targets

    @Test("of an unknown deployment is 404, by its path and by its model")
    func unknownDeployment() throws {
        let mock = try Mock("gpt-4o")
        let text = """
            {"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you \
            created the deployment within the last 5 minutes, please wait a moment and try again."}}
            """
        let dated = try mock.chat("other")
        #expect(dated.status == 404 && dated.body == text)
        let v1 = try mock.send(.POST, "/openai/v1/chat/completions", body: Mock.chatBody(#""model":"other""#))
        #expect(v1.status == 404 && v1.body == text)
    }

    @Test(
        "of a wrong path, or a missing or odd api-version on a dated one, is 404",
        arguments: [
            "/openai/deployments/gpt-4o/chat/completions",
            "/openai/deployments/gpt-4o/chat/completions?api-version=",
            "/openai/deployments/gpt-4o/chat/completions?api-version=latest",
            "/openai/deployments/gpt-4o/chat?api-version=2024-10-21",
            "/openai/v2/chat/completions", "/", "/v1/chat/completions",
        ]
    )
    func unknownResource(target: String) throws {
        let reply = try Mock("gpt-4o").send(.POST, target, body: Mock.chatBody())
        #expect(reply.status == 404)
        #expect(reply.body == #"{"error":{"code":"404","message":"Resource not found"}}"#)
    }

    @Test(
        "of an operation that the model cannot do is 400",
        arguments: [
            ("text-embedding-3-small", "chat/completions", Mock.chatBody(), "chatCompletion"),
            ("gpt-4o", "embeddings", #"{"input":"a"}"#, "embeddings"),
            ("whisper", "chat/completions", Mock.chatBody(), "chatCompletion"),
            ("gpt-4o", "completions", #"{"prompt":"a"}"#, "completion"),
            ("mine,kind=image", "chat/completions", Mock.chatBody(), "chatCompletion"),
        ]
    )
    func operationNotSupported(deployment: String, path: String, body: String, operation: String) throws {
        let name = String(deployment.prefix { $0 != "," })
        let reply = try Mock(deployment)
            .send(.POST, "/openai/deployments/\(name)/\(path)?api-version=2024-10-21", body: body)
        #expect(reply.status == 400)
        let start = """
            {"error":{"code":"OperationNotSupported","message":"The \(operation) operation does not work with the \
            specified model, \(name).
            """
        #expect(reply.body.hasPrefix(start))
    }

    @Test("does not come where no model is known")
    func anyOperation() throws {
        let mock = try Mock("*", "west")
        for name in ["west", "text-embedding-3-small"] { #expect(try mock.chat(name).status == 200) }
    }

    // MARK: Sizes

    @Test("of an 11th custom header is 431; headers of HTTP and of Azure are not custom")
    func customHeaders() throws {
        var headers: HTTPHeaders = [
            "api-key": "key", "host": "a", "user-agent": "b", "accept": "c", "accept-encoding": "d",
            "content-type": "application/json", "x-ms-client-request-id": "e", "x-mock-delay": "0",
        ]
        for index in 0..<10 { headers.add(name: "x-custom-\(index)", value: "") }
        #expect(try Mock("gpt-4o").chat("gpt-4o", headers: headers).status == 200)
        headers.add(name: "x-one-more", value: "")
        let refused = try Mock("gpt-4o").chat("gpt-4o", headers: headers)
        #expect(refused.status == 431)
        #expect(refused.body.contains("more than 10 custom headers"))
        #expect(try Mock("gpt-4o").send(.POST, "/mock/echo", headers: headers).status == 200)
    }

    @Test("of the 2,049th message is 400")
    func messages() throws {
        let message = #"{"role":"user","content":"a"}"#
        for (count, status) in [(2_048, 200), (2_049, 400)] {
            let body = #"{"messages":[\#(Array(repeating: message, count: count).joined(separator: ","))]}"#
            let reply = try Mock("gpt-4o").send(.POST, Self.chat, body: body)
            #expect(reply.status == status)
            #expect(reply.body.contains("got an array with length 2049") == (status == 400))
        }
    }

    @Test("of the 129th tool is 400")
    func tools() throws {
        let tool = #"{"type":"function","function":{"name":"f"}}"#
        for (count, status) in [(128, 200), (129, 400)] {
            let tools = Array(repeating: tool, count: count).joined(separator: ",")
            let reply = try Mock("gpt-4o").chat("gpt-4o", #""tools":[\#(tools)]"#)
            #expect(reply.status == status)
            #expect(reply.body.contains(#""param":"tools","code":"array_above_max_length""#) == (status == 400))
        }
    }

    @Test("of the 2,049th input is 400")
    func inputs() throws {
        let target = "/openai/deployments/embedding/embeddings?api-version=2024-10-21"
        for (count, status) in [(2_048, 200), (2_049, 400)] {
            let inputs = Array(repeating: "\"a\"", count: count).joined(separator: ",")
            #expect(try Mock("embedding").send(.POST, target, body: #"{"input":[\#(inputs)]}"#).status == status)
        }
    }

    // MARK: On demand

    /// Name, status, and what the body says.
    static let injected: [(ErrorFault, Int, String)] = [
        (.request, 400, #""code":"BadRequest""#),
        (
            .operation, 400,
            #"{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation does not"#
        ),
        (.contextLength, 400, #""code":"context_length_exceeded""#),
        (.key, 401, #"{"error":{"code":"401","message":"Access denied due to invalid subscription key"#),
        (.token, 401, #"{"statusCode":401,"message":"Unauthorized. Access token is missing"#),
        (.permission, 401, #"{"error":{"code":"PermissionDenied","message":"The principal `"#),
        (.firewall, 403, #"{"error":{"code":"AccessDenied""#),
        (.deployment, 404, #"{"error":{"code":"DeploymentNotFound""#),
        (.path, 404, #"{"error":{"code":"404","message":"Resource not found"}}"#),
        (.method, 405, #"{"error":{"code":"405""#),
        (.timeout, 408, #"{"error":{"code":"Timeout","message":"The operation was timeout."}}"#),
        (.tooLarge, 413, #"{"error":{"code":"RequestEntityTooLarge""#),
        (.headers, 431, #"{"error":{"code":"RequestHeaderFieldsTooLarge""#),
        (
            .quotaCalls, 429,
            "have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 7"
        ),
        (
            .quotaTokens, 429,
            "have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 7"
        ),
        (.rateLimit, 429, "Rate limit is exceeded. Try again in 7 seconds."),
        (.capacity, 429, "The service is temporarily unable to process your request."),
        (.highDemand, 429, "System is experiencing high demand."),
        (.server, 500, #"{"error":{"code":"server_error","message":"The server had an error"#),
        (.unavailable, 503, "The service is temporarily unable to process your request. Please try again later."),
        (.html, 502, "<html><head><title>502 Bad Gateway</title>"),
        (.text, 503, "upstream connect error\n"),
        (.empty, 503, ""),
    ]

    @Test("comes in every shape that a fault asks for", arguments: Self.injected)
    func shape(fault: ErrorFault, status: Int, text: String) throws {
        let reply = try Mock("gpt-4o").chat("gpt-4o", #""mock":{"error":"\#(fault.rawValue)","retry-after":7}"#)
        #expect(reply.status == status)
        #expect(reply.body.contains(text) || reply.body == text)
        #expect(reply.header("retry-after") == "7")
    }

    @Test("is told for every fault there is")
    func complete() {
        #expect(Set(Self.injected.map(\.0)) == Set(ErrorFault.allCases))
    }

    @Test("has the permission's action and operation by name")
    func permission() throws {
        let reply = try Mock("gpt-4o").chat("gpt-4o", #""mock":{"error":"permission"}"#)
        let text = """
            lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/\
            action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."}}
            """
        #expect(reply.body.hasSuffix(text))
    }

    @Test(
        "has v1's shape for a 429 on v1",
        arguments: [ErrorFault.quotaCalls, .quotaTokens, .rateLimit, .capacity, .highDemand]
    )
    func v1(fault: ErrorFault) throws {
        let body = Mock.chatBody(#""model":"gpt-4o","mock":{"error":"\#(fault.rawValue)"}"#)
        let reply = try Mock("gpt-4o").send(.POST, "/openai/v1/chat/completions", body: body)
        #expect(reply.status == 429)
        #expect(reply.body.hasPrefix(#"{"error":{"type":"too_many_requests","code":"rate_limit_exceeded","message":""#))
    }

    @Test("takes another status, or stands for one alone")
    func status() throws {
        let mock = try Mock("gpt-4o")
        #expect(try mock.chat("gpt-4o", #""mock":{"error":"html","status":504}"#).body.contains("504 Gateway Timeout"))
        let odd = try mock.chat("gpt-4o", #""mock":{"error":"timeout","status":503}"#)
        #expect(odd.status == 503 && odd.body.contains("The operation was timeout."))
        #expect(try mock.chat("gpt-4o", #""mock":{"status":418}"#).status == 418)
        let wrong = try mock.chat("gpt-4o", #""mock":{"error":"banana"}"#)
        #expect(wrong.status == 400 && wrong.body.contains("expected request, operation, context-length, key"))
    }
}
