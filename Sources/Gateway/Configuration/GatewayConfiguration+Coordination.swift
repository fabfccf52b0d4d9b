extension GatewayConfiguration {
    /// The Redis through which replicas share limits and cooldowns.
    package struct Coordination: Sendable, Equatable {
        package var redis: RedisURL
        /// Absent: Redis asks for none.
        package var credential: RedisCredential?
        /// Redis speaks the cluster protocol. Default false.
        package var cluster = false
        /// How long a decision may take before this replica decides alone. 1ms to 10s, default 75ms.
        package var deadline = Duration.milliseconds(75)
        /// Default share.
        package var whenUnavailable = WhenUnavailable.share
        /// Among how many replicas limits are divided before the size of the fleet is known. 1 to 10,000, default 10.
        package var assumedReplicas = 10
        /// Hash tag of every key: fleets that share a Redis and nothing else differ in it. Default "0".
        package var namespace = "0"
        /// PEM file of the authorities to trust instead of the system's, resolved like `TLSFiles`.
        package var caFile: String?
    }

    /// What a replica does while Redis does not answer.
    package enum WhenUnavailable: String, Sendable, CaseIterable {
        /// Holds each limit divided by the number of replicas.
        case share
        /// Lets everything pass.
        case open
        /// Refuses everything.
        case closed
    }

    /// Who the gateway is to Redis.
    package enum RedisCredential: Sendable, Equatable {
        /// Without a user name the password is that of the user `default`.
        case password(username: String?, Secret)
        /// An access token of Entra ID. Without a user name it is the object id in the token.
        case entra(username: String?, AzureIdentity)
    }

    /// As whom the gateway asks Entra ID for access tokens of its own.
    package enum AzureIdentity: Sendable, Equatable {
        /// A managed identity of the machine; the system-assigned one when there is no client id.
        case managed(clientID: String?)
        /// The Kubernetes service account, by the variables that AKS sets.
        case workload
        /// An application of a tenant, by a secret of its own.
        case application(ApplicationSecret)
    }

    /// What proves to Entra ID that the gateway is an application (OAuth 2.0 client credentials).
    package struct ApplicationSecret: Sendable, Equatable {
        /// The tenant's id, in lower case.
        package var tenant: String
        /// The application's client id, in lower case.
        package var clientID: String
        package var secret: Secret
        /// Default public.
        package var cloud = AzureCloud.public
        /// Gives the tokens in place of the cloud's host. HTTPS, or plain HTTP on loopback.
        package var authority: EndpointURL?
    }
}

/// Where Redis listens: `rediss://host:port/database`, or `redis://` without TLS.
package struct RedisURL: Sendable, Equatable, CustomStringConvertible {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    package var host: String
    /// 1 to 65,535, default 6379.
    package var port = 6379
    package var usesTLS: Bool
    /// 0 to 16,383, default 0.
    package var database = 0

    package var description: String {
        let authority = HostAndPort.text(host: self.host, port: self.port)
        return "\(self.usesTLS ? "rediss" : "redis")://\(authority)" + (self.database == 0 ? "" : "/\(self.database)")
    }

    /// Reads a URL. What is wrong is never shown: people write passwords into URLs.
    static func parse(_ text: String) throws(BadValue) -> Self {
        let lowercased = text.lowercased()
        let schemes = [(prefix: "rediss://", usesTLS: true), (prefix: "redis://", usesTLS: false)]
        guard let scheme = schemes.first(where: { lowercased.hasPrefix($0.prefix) }) else {
            throw BadValue("must be a URL that begins with rediss:// or redis://", shown: false)
        }
        let rest = text.dropFirst(scheme.prefix.count)
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            throw BadValue(
                "must not hold a user or a password; they have keys of their own, 'username' and 'password'",
                shown: false
            )
        }
        guard let (host, port) = HostAndPort.split(String(authority)), port != 0 else {
            throw BadValue(
                "must hold a host name or address, and perhaps a port from 1 to 65535, as in rediss://host:10000",
                shown: false
            )
        }
        var url = RedisURL(host: host.lowercased(), port: port ?? 6379, usesTLS: scheme.usesTLS)
        let path = rest[authority.endIndex...].dropFirst()
        guard !path.isEmpty else { return url }
        guard path.utf8.count <= 5, path.utf8.allSatisfy(ConfigurationText.isDigit), let database = Int(path),
            database <= 16_383
        else {
            throw BadValue("must end after the port, or with / and the number of a database", shown: false)
        }
        url.database = database
        return url
    }
}
