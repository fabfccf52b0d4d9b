/// The credentials for one upstream as one event loop sees them. `CredentialKeeper` keeps it up to date.
package final class CredentialView {
    package enum Current: Sendable, Equatable {
        /// The value of `api-key`.
        case apiKey(String)
        /// The value of `Authorization`.
        case authorization(String)
        /// The first token is on its way: wait.
        case pending
        /// There is no token, and none will come at once.
        case unavailable
    }

    /// What to send now.
    package private(set) var current: Current
    /// Tells the keeper that the upstream refused a token; set by it.
    var tellRefused: ((String) -> Void)?
    /// Called whenever it is another one.
    var onChange: ((Current) -> Void)?
    private var waiting = WaitingList<Current>()
    private var renewing = WaitingList<Current>()

    /// A key of the configuration, which nobody has to keep.
    package init(apiKey: Secret) { current = .apiKey(apiKey.reveal()) }

    /// Empty until a keeper fills it.
    package init() { current = .pending }

    package typealias Ticket = WaitingList<Current>.Ticket

    /// Waits for the first token; `nil` when too many do. `tell` is called later, once, on this event loop.
    package func wait(tell: @escaping (Current) -> Void) -> Ticket? { waiting.add(tell) }

    /// The one who waited has left.
    package func cancel(_ ticket: Ticket) { _ = waiting.remove(ticket) }

    /// The upstream answered 401 to this value of `Authorization`: another token is asked for, once a minute at most.
    ///
    /// - Parameter tell: called later, once, on this event loop, with what there is then, which may be the same token.
    /// - Returns: `nil` when too many wait already.
    package func renew(_ refused: String, tell: @escaping (Current) -> Void) -> Ticket? {
        guard let ticket = renewing.add(tell) else { return nil }
        tellRefused?(refused)
        return ticket
    }

    package func cancelRenewal(_ ticket: Ticket) { _ = renewing.remove(ticket) }

    // MARK: what the keeper says

    func update(to current: Current) {
        let isNew = self.current != current
        self.current = current
        if isNew { onChange?(current) }
        guard current != .pending else { return }
        for tell in waiting.removeAll() { tell(current) }
    }

    /// Asking for another token has come to an end, whatever it brought.
    func settled() {
        for tell in renewing.removeAll() { tell(current) }
    }
}
