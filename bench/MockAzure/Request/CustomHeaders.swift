import NIOHTTP1

/// Azure lets ten custom headers pass (azure.md 5.4).
enum CustomHeaders {
    static let maximum = 10

    /// Headers of HTTP, of browsers and of Azure itself; every other one is custom.
    private static let known: Set<String> = [
        "accept", "accept-charset", "accept-encoding", "accept-language", "api-key", "authorization", "cache-control",
        "connection", "content-disposition", "content-encoding", "content-language", "content-length", "content-type",
        "cookie", "date", "expect", "from", "host", "if-match", "if-modified-since", "if-none-match", "keep-alive",
        "max-forwards", "ocp-apim-subscription-key", "origin", "pragma", "prefer", "proxy-connection", "range",
        "referer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "warning",
    ]

    /// Whether there are more of them than Azure takes.
    static func areTooMany(_ headers: HTTPHeaders) -> Bool {
        // So many can never be too many, and nearly all requests have fewer.
        guard headers.count > Self.maximum else { return false }
        var count = 0
        for (name, _) in headers {
            let name = name.lowercased()
            if !Self.known.contains(name) && !name.hasPrefix("x-ms-") && !name.hasPrefix("x-mock-") { count += 1 }
        }
        return count > Self.maximum
    }
}
