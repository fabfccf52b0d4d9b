internal import Logging
internal import NIOCore
internal import Transport

/// What the process keeps from outside for all its event loops: the tenants' signing keys, and its own tokens for Azure.
///
/// It asks with the libcurl of one event loop and lives there. A configuration that is adopted takes over what it has in common
/// with the one before: keys that are known stay known, and tokens are not asked for twice.
final class Keepers: @unchecked Sendable {  // confined to its event loop
    /// What one configuration needs of it.
    struct Kept: Sendable {
        let keys: KeyKeeper?
        /// By endpoint; `nil` where it has another credential.
        let credentials: [CredentialKeeper?]
    }

    /// What tells the keys of one tenant from those of another.
    private struct Source: Equatable {
        let tenant: GUID
        let authority: EntraTenant.Authority
    }

    let eventLoop: any EventLoop
    private let transfers: TransferLoop
    private let shared: (any SharedKeyStore)?
    private let logger: Logger
    private var keys: (sources: [Source], keeper: KeyKeeper)?
    private var credentials: [(settings: CredentialKeeper.Settings, keeper: CredentialKeeper)] = []
    private var redis: RedisToken?
    /// No longer needed by the newest configuration, and perhaps still by loops that have not taken it up.
    private var retired: (keys: [KeyKeeper], credentials: [CredentialKeeper]) = ([], [])

    /// To be called on the loop of `transfers`, as everything here.
    ///
    /// - Parameter shared: where replicas leave keys for each other.
    init(transfers: TransferLoop, shared: (any SharedKeyStore)?, logger: Logger) {
        eventLoop = transfers.eventLoop
        self.transfers = transfers
        self.shared = shared
        self.logger = logger
    }

    /// Begins to keep what a configuration needs.
    func adopt(_ snapshot: Snapshot) -> Kept {
        Kept(keys: keyKeeper(snapshot.tokenPolicy?.tenants ?? []), credentials: credentialKeepers(snapshot))
    }

    /// Keeps the token for Redis, if the configuration names an identity for it.
    func keepRedisToken(of coordinating: Coordinating) {
        guard let settings = coordinating.tokenSettings, redis == nil else { return }
        let keeper = CredentialKeeper(settings, transfers: transfers, logger: logger)
        let token = RedisToken(keeper, username: coordinating.tokenUser, on: eventLoop, logger: logger) {
            coordinating.authenticate($0)
        }
        redis = token
        coordinating.whenRefused { token.refused() }
    }

    /// Every event loop has taken up the newest configuration.
    func dismissRetired() {
        for keeper in retired.keys { keeper.stop() }
        for keeper in retired.credentials { keeper.stop() }
        retired = ([], [])
    }

    /// To be called before the transfers' shutdown.
    func stop() {
        dismissRetired()
        redis?.stop()
        redis = nil
        keys?.keeper.stop()
        for (_, keeper) in credentials { keeper.stop() }
        keys = nil
        credentials = []
    }

    private func keyKeeper(_ tenants: [EntraTenant]) -> KeyKeeper? {
        let sources = tenants.map { Source(tenant: $0.id, authority: $0.authority) }
        if let keys, keys.sources == sources { return keys.keeper }
        if let keys { retired.keys.append(keys.keeper) }
        keys = nil
        guard !tenants.isEmpty else { return nil }
        let keeper = KeyKeeper(tenants: tenants, transfers: transfers, shared: shared, logger: logger)
        keeper.start()
        keys = (sources, keeper)
        return keeper
    }

    private func credentialKeepers(_ snapshot: Snapshot) -> [CredentialKeeper?] {
        let earlier = credentials
        credentials = []
        let kept = snapshot.endpoints.map { endpoint -> CredentialKeeper? in
            guard case .token(let settings) = endpoint.credential else { return nil }
            if let known = credentials.first(where: { $0.settings == settings }) { return known.keeper }
            let keeper =
                earlier.first { $0.settings == settings }?.keeper
                ?? makeKeeper(settings, after: earlier.first { $0.settings.isSameIdentity(as: settings) }?.keeper)
            credentials.append((settings, keeper))
            return keeper
        }
        for (settings, keeper) in earlier where !credentials.contains(where: { $0.settings == settings }) {
            retired.credentials.append(keeper)
        }
        return kept
    }

    private func makeKeeper(
        _ settings: CredentialKeeper.Settings,
        after earlier: CredentialKeeper?
    ) -> CredentialKeeper {
        let keeper = CredentialKeeper(settings, transfers: transfers, logger: logger)
        keeper.start(after: earlier)
        return keeper
    }
}
