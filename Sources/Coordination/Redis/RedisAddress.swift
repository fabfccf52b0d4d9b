/// Where Redis listens: `redis://host:port/database`, or `rediss://` for TLS.
package struct RedisAddress: Equatable, Sendable, CustomStringConvertible {
    /// What is wrong with an address, for whoever wrote it. Never shows the address: people write passwords into URLs.
    package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// A host name, an IPv4 address, or an IPv6 address without brackets. With TLS the certificate must name it.
    package var host: String
    package var port: Int
    package var usesTLS: Bool
    package var database: Int

    package init(host: String, port: Int = 6379, usesTLS: Bool = false, database: Int = 0) {
        self.host = host
        self.port = port
        self.usesTLS = usesTLS
        self.database = database
    }

    package init(url: String) throws(Problem) {
        let lowercased = url.lowercased()
        let schemes = [(prefix: "rediss://", usesTLS: true), (prefix: "redis://", usesTLS: false)]
        guard let scheme = schemes.first(where: { lowercased.hasPrefix($0.prefix) }) else {
            throw Problem(description: "must begin with rediss:// or redis://")
        }
        let parts = url.dropFirst(scheme.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let authority = parts.first, !authority.contains("@") else {
            throw Problem(description: "must not hold a user or a password; those have keys of their own")
        }
        let (host, port) = try Self.split(authority)
        guard !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            throw Problem(description: "must name a host")
        }
        let path = parts.dropFirst().joined(separator: "/")
        guard let database = path.isEmpty ? 0 : Self.number(path), (0...16_383).contains(database) else {
            throw Problem(description: "must end after the port, or with / and the number of a database")
        }
        self.init(host: host, port: port, usesTLS: scheme.usesTLS, database: database)
    }

    private static func split(_ authority: Substring) throws(Problem) -> (host: String, port: Int) {
        let host: Substring
        let rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority[host.endIndex...]
        }
        guard rest.isEmpty || rest.hasPrefix(":") else { throw Problem(description: "must name a host") }
        guard let port = rest.isEmpty ? 6379 : number(rest.dropFirst()), (1...65_535).contains(port) else {
            throw Problem(description: "must have a port from 1 to 65535")
        }
        return (String(host), port)
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }

    package var description: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(usesTLS ? "rediss" : "redis")://\(host):\(port)" + (database == 0 ? "" : "/\(database)")
    }
}
