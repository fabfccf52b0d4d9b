/// The origin of an endpoint: a URL without path, query and user.
package struct EndpointURL: Sendable, Equatable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http, https
    }

    package var scheme: Scheme
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    package var host: String
    /// 1 to 65,535; absent: the scheme's own.
    package var port: Int?

    package init(scheme: Scheme, host: String, port: Int? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Host and port as a URL and a Host header write them.
    package var authority: String {
        HostAndPort.text(host: self.host, port: self.port)
    }

    /// Whether only this machine can answer.
    package var isLoopback: Bool {
        self.host == "localhost" || self.host == "::1" || HostAndPort.isIPv4Loopback(self.host)
    }

    /// The URL without a trailing slash.
    package var description: String {
        "\(self.scheme.rawValue)://\(self.authority)"
    }

    /// Reads a URL. What is wrong is never shown: people write keys and passwords into URLs.
    static func parse(_ text: String) throws(BadValue) -> Self {
        let lowercased = text.lowercased()
        guard let scheme = [Scheme.https, .http].first(where: { lowercased.hasPrefix("\($0.rawValue)://") }) else {
            throw BadValue("must be a URL that begins with https:// or http://", shown: false)
        }
        let rest = text.dropFirst(scheme.rawValue.count + "://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw BadValue("must not hold a user or a password; remove what stands before the '@'", shown: false)
        }
        let tail = rest[authority.endIndex...]
        guard !tail.contains("?"), !tail.contains("#") else {
            throw BadValue("must not hold a query or a fragment; remove all from the '?' or '#' on", shown: false)
        }
        guard tail.isEmpty || tail == "/" else {
            throw BadValue("must not hold a path; end it after the host and port", shown: false)
        }
        guard let (host, port) = HostAndPort.split(String(authority)), port != 0 else {
            throw BadValue(
                "must hold a host name or address, and perhaps a port from 1 to 65535, as in https://host:8443",
                shown: false
            )
        }
        return EndpointURL(scheme: scheme, host: host.lowercased(), port: port)
    }
}
