import Logging
import NIOCore
import NIOPosix
import TokenMill
import Transport

@testable import Gateway

/// A keeper of keys on one event loop and an authenticator on another, as a process has them.
final class KeyWorld: @unchecked Sendable {  // its parts are touched on their loops only
    private let group: MultiThreadedEventLoopGroup
    private let keeperLoop: any EventLoop
    let loop: any EventLoop
    private let transfers: TransferLoop
    private let keeper: KeyKeeper
    private let view: KeyView
    private let authenticator: TokenAuthenticator
    private let hasher = KeyHasher()

    static let caller = CallerAddress("192.0.2.7")!

    static func start(
        tenant: EntraTenant,
        times: KeyRingTimes = .quick,
        shared: (any SharedKeyStore)? = nil
    ) async throws -> KeyWorld {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let loops = Array(group.makeIterator())
        let (transfers, keeper) = try await loops[0].submit {
            let transfers = try TransferLoop(eventLoop: loops[0], maxConnections: 16)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let keeper = KeyKeeper(
                tenants: [tenant],
                transfers: transfers,
                caFile: nil,
                shared: shared,
                times: times,
                logger: logger
            )
            return (transfers, keeper)
        }.get()
        let world = KeyWorld(group, loops[0], loops[1], transfers, keeper, KeyView(tenants: 1), tenant)
        try await loops[1].submit { keeper.show(world.view, on: loops[1]) }.get()
        try await loops[0].submit { keeper.start() }.get()
        return world
    }

    private init(
        _ group: MultiThreadedEventLoopGroup,
        _ keeperLoop: any EventLoop,
        _ loop: any EventLoop,
        _ transfers: TransferLoop,
        _ keeper: KeyKeeper,
        _ view: KeyView,
        _ tenant: EntraTenant
    ) {
        self.group = group
        self.keeperLoop = keeperLoop
        self.loop = loop
        self.transfers = transfers
        self.keeper = keeper
        self.view = view
        authenticator = TokenAuthenticator(
            policy: TokenPolicy(tenants: [tenant], clients: [TokenBench.byRole], epoch: 1),
            keys: view
        )
    }

    func stop() async throws {
        try await keeperLoop.submit {
            self.keeper.stop()
            self.transfers.shutdown()
        }.get()
        try await group.shutdownGracefully()
    }

    /// As an exchange asks: waits for a key where that may come, and then asks once more.
    func authenticate(_ token: String) async throws -> TokenAuthenticator.Outcome {
        let promise = loop.makePromise(of: TokenAuthenticator.Outcome.self)
        loop.execute {
            let outcome = self.look(at: token)
            guard case .pending(let wish) = outcome else { return promise.succeed(outcome) }
            let waiting = self.authenticator.wait(
                for: wish,
                token: token,
                digest: self.hasher.digest(of: token),
                from: Self.caller,
                now: { TokenDraft.Known.now }
            ) { result in
                switch result {
                case .success(let identity): promise.succeed(.identity(identity))
                case .failure(let refusal): promise.succeed(.refused(refusal))
                }
            }
            if case .failure(let refusal) = waiting { promise.succeed(.refused(refusal)) }
        }
        return try await promise.futureResult.get()
    }

    /// What an authenticator says at once.
    func outcome(of token: String) async throws -> TokenAuthenticator.Outcome {
        try await loop.submit { self.look(at: token) }.get()
    }

    var waitingCount: Int { get async throws { try await loop.submit { self.view.waitingCount }.get() } }

    func passes(_ token: String) async throws -> Bool {
        if case .identity = try await authenticate(token) { true } else { false }
    }

    private func look(at token: String) -> TokenAuthenticator.Outcome {
        var token = token
        return token.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            return authenticator.authenticate(bytes, digest: hasher.digest(of: bytes), now: TokenDraft.Known.now)
        }
    }
}

extension KeyRingTimes {
    /// The hours and minutes of the real ones as milliseconds.
    static let quick = KeyRingTimes(
        lifetime: .seconds(60),
        refresh: .milliseconds(300),
        sharedAge: .milliseconds(150),
        unknownKeyInterval: .zero,
        repeatInterval: .zero,
        retry: RetryDelay(first: .milliseconds(20), longest: .milliseconds(100))
    )
    /// Nothing is fetched a second time.
    static let slow = KeyRingTimes()
}
