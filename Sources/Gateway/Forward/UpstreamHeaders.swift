internal import NIOHTTP1
internal import Transport

/// What an attempt shows Azure.
enum UpstreamCredential: Equatable {
    case none
    /// The value of `api-key`.
    case apiKey(String)
    /// The value of `Authorization`.
    case authorization(String)
}

/// Which of a client's header fields go to Azure: those named here and no others.
///
/// Azure answers 431 to more than ten custom header fields (learn.microsoft.com, "Azure OpenAI quotas and limits"), so
/// there is an allow-list: four of them are custom, the credential is a fifth, and an endpoint may name five more.
struct UpstreamHeaders {
    /// Most names that `forward_headers` may list.
    static let maxForwarded = 5

    /// The endpoint's own additions, in lower case, but for those of traces.
    let forwarded: [String]
    /// They are checked and made anew instead of forwarded: `Exchange.addTrace`.
    let forwardsTrace: Bool
    let forwardsTraceState: Bool

    /// - Parameter forwarded: the endpoint's own additions, in lower case.
    init(forwarded: [String]) {
        self.forwarded = forwarded.filter { $0 != "traceparent" && $0 != "tracestate" }
        forwardsTrace = forwarded.contains("traceparent")
        forwardsTraceState = forwarded.contains("tracestate")
    }

    /// Fills `arena` for one attempt.
    ///
    /// - Parameter matcher: decides in place of the allow-list, where the endpoint has one.
    func write(
        _ head: HTTPRequestHead,
        connectionNames: [String],
        credential: UpstreamCredential,
        matcher: HeaderNameMatcher?,
        body: Body,
        into arena: HeaderArena
    ) {
        arena.clear()
        var hasAccept = false
        var hasContentType = false
        for (name, value) in head.headers
        where (matcher?.passes(name) ?? passes(name)) && !Self.isOfTrace(name)
            && !connectionNames.contains(where: { name.lowercased() == $0 })
        {
            arena.add(name, value)
            hasAccept = hasAccept || name.isSame("accept")
            hasContentType = hasContentType || name.isSame("content-type")
        }
        switch credential {
        case .none: break
        case .apiKey(let key): arena.add("api-key", key)
        case .authorization(let value): arena.add("authorization", value)
        }
        // libcurl would add these by itself.
        if !hasAccept { arena.add(line: "Accept:") }
        switch body {
        case .none: break
        case .known: arena.add(line: "Expect:")
        case .chunked:
            arena.add(line: "Expect:")
            arena.add(line: "Transfer-Encoding: chunked")
        }
        if case .none = body {} else if !hasContentType { arena.add(line: "Content-Type:") }
    }

    enum Body {
        case none
        case known
        case chunked
    }

    private static func isOfTrace(_ name: String) -> Bool { name.isSame("traceparent") || name.isSame("tracestate") }

    private func passes(_ name: String) -> Bool {
        Self.always(name) || (!forwarded.isEmpty && forwarded.contains(name.lowercased()))
    }

    private static func always(_ name: String) -> Bool {
        switch name.utf8.count {
        case 5: name.isSame("range")
        case 6: name.isSame("accept")
        case 8: name.isSame("if-range") || name.isSame("if-match")
        case 10: name.isSame("user-agent") || name.isSame("aoai-evals")
        case 11: name.isSame("openai-beta")
        case 12: name.isSame("content-type")
        case 13: name.isSame("if-none-match")
        case 15: name.isSame("idempotency-key")
        case 16: name.isSame("content-encoding") || name.isSame("content-language")
        case 22: name.isSame("x-ms-client-request-id")
        default: false
        }
    }
}
