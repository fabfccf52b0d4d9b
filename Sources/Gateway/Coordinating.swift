internal import Coordination
internal import Logging
internal import NIOCore
internal import Synchronization

/// Who decides about limits, for all event loops of this process: Redis for the whole fleet, or this process alone.
struct Coordinating: Sendable {
    private let fleet: FleetCoordination?
    private let local = LocalCoordinator()
    let leases: LeaseIssuer
    /// Where things are that live on one Azure resource.
    let owners: ResourceOwners
    /// As whom tokens for Redis are asked for; `nil` where it takes a password or nothing.
    let tokenSettings: CredentialKeeper.Settings?
    /// The user that comes with the token; `nil`: its object id.
    let tokenUser: String?
    private let refusals = Refusals()

    /// Who is told when Redis refuses the gateway's credentials.
    private final class Refusals: Sendable {
        let tell = Mutex<(@Sendable () -> Void)?>(nil)
    }

    /// - Parameter environment: the process's, in which Azure says where an identity's tokens are.
    /// - Throws: `StartError` for what the configuration names and cannot be used.
    init(
        _ configuration: GatewayConfiguration.Coordination?,
        instance: UInt32,
        environment: [String: String],
        logger: Logger
    ) throws {
        let start = UInt32(clamping: LocalCoordinator.wallClock() / 1000)
        guard let configuration else {
            fleet = nil
            owners = ResourceOwners(nil)
            (tokenSettings, tokenUser) = (nil, nil)
            leases = LeaseIssuer(instance: instance, start: start, terms: Self.localTerms)
            return
        }
        if configuration.cluster {
            throw StartError(
                "'coordination.cluster' is not supported by this version; name a Redis without cluster mode"
            )
        }
        (tokenSettings, tokenUser) = try Self.token(configuration, environment: environment)
        do {
            fleet = try FleetCoordination(CoordinationConfiguration(configuration, instance: instance)) {
                [refusals] event in
                Self.log(event, logger)
                if event == .credentialsRefused { refusals.tell.withLock { $0 }?() }
            }
        } catch {
            throw StartError("cannot use the Redis of the configuration (key 'coordination'): \(error)")
        }
        owners = ResourceOwners(fleet)
        leases = LeaseIssuer(instance: instance, start: start, terms: FleetCoordination.leaseTerms)
    }

    /// Milliseconds. This process ends every lease itself, and its limits end with it: nothing has to be renewed.
    private static let localTerms = LeaseTerms(lease: 86_400_000, slot: 86_400_000, probe: 30_000)

    func coordinator(on eventLoop: any EventLoop) -> any Coordinator { fleet?.coordinator(on: eventLoop) ?? local }

    /// Where replicas leave keys for each other; `nil` without Redis.
    var sharedKeys: (any SharedKeyStore)? { fleet.map { RedisKeyStore($0) } }

    /// Shows Redis other credentials on all connections.
    func authenticate(_ credentials: RedisCredentials) { fleet?.authenticate(credentials) }

    /// - Parameter tell: called from any thread.
    func whenRefused(_ tell: @escaping @Sendable () -> Void) { refusals.tell.withLock { $0 = tell } }

    private static func token(
        _ configuration: GatewayConfiguration.Coordination,
        environment: [String: String]
    ) throws -> (CredentialKeeper.Settings?, String?) {
        guard case .entra(let user, let identity)? = configuration.credential else { return (nil, nil) }
        guard
            let settings = CredentialKeeper.Settings(
                identity,
                resource: RedisToken.resource,
                environment: environment
            )
        else {
            throw StartError(
                "'coordination.entra' has 'workload_identity', and the environment lacks one of AZURE_AUTHORITY_HOST, "
                    + "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"
            )
        }
        return (settings, user)
    }

    /// Says what this process runs, and returns what every live one does.
    ///
    /// - Returns: `nil` where it decides alone, by configuration or for want of Redis.
    func announce(hash: String, version: String) async -> [ReplicaReport]? {
        await fleet?.announce(hash: hash, version: version)
    }

    /// What operators changed last, the latest first; `nil` where nobody can say.
    func changes() async -> [String]? { await fleet?.changes() }

    /// `nil` where this process decides alone by configuration.
    func snapshot() -> CoordinationSnapshot? { fleet?.snapshot() }

    /// What is remembered of deployments: by the fleet, or by this process where it decides alone or Redis does not answer.
    func report(_ candidates: [Candidate]) async -> [DeploymentReport] {
        await fleet?.report(candidates) ?? local.report(candidates)
    }

    /// How long Redis took, by script; empty where this process decides alone by configuration.
    func latencies() async -> [(script: String, latency: Histogram)] { await fleet?.latencies() ?? [] }

    /// Sends what is not yet settled; at most two seconds.
    func drain() async { await fleet?.drain(until: .now() + FleetCoordination.longestDrain) }

    // MARK: log

    private static func log(_ event: CoordinationEvent, _ logger: Logger) {
        switch event {
        case .modeChanged(.shared):
            logger.notice("limits are shared through Redis")
        case .modeChanged(.degraded(let reason)):
            logger.warning("Redis cannot be used: limits are decided here", metadata: ["reason": "\(reason.rawValue)"])
        case .needsAttention(let error):
            logger.error("Redis needs attention", metadata: ["error": "\(error)"])
        case .credentialsRefused:
            logger.error("Redis refuses the gateway's credentials")
        case .settlementDropped(let settlement):
            logger.error("a settlement did not reach Redis", metadata: books(settlement))
        }
    }

    /// All that the books need to be made good by hand.
    private static func books(_ settlement: Settlement) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["lease": "\(settlement.lease)"]
        guard let usage = settlement.usage else { return metadata }
        metadata["day"] = "\(usage.day)"
        metadata["client"] = "\(usage.client.name)"
        metadata["deployment"] = "\(usage.deployment.name)"
        metadata["requests"] = "\(usage.counts.requests)"
        metadata["input_tokens"] = "\(usage.counts.input)"
        metadata["output_tokens"] = "\(usage.counts.output)"
        return metadata
    }
}

extension CoordinationConfiguration {
    init(_ configuration: GatewayConfiguration.Coordination, instance: UInt32) {
        let url = configuration.redis
        self.init(
            address: RedisAddress(host: url.host, port: url.port, usesTLS: url.usesTLS, database: url.database),
            instance: instance
        )
        switch configuration.credential {
        case .password(let user, let password)?:
            credentials = RedisCredentials(user: user, password: password.reveal())
        case .entra?:
            awaitsCredentials = true
        case nil:
            break
        }
        caFile = configuration.caFile
        deadline = TimeAmount(configuration.deadline)
        whenUnavailable =
            switch configuration.whenUnavailable {
            case .share: .share
            case .open: .open
            case .closed: .closed
            }
        assumedReplicas = configuration.assumedReplicas
        namespace = configuration.namespace
    }
}
