internal import Glibc

/// Where a socket listens.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv4 address, an IPv6 address without brackets, or a host name.
    package var host: String
    /// 0 to 65,535; 0 takes any free port.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[ipv6]:port`; nil when it is neither.
    package init?(_ text: String) {
        guard let (host, port) = HostAndPort.split(text), let port else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String {
        HostAndPort.text(host: self.host, port: self.port)
    }

    /// Whether both cannot be listened on: the same port on the same host, or on one host and all of them.
    func collides(with other: Self) -> Bool {
        let isAny = [self.host, other.host].contains { $0 == "0.0.0.0" || $0 == "::" }
        return self.port == other.port && self.port != 0 && (isAny || self.host == other.host)
    }
}

/// The authority part of an address: a host, and a port that may be missing.
enum HostAndPort {
    static func text(host: String, port: Int?) -> String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(host):\($0)" } ?? host
    }

    /// The host without brackets and the port when there is one; nil when the text is not an authority.
    static func split(_ text: String) -> (host: String, port: Int?)? {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[..<end].dropFirst()
            rest = text[end...].dropFirst()
            guard self.isIPv6(String(host)) else { return nil }
        } else {
            host = text.prefix { $0 != ":" }
            rest = text[host.endIndex...]
            guard self.isHostNameOrIPv4(String(host)) else { return nil }
        }
        if rest.isEmpty { return (String(host), nil) }
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy(ConfigurationText.isDigit), let port = Int(digits), port <= 65_535
        else { return nil }
        return (String(host), port)
    }

    /// 127.0.0.0/8, and no name that looks like it.
    static func isIPv4Loopback(_ host: String) -> Bool {
        !host.utf8.contains(0) && isAddress(host, of: AF_INET) && host.hasPrefix("127.")
    }

    private static func isIPv6(_ text: String) -> Bool {
        !text.utf8.contains(0) && isAddress(text, of: AF_INET6)
    }

    private static func isAddress(_ text: String, of family: Int32) -> Bool {
        // Room for either family, and no C struct of a module that not every build sees as Glibc's.
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { inet_pton(family, text, $0.baseAddress) == 1 }
    }

    private static func isHostNameOrIPv4(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { ConfigurationText.isLetterOrDigit($0) || "-_".utf8.contains($0) }
        }
        // A name whose last label is a number is an IPv4 address, or nothing (WHATWG URL, "ends in a number").
        guard areLabels, let last = labels.last, last.utf8.allSatisfy(ConfigurationText.isDigit) else {
            return areLabels
        }
        return isAddress(text, of: AF_INET)
    }
}
