/// A server that requests go to.
struct HTTPAddress: Equatable, Sendable {
    let host: String
    let port: Int
    let usesTLS: Bool

    /// For people, and for the `host` header.
    var name: String { "\(bracketedHost):\(port)" }

    /// For TLS; an address of digits has none.
    var serverName: String? {
        host.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") } || host.contains(":") ? nil : host
    }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// `http://HOST[:PORT]` or `https://...`, without a path.
    init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("http://") {
            usesTLS = false
            rest = text.dropFirst(7)
        } else if text.hasPrefix("https://") {
            usesTLS = true
            rest = text.dropFirst(8)
        } else {
            return nil
        }
        let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
        guard let parts = HostAndPort(authority, defaultPort: usesTLS ? 443 : 80) else { return nil }
        host = parts.host
        port = parts.port
    }
}

/// `redis://[USER:PASSWORD@]HOST[:PORT]`.
struct RedisAddress: Equatable, Sendable {
    let host: String
    let port: Int
    let username: String?
    let password: String?

    init?(_ text: String) {
        guard text.hasPrefix("redis://") else { return nil }
        var rest = text.dropFirst(8)
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard credentials.count == 2 else { return nil }
            username = credentials[0].isEmpty ? nil : String(credentials[0])
            password = String(credentials[1])
            rest = rest[rest.index(after: at)...]
        } else {
            username = nil
            password = nil
        }
        guard let parts = HostAndPort(rest, defaultPort: 6_379) else { return nil }
        host = parts.host
        port = parts.port
    }
}

private struct HostAndPort {
    let host: String
    let port: Int

    init?(_ text: Substring, defaultPort: Int) {
        var host = text
        var port = defaultPort
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            host = text[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let allowed = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard !host.isEmpty, allowed else { return nil }
        self.host = String(host)
        self.port = port
    }
}
