package import Logging
package import NIOCore
package import Transport

/// Keeps the keys of all tenants, on one event loop of the process, and shows them to the others.
package final class KeyKeeper: @unchecked Sendable {  // confined to its event loop
    private let eventLoop: any EventLoop
    private var rings: [KeySetID: KeyRing] = [:]
    private var origins: [Origin] = []
    private var views: [(view: KeyViewBox, eventLoop: any EventLoop)] = []
    private var standings: [KeySetID: KeyView.Standing] = [:]

    /// Connections to one authority.
    private static let maxConnections = 4

    /// To be called on the loop of `transfers`.
    ///
    /// - Parameters:
    ///   - caFile: PEM file of trusted roots instead of the system's.
    ///   - shared: where replicas leave keys for each other; `nil`: each fetches its own.
    package convenience init(
        tenants: [EntraTenant],
        transfers: TransferLoop,
        caFile: String? = nil,
        shared: (any SharedKeyStore)? = nil,
        logger: Logger
    ) {
        self.init(
            tenants: tenants,
            transfers: transfers,
            caFile: caFile,
            shared: shared,
            times: .advised,
            logger: logger
        )
    }

    init(
        tenants: [EntraTenant],
        transfers: TransferLoop,
        caFile: String?,
        shared: (any SharedKeyStore)?,
        times: KeyRingTimes,
        logger: Logger
    ) {
        eventLoop = transfers.eventLoop
        var byBase: [String: Origin] = [:]
        for (index, tenant) in tenants.enumerated() {
            var configuration = OriginConfiguration(base: tenant.base, timeouts: DocumentTransfer.timeouts)
            configuration.maxConnections = Self.maxConnections
            configuration.caFile = caFile
            let origin = byBase[tenant.base] ?? Origin(loop: transfers, configuration: configuration)
            byBase[tenant.base] = origin
            for version in TokenClaims.Version.allCases {
                let id = KeySetID(tenant: index, version: version)
                rings[id] = KeyRing(
                    id: id,
                    tenant: tenant,
                    origin: origin,
                    eventLoop: eventLoop,
                    shared: shared,
                    times: times,
                    logger: logger,
                    publish: { [unowned self] in self.publish($0, $1) }
                )
            }
        }
        origins = Array(byBase.values)
    }

    /// Starts to fetch. To be called on its event loop, as `stop`, which comes before the transfers' shutdown.
    package func start() { for ring in rings.values { ring.start() } }

    package func stop() {
        for ring in rings.values { ring.stop() }
        // Nobody waits for a keeper that is gone.
        for (box, viewLoop) in views { viewLoop.execute { box.view?.refuseAll() } }
        views = []
    }

    /// Keeps a view up to date from now on. To be called on the view's event loop.
    package func show(_ view: KeyView, on viewLoop: any EventLoop) {
        let box = KeyViewBox(view: view)
        view.ask = { [eventLoop, weak self] wish, caller, ticket in
            eventLoop.execute { [weak self] in
                guard let self, let ring = self.rings[wish.set], ring.wanted(wish.keyID, by: caller) else {
                    return viewLoop.execute { box.view?.refuse(ticket) }
                }
                // The fetch it waits for may have ended before it asked.
                if let standing = self.standings[wish.set], !standing.isFetching {
                    viewLoop.execute { box.view?.update(wish.set, to: standing) }
                }
            }
        }
        eventLoop.execute {
            self.views.append((box, viewLoop))
            for (id, standing) in self.standings { viewLoop.execute { box.view?.update(id, to: standing) } }
        }
    }

    private func publish(_ id: KeySetID, _ standing: KeyView.Standing) {
        standings[id] = standing
        for (box, viewLoop) in views { viewLoop.execute { box.view?.update(id, to: standing) } }
    }
}

/// A view on its way between event loops; touched on its own only, and not kept alive: it holds the way back to its keeper.
private struct KeyViewBox: @unchecked Sendable {
    weak var view: KeyView?
}
