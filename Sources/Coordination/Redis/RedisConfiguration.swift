package import NIOCore
internal import NIOSSL

/// Who we are to Redis. Without a user name the password is that of the user `default`.
package struct RedisCredentials: Sendable, CustomStringConvertible {
    let user: String?
    let password: String

    package init(user: String? = nil, password: String) {
        self.user = user
        self.password = password
    }

    /// Never the password.
    package var description: String { user ?? "default" }

    var command: RESPCommand { RESPCommand(["AUTH"] + (user.map { [$0] } ?? []) + [password]) }
}

/// What is trusted, read from disk once and used by every connection.
package struct RedisTLS: Sendable {
    let context: NIOSSLContext

    /// - Parameter caFile: PEM certificates to trust instead of the system's.
    /// - Throws: NIOSSL's error when the file cannot be read.
    package init(caFile: String? = nil) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let caFile { configuration.trustRoots = .file(caFile) }
        context = try NIOSSLContext(configuration: configuration)
    }
}

/// How to reach Redis and how long anything may take.
package struct RedisConfiguration: Sendable {
    package var address: RedisAddress
    package var tls: RedisTLS?
    package var credentials: RedisCredentials?
    /// Shown by `CLIENT LIST`; without spaces.
    package var clientName = "sluice"
    /// From the look-up of the name to the open TCP connection.
    package var connectTimeout = TimeAmount.seconds(2)
    /// From there to the last answer of the preparation: TLS, AUTH, scripts.
    package var preparationTimeout = TimeAmount.seconds(2)
    /// Azure cuts connections that are idle for ten minutes.
    package var pingAfter = TimeAmount.seconds(30)
    /// How long a PING may take on an idle connection before the connection counts as dead.
    package var pingDeadline = TimeAmount.seconds(2)
    /// How fast Redis must answer for the breaker to close: the deadline of a user's command.
    package var probeDeadline = TimeAmount.milliseconds(75)
    package var lineLimits = RedisLineLimits()
    package var replyLimits = RESPLimits()
    package var breaker = Breaker.Policy()

    package init(address: RedisAddress, tls: RedisTLS? = nil, credentials: RedisCredentials? = nil) {
        precondition(address.usesTLS == (tls != nil), "rediss:// needs TLS, redis:// has none")
        self.address = address
        self.tls = tls
        self.credentials = credentials
    }
}

/// How much may be on its way on one connection, and how long its oldest command may wait.
package struct RedisLineLimits: Sendable {
    /// Commands without an answer, those that missed their deadline included.
    package var commands = 1_024
    /// Bytes of those commands.
    package var bytes = 4 << 20
    /// The connection is given up when its oldest command has waited for twice its deadline and at least so many others
    /// wait behind it: their deadlines depend on it.
    package var waitingBehind = 5
    /// It is given up after this even with nobody behind: Linux alone would take a quarter of an hour to notice.
    package var oldest = TimeAmount.seconds(5)

    package init() {}
}
