import Coordination
import Testing
import Transport

@testable import Gateway

/// Azure's answers, word for word as they were captured.
@Suite("What came of an attempt")
struct VerdictTests {
    private static let now: Int64 = 1_234_567_890

    enum Expected: Equatable {
        /// The client gets it, and nothing is held against the deployment.
        case client
        /// Another deployment, and an alarm: an operator must look.
        case misconfigured
        /// Another deployment; several in a row cool this one.
        case suspect(Failure.Kind)
        /// Another deployment; this one cools as long as it said, or by back-off.
        case failed(Failure.Kind, Int64?)

        init(_ verdict: Verdict) {
            self =
                switch verdict.finding {
                case .healthy: .client
                case .misconfigured: .misconfigured
                case .suspect(let failure): .suspect(failure.kind)
                case .failed(let failure): .failed(failure.kind, failure.cooldown)
                }
        }

        var triesNext: Bool { self != .client }
    }

    private static func error(_ code: String, _ message: String) -> String {
        #"{"error":{"code":"\#(code)","message":"\#(message)"}}"#
    }

    private static let filtered =
        #"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#
    private static let denied = error(
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key."
    )
    private static let wrongAudience =
        #"{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."}"#
    private static let lacksRole = error(
        "PermissionDenied",
        "The principal `x` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."
    )
    private static let notDeployed = error(
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
    )
    private static let callQuota = error(
        "429",
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-06-01 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 8 seconds."
    )
    private static let newQuota =
        #"{"error":{"type":"too_many_requests","code":"rate_limit_exceeded","message":"Your requests to the deployment have exceeded rate limit.","param":null}}"#
    private static let day = error("429", "Please retry after 86400 seconds.")

    static let answers: [(status: Int, fields: [String], body: String, expected: Expected)] = [
        (200, [], "{}", .client),
        (201, [], "{}", .client),
        (204, [], "", .client),
        (302, [], "", .client),
        (304, [], "", .client),

        // The client's own.
        (400, [], error("OperationNotSupported", "The chatCompletion operation does not work with it"), .client),
        (400, [], filtered, .client),
        (400, ["retry-after: 5"], error("context_length_exceeded", "rate limit"), .client),
        (402, [], "", .client),
        (404, [], error("404", "Resource not found"), .client),
        (404, [], "<html>no JSON</html>", .client),
        (404, [], "", .client),
        (405, [], "", .client),
        (409, [], "", .client),
        (413, [], "", .client),
        (415, [], "", .client),
        (422, [], "", .client),
        (424, [], "", .client),
        (431, [], "", .client),
        (451, [], "", .client),
        (499, [], "", .client),

        // The operator's.
        (401, [], denied, .misconfigured),
        (401, [], wrongAudience, .misconfigured),
        (401, [], lacksRole, .misconfigured),
        (401, [], "", .misconfigured),
        (403, [], error("AccessDenied", "Access denied due to Virtual Network/Firewall rules."), .misconfigured),
        (404, [], notDeployed, .misconfigured),
        (
            404, [],
            #"{"error":{"type":null,"code":"DeploymentNotFound","message":"x","innererror":{}}}"#, .misconfigured
        ),

        // The deployment's limit.
        (429, ["retry-after-ms: 1500"], callQuota, .failed(.quota, 1_500)),
        (429, ["retry-after: 3"], callQuota, .failed(.quota, 3_000)),
        (429, ["retry-after: Fri, 13 Feb 2009 23:31:40 GMT"], callQuota, .failed(.quota, 10_000)),
        (429, ["x-ratelimit-reset-tokens: 6m0s"], newQuota, .failed(.quota, 300_000)),
        (429, [], callQuota, .failed(.quota, 8_000)),
        (429, [], newQuota, .failed(.quota, nil)),
        (429, [], "<html>", .failed(.quota, nil)),
        (429, ["retry-after: 86400"], newQuota, .failed(.quota, 300_000)),
        (429, [], day, .failed(.quota, 300_000)),
        (429, ["retry-after: -1"], newQuota, .failed(.quota, nil)),
        (429, ["retry-after: 0"], newQuota, .failed(.quota, nil)),
        (429, ["retry-after: later"], newQuota, .failed(.quota, nil)),
        (429, ["retry-after-ms: 5"], newQuota, .failed(.quota, 5)),

        // Azure's trouble.
        (408, [], error("Timeout", "The operation was timeout."), .suspect(.timeout)),
        (
            500, [], error("server_error", "The server had an error while processing your request."),
            .suspect(.serverError)
        ),
        (500, ["retry-after: 2"], "", .failed(.serverError, 2_000)),
        (502, [], "<html>", .suspect(.serverError)),
        (504, [], "", .suspect(.serverError)),
        (503, [], error("503", "The service is temporarily unable to process your request."), .failed(.overload, nil)),
        (503, ["retry-after: 20"], "", .failed(.overload, 20_000)),
        (529, ["retry-after: 86400"], "", .failed(.overload, 300_000)),
        (599, [], "", .suspect(.serverError)),
    ]

    @Test("is read from the status, the fields and the body", arguments: answers)
    func answer(status: Int, fields: [String], body: String, expected: Expected) throws {
        let verdict = try Self.verdict(status, fields, body)
        #expect(Expected(verdict) == expected)
        #expect(verdict.triesNext == expected.triesNext)
        if expected != .client { #expect(Verdict.needsBody(status: status)) }
    }

    @Test("is the client's where the refused credentials are its own")
    func clientsCredentials() throws {
        for status in [401, 403] { #expect(try Self.verdict(status, [], Self.denied, own: false) == .healthy) }
    }

    @Test("of every status there is takes no more than those that another deployment could mend")
    func everyStatus() throws {
        for status in 200...599 {
            let triesNext = try Self.verdict(status, [], "").triesNext
            #expect(triesNext == ([401, 403, 408, 429].contains(status) || status >= 500), "\(status)")
        }
    }

    @Test("a wait gets up to a tenth more, up to a second, and never less")
    func jitter() throws {
        for (wait, most) in [("1", 1_100), ("8", 8_800), ("60", 61_000), ("290", 291_000)] as [(String, Int64)] {
            for jitter in [0, 50, 100] as [Int64] {
                let verdict = try Self.verdict(429, ["retry-after: \(wait)"], "", jitter: jitter)
                guard case .failed(let failure) = verdict.finding, let cooldown = failure.cooldown else {
                    Issue.record("no cooldown")
                    continue
                }
                let asked = try #require(Int64(wait)) * 1000
                #expect((asked...most).contains(cooldown))
                if jitter == 0 { #expect(cooldown == asked) }
                if jitter == 100 { #expect(cooldown == most) }
            }
        }
    }

    @Test("a refusal tells what is left, and its message names the limit that is used up")
    func feedback() throws {
        let left = ["x-ratelimit-remaining-requests: 7", "x-ratelimit-remaining-tokens: 4000"]
        let cases: [([String], String, Int64?, Int64?)] = [
            ([], "", nil, nil),
            (left, "", 7, 4000),
            (left, Self.callQuota, 0, 4000),
            (left, Self.callQuota.replacing("call rate", with: "token rate"), 7, 0),
            ([], Self.callQuota, 0, nil),
            (["x-ratelimit-remaining-tokens: -3"], "", nil, 0),
            (["x-ratelimit-remaining-tokens: many"], "", nil, nil),
        ]
        for (fields, body, requests, tokens) in cases {
            guard case .failed(let failure) = try Self.verdict(429, fields, body).finding else {
                Issue.record("a 429 is a failure")
                continue
            }
            #expect(failure.feedback == Feedback(requests: requests, tokens: tokens), "\(fields) \(body)")
        }
    }

    static let errors: [(code: TransferError.Code, expected: Expected, triesNext: Bool)] = [
        (.resolve, .failed(.connection, nil), true),
        (.connect, .failed(.connection, nil), true),
        (.connectTimeout, .failed(.connection, nil), true),
        (.tls, .failed(.connection, nil), true),
        (.certificate, .failed(.connection, nil), true),
        (.proxy, .failed(.connection, nil), true),
        (.firstByteTimeout, .failed(.timeout, nil), true),
        (.send, .suspect(.serverError), true),
        (.receive, .suspect(.serverError), true),
        (.closedEarly, .suspect(.serverError), true),
        (.protocolViolation, .suspect(.serverError), true),
        (.headTooLarge, .suspect(.serverError), true),
        (.idleTimeout, .suspect(.serverError), true),
        // The gateway's own bounds say nothing about the deployment.
        (.poolFull, .client, true),
        (.poolTimeout, .client, true),
        // Another deployment would take as long, or get the same.
        (.totalTimeout, .client, false),
        (.requestBody, .client, false),
        (.cancelled, .client, false),
        (.resources, .client, false),
        (.misuse, .client, false),
    ]

    @Test("without an answer is read from the way the transfer ended", arguments: errors)
    func transfer(code: TransferError.Code, expected: Expected, triesNext: Bool) {
        let error = TransferError(code, blame: .upstream, mayHaveReachedServer: true, cause: "test")
        let verdict = Verdict.of(error, jitter: 0)
        #expect(Expected(verdict) == expected)
        #expect(verdict.triesNext == triesNext)
    }

    @Test("every way that a transfer can end is judged")
    func everyTransferError() {
        #expect(Set(Self.errors.map(\.code)) == Set(TransferError.Code.allCases))
    }

    static let events: [(event: String, fields: [String], expected: Expected)] = [
        (newQuota, [], .failed(.quota, nil)),
        (newQuota, ["retry-after: 3"], .failed(.quota, 3_000)),
        (newQuota, ["retry-after-ms: 300"], .failed(.quota, 300)),
        (newQuota, ["retry-after: 86400"], .failed(.quota, 300_000)),
        (callQuota, ["retry-after: 3"], .failed(.quota, 8_000)),
        (day, [], .failed(.quota, 300_000)),
        (
            #"{"error":{"message":"The server is overloaded: no_kv_space.","type":"server_error","code":"rate_limit_exceeded"}}"#,
            [], .failed(.overload, nil)
        ),
        (error("500", "System is experiencing high demand"), [], .failed(.overload, nil)),
        (error("server_error", "The server had an error"), [], .suspect(.serverError)),
        (error("server_error", "The server had an error"), ["retry-after: 4"], .failed(.serverError, 4_000)),
        (
            #"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"},"usage":null}}"#,
            [], .suspect(.serverError)
        ),
        (filtered, [], .client),
        (error("invalid_request_error", "Unknown parameter: 'stream_options'."), [], .client),
        (error("invalid_prompt", "Something is wrong with it"), [], .client),
        (#"{"error":{}}"#, [], .client),
    ]

    @Test("within a 200 is read from the event, then from the head", arguments: events)
    func inBand(event: String, fields: [String], expected: Expected) throws {
        let error = try #require(UsageReader(.json, Array(event.utf8)).error)
        let head = try ResponseHead.of(200, fields)
        let verdict = Verdict.of(error, head: head, jitter: 0, now: Self.now)
        #expect(Expected(verdict) == expected)
        #expect(verdict.triesNext == expected.triesNext)
    }

    @Test("of a single request is not enough to call a deployment down")
    func streaks() {
        let (one, other) = (
            DeploymentID(endpoint: "west", deployment: "gpt-4o"), DeploymentID(endpoint: "east", deployment: "gpt-4o")
        )
        var streaks = FailureStreaks()
        func failed(_ deployment: DeploymentID, _ times: Int) -> [Bool] {
            (0..<times).map { _ in streaks.failed(deployment) }
        }
        #expect(failed(one, 3) == [false, false, true])
        #expect(failed(one, 2) == [false, false])
        #expect(failed(other, 1) == [false])
        streaks.succeeded(one)
        #expect(failed(one, 3) == [false, false, true])
        #expect(failed(other, 2) == [false, true])
    }

    private static func verdict(
        _ status: Int,
        _ fields: [String],
        _ body: String,
        own: Bool = true,
        jitter: Int64 = 0
    ) throws -> Verdict {
        let head = try ResponseHead.of(status, fields)
        return Array(body.utf8).withUnsafeBytes {
            Verdict.of(head, body: $0, ownCredentials: own, jitter: jitter, now: now)
        }
    }
}
