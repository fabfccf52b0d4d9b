package import NIOCore

/// How the replicas of a gateway find each other, and what each does when they cannot.
package struct CoordinationConfiguration: Sendable {
    /// What a replica does while Redis does not answer.
    package enum WhenUnavailable: String, Sendable, CaseIterable {
        /// Holds each limit divided by the number of replicas.
        case share
        /// Lets everything pass.
        case open
        /// Refuses everything.
        case closed
    }

    package var address: RedisAddress
    /// Who the gateway is to Redis; a token that changes is passed on with `FleetCoordination.authenticate`.
    package var credentials: RedisCredentials?
    /// Credentials come later, by `FleetCoordination.authenticate`: nothing is connected before.
    package var awaitsCredentials = false
    /// PEM certificates to trust instead of the system's.
    package var caFile: String?
    /// How long a decision may take before this process decides alone.
    package var deadline = TimeAmount.milliseconds(75)
    package var whenUnavailable = WhenUnavailable.share
    /// Among how many replicas limits are divided before the size of the fleet is known; 1 or more.
    package var assumedReplicas = 10
    /// The hash tag of every key: fleets that share a Redis and nothing else differ in it.
    package var namespace = "0"
    /// Names this process among the live ones; the one in its leases.
    package var instance: UInt32
    /// Between two beats, before a jitter of a tenth.
    package var beatInterval = TimeAmount.seconds(20)
    package var breaker = Breaker.Policy()

    package init(address: RedisAddress, instance: UInt32) {
        self.address = address
        self.instance = instance
    }

    /// - Throws: NIOSSL's error when the file of certificates cannot be read.
    func makeRedisConfiguration() throws -> RedisConfiguration {
        var configuration = RedisConfiguration(
            address: address,
            tls: address.usesTLS ? try RedisTLS(caFile: caFile) : nil,
            credentials: credentials
        )
        configuration.probeDeadline = deadline
        configuration.breaker = breaker
        return configuration
    }
}

/// Whether the replicas decide together.
package enum CoordinationMode: Sendable, Equatable {
    case shared
    /// At least one event loop of this process decides alone.
    case degraded(RedisError.Code)
}

/// A change that deserves one log line.
package enum CoordinationEvent: Sendable, Equatable {
    case modeChanged(CoordinationMode)
    /// Does not pass by itself: somebody should look.
    case needsAttention(RedisError)
    /// Redis does not take what it was shown; told each time that it is noticed.
    case credentialsRefused
    /// What an exchange used is in no counter of Redis; the log is the last place for it.
    case settlementDropped(Settlement)
}
