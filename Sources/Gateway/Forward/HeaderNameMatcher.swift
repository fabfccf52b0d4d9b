/// PowerProxy's way to choose which header fields of a client go to Azure: by a regular expression. One for each event loop.
///
/// What is the gateway's own or belongs to one connection never goes, whatever the expression says.
final class HeaderNameMatcher {
    /// The text it was made from.
    let expression: String
    private let regex: Regex<AnyRegexOutput>
    /// What was decided of names, in the case in which they came: clients send the same ones again and again.
    private var known: [String: Bool] = [:]

    /// Names that are remembered; a client may send any.
    private static let mostKnown = 512

    /// `nil` for a text that is no regular expression, which the configuration does not let through.
    init?(_ expression: String) {
        guard let regex = try? Regex(expression) else { return nil }
        self.expression = expression
        self.regex = regex
    }

    /// As PowerProxy decides: the expression must match at the beginning of the name.
    func passes(_ name: String) -> Bool {
        if let known = known[name] { return known }
        if known.count >= Self.mostKnown { known.removeAll() }
        let lowercased = name.lowercased()
        let passes = !Self.own.contains(lowercased) && (try? regex.prefixMatch(in: name)) ?? nil != nil
        known[name] = passes
        return passes
    }

    private static let own: Set<String> = [
        "api-key", "authorization", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]
}
