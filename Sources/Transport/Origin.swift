internal import CCurl
internal import DequeModule
package import NIOCore

/// What an origin is and how it may be used; the same for every event loop.
package struct OriginConfiguration: Sendable, Equatable {
    /// Scheme and authority, such as `https://sweden.openai.azure.com` or `http://127.0.0.1:8081`.
    package var base: String
    package var timeouts: TransferTimeouts
    /// Most connections of one event loop.
    package var maxConnections = 256
    /// Longest wait for one of them; it counts within `timeouts.total`.
    package var maxWait: TimeAmount = .seconds(5)
    /// Most transfers that may wait.
    package var maxWaiting = 1000
    /// Offer HTTP/2 by ALPN on TLS.
    package var http2 = false
    /// PEM file of trusted roots instead of the system's store.
    package var caFile: String?
    /// `http://host:port`; every request goes through a CONNECT tunnel. The process's proxy variables are never read.
    package var proxy: String?

    package init(base: String, timeouts: TransferTimeouts) {
        self.base = base
        self.timeouts = timeouts
    }
}

/// One server as one event loop sees it: its pooled transfers, how many run, and who waits.
///
/// libcurl keeps the connections; this keeps their number: one running transfer is one connection.
package final class Origin {
    package let configuration: OriginConfiguration
    let loop: TransferLoop
    let url: ParsedURL
    package private(set) var running = 0
    private var idle: [Transfer] = []
    private var waiting = Deque<Transfer>()

    /// Easy handles kept for reuse; about 6 KiB each.
    private static let maxIdle = 256

    package init(loop: TransferLoop, configuration: OriginConfiguration) {
        self.loop = loop
        self.configuration = configuration
        url = ParsedURL(configuration.base)
    }

    package var waitingCount: Int { waiting.count }

    /// Starts a transfer, or lets it wait for a connection; the observer hears of every outcome, never before this returns.
    package func start(_ request: TransferRequest, observer: any TransferObserver) -> Transfer {
        let transfer = idle.popLast() ?? Transfer(origin: self)
        transfer.prepare(request, observer: observer)
        if running < configuration.maxConnections {
            run(transfer)
        } else if waiting.count < configuration.maxWaiting {
            waiting.append(transfer)
            transfer.waitForConnection()
        } else {
            let cause = "\(configuration.maxConnections) connections busy, \(waiting.count) transfers waiting"
            transfer.refuse(
                TransferError(.poolFull, blame: .gateway, mayHaveReachedServer: false, cause: cause),
                ran: false
            )
        }
        return transfer
    }

    private func run(_ transfer: Transfer) {
        running += 1
        transfer.run()
    }

    /// A transfer that ran is over; the next in line takes its place.
    func transferRan() {
        running -= 1
        while running < configuration.maxConnections, let next = waiting.popFirst() { run(next) }
    }

    func forgetWaiting(_ transfer: Transfer) { waiting.removeAll { $0 === transfer } }

    func recycle(_ transfer: Transfer) {
        if idle.count < Self.maxIdle, transfer.isReusable { idle.append(transfer) }
    }
}
