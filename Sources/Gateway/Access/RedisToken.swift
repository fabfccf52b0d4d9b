internal import Coordination
internal import Logging
internal import NIOCore

/// The gateway's access token for Redis: shown on every connection whenever there is another one.
///
/// `CredentialKeeper` renews it at half its life and no later than five minutes before its end, a tenth of its life earlier by
/// chance; Azure asks for three minutes.
final class RedisToken: @unchecked Sendable {  // confined to its keeper's event loop
    /// Azure Cache for Redis and Azure Managed Redis, in every cloud.
    static let resource = "https://redis.azure.com"

    private let eventLoop: any EventLoop
    private let keeper: CredentialKeeper
    private let view = CredentialView()
    /// `nil`: the object id in the token.
    private let username: String?
    private let logger: Logger
    private let show: @Sendable (RedisCredentials) -> Void

    /// To be called on the keeper's event loop, as `stop`.
    init(
        _ keeper: CredentialKeeper,
        username: String?,
        on eventLoop: any EventLoop,
        logger: Logger,
        show: @escaping @Sendable (RedisCredentials) -> Void
    ) {
        self.eventLoop = eventLoop
        self.keeper = keeper
        self.username = username
        self.logger = logger
        self.show = show
        view.onChange = { [weak self] in self?.changed($0) }
        keeper.show(view, on: eventLoop)
        keeper.start()
    }

    func stop() {
        view.onChange = nil
        keeper.stop()
    }

    /// Redis does not take it: another is asked for, once a minute at most. From any thread.
    func refused() {
        eventLoop.execute {
            guard case .authorization(let value) = self.view.current else { return }
            // Whatever comes is shown by `changed`.
            _ = self.view.renew(value) { _ in }
        }
    }

    private func changed(_ current: CredentialView.Current) {
        guard case .authorization(let value) = current else { return }
        let token = value.dropFirst("Bearer ".count)
        guard let user = username ?? Self.objectID(in: token) else {
            logger.error("the token for Redis names no object id: set 'coordination.username'")
            return
        }
        show(RedisCredentials(user: user, password: String(token)))
    }

    /// Azure names the user by it. The token is the gateway's own, and Redis checks it.
    static func objectID(in token: some StringProtocol) -> String? {
        var token = String(token)
        return token.withUTF8 { bytes in
            var payload: [UInt8] = []
            guard let parts = try? TokenParts(UnsafeRawBufferPointer(bytes)),
                Base64URL.decode(parts.payload, into: &payload), let claims = try? TokenClaims(payload)
            else { return nil }
            return claims.objectID.map { "\($0)" }
        }
    }
}
