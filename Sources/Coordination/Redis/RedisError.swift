/// Why a command has no usable answer, and what that means for the call, the breaker and the connection.
package struct RedisError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong; stable names, for metrics and logs.
    package enum Code: String, Sendable, CaseIterable {
        // Found on our side.
        case timedOut = "timed_out"
        case notConnected = "not_connected"
        case connectFailed = "connect_failed"
        case connectTimeout = "connect_timeout"
        case tls = "tls_failed"
        case certificate = "certificate_rejected"
        /// The connection ended while the command was on its way.
        case connectionLost = "connection_lost"
        /// The head of the line has waited too long with others behind it.
        case stalled
        /// As many commands or bytes are on their way as may be.
        case backlog
        case breakerOpen = "breaker_open"
        case shutDown = "shut_down"
        case protocolViolation = "protocol_violation"

        // Said by Redis (redis.io, "Redis serialization protocol specification"; server/errors in its documentation).
        case readOnly = "readonly"
        case masterDown = "masterdown"
        case loading
        case busy
        case clusterDown = "clusterdown"
        case noReplicas = "noreplicas"
        case notPersisting = "misconf"
        case tryAgain = "tryagain"
        case moved
        case ask
        case crossSlot = "crossslot"
        case noScript = "noscript"
        case outOfMemory = "oom"
        case noAuthentication = "noauth"
        case wrongPassword = "wrongpass"
        case noPermission = "noperm"
        /// Protected mode turns away whoever does not come from the loopback interface.
        case denied
        case tooManyClients = "max_clients"
        /// Any other error: a mistake in a script, or a server that is not what it should be.
        case other = "error"
    }

    /// What to do about a command that failed so.
    package enum Remedy: Sendable, Equatable {
        /// Nothing: the caller uses its fallback.
        case none
        /// Send the same command as text; nothing ran.
        case sendText
        /// Send it again shortly, at most twice: the server is moving its keys; nothing ran.
        case retryShortly
        /// Resolve the name again, connect anew and send it once more if half of the deadline is left; nothing ran.
        case retryOnFreshConnection
    }

    /// What to do about the connection that said it.
    package enum ConnectionRemedy: Sendable, Equatable {
        case keep
        /// Take no more commands, connect anew, close when the last answer is there.
        case replace
    }

    package let code: Code
    /// Whether the command can have changed anything: false only when certain.
    package let mayHaveRun: Bool
    /// Redis's or the system's words, for logs; never for clients.
    package let cause: String

    package init(_ code: Code, mayHaveRun: Bool, cause: String) {
        self.code = code
        self.mayHaveRun = mayHaveRun
        self.cause = cause
    }

    package var description: String { "\(code.rawValue): \(cause)" }
}

extension RedisError {
    package var remedy: Remedy {
        switch code {
        case .noScript: .sendText
        case .tryAgain: .retryShortly
        case .readOnly, .masterDown: .retryOnFreshConnection
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .connectionLost, .stalled,
            .backlog, .breakerOpen, .shutDown, .protocolViolation, .loading, .busy, .clusterDown, .noReplicas,
            .notPersisting, .moved, .ask, .crossSlot, .outOfMemory, .noAuthentication, .wrongPassword, .noPermission,
            .denied, .tooManyClients, .other:
            .none
        }
    }

    /// An answer that calls for another connection: to another node, or with new credentials.
    package var connectionRemedy: ConnectionRemedy {
        switch code {
        case .readOnly, .masterDown, .noAuthentication, .wrongPassword, .noPermission, .denied, .tooManyClients,
            .protocolViolation, .stalled, .connectionLost:
            .replace
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .backlog, .breakerOpen,
            .shutDown, .loading, .busy, .clusterDown, .noReplicas, .notPersisting, .tryAgain, .moved, .ask, .crossSlot,
            .noScript, .outOfMemory, .other:
            .keep
        }
    }

    /// Whether the breaker counts it: Redis, or the way to it, is not there for us.
    ///
    /// Not counted are answers of a Redis that works: mistakes of a script, and OOM, under which slots are still released.
    package var isFailure: Bool {
        switch code {
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .tls, .certificate, .connectionLost, .stalled,
            .backlog, .protocolViolation, .readOnly, .masterDown, .loading, .busy, .clusterDown, .noReplicas,
            .notPersisting, .tryAgain, .moved, .ask, .noAuthentication, .wrongPassword, .noPermission, .denied,
            .tooManyClients:
            true
        case .breakerOpen, .shutDown, .crossSlot, .noScript, .outOfMemory, .other:
            false
        }
    }

    /// Whether somebody should look: it does not pass by itself.
    package var needsAttention: Bool {
        switch code {
        case .tls, .certificate, .protocolViolation, .notPersisting, .moved, .ask, .crossSlot, .outOfMemory,
            .noAuthentication, .wrongPassword, .noPermission, .denied, .tooManyClients, .other:
            true
        case .timedOut, .notConnected, .connectFailed, .connectTimeout, .connectionLost, .stalled, .backlog,
            .breakerOpen, .shutDown, .readOnly, .masterDown, .loading, .busy, .clusterDown, .noReplicas, .tryAgain,
            .noScript:
            false
        }
    }
}

extension RedisError {
    static let notConnected = Self(.notConnected, mayHaveRun: false, cause: "no connection to Redis")
    static let breakerOpen = Self(.breakerOpen, mayHaveRun: false, cause: "Redis failed too often a moment ago")
    static let backlog = Self(.backlog, mayHaveRun: false, cause: "too many commands wait for their answers")
    static let shutDown = Self(.shutDown, mayHaveRun: false, cause: "the gateway is going down")
    static let connectTimeout = Self(.connectTimeout, mayHaveRun: false, cause: "Redis was not ready in time")
    static let stalled = Self(.stalled, mayHaveRun: true, cause: "no answer to the oldest of several commands")
    static let closed = Self(.connectionLost, mayHaveRun: true, cause: "Redis closed the connection")

    static func timedOut(mayHaveRun: Bool) -> Self {
        Self(.timedOut, mayHaveRun: mayHaveRun, cause: "no answer within the deadline")
    }

    static func violation(_ cause: String) -> Self { Self(.protocolViolation, mayHaveRun: true, cause: cause) }
}
