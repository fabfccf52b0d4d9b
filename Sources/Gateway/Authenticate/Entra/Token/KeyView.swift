/// The keys of all tenants as one event loop sees them, and who waits there for others. `KeyKeeper` keeps it up to date.
package final class KeyView {
    /// How one set of keys stands.
    struct Standing: Sendable {
        var set: KeySet?
        var isFetching = false
        /// The last try to fetch it failed.
        var hasFailed = false
        /// Seconds since 1970 from when an unknown key may cause a fetch.
        var refreshableFrom: Int64 = 0
    }

    enum Prospect {
        /// A fetch runs, or may be asked for.
        case mayCome
        /// The set was fetched lately, and the key is not in it.
        case unknown
        /// Nothing could be fetched, and it is not yet time to try again.
        case noKeys
    }

    /// What a wish came to.
    package enum Answer: Sendable {
        /// The keys were fetched, or could not be: judge the token again.
        case lookAgain
        /// No fetch for this wish.
        case refused
    }

    /// Tells the keeper of a wish; set by it.
    var ask: ((KeyWish, CallerAddress, Ticket) -> Void)?

    package struct Ticket: Sendable {
        let set: KeySetID
        let number: WaitingList<Answer>.Ticket
    }

    private var standings: [Standing]
    private var waiting: [WaitingList<Answer>]

    package init(tenants: Int) {
        let sets = tenants * TokenClaims.Version.allCases.count
        standings = Array(repeating: Standing(), count: sets)
        waiting = Array(repeating: WaitingList(), count: sets)
    }

    subscript(id: KeySetID) -> KeySet? { standings[index(id)].set }

    package var waitingCount: Int { waiting.reduce(0) { $0 + $1.count } }

    func prospect(of id: KeySetID, now: Int64) -> Prospect {
        let standing = standings[index(id)]
        if standing.isFetching || now >= standing.refreshableFrom { return .mayCome }
        return standing.set == nil || standing.hasFailed ? .noKeys : .unknown
    }

    /// Waits for a key; `nil` when too many do. `tell` is called later, once, on this event loop.
    package func wait(
        for wish: KeyWish,
        from caller: CallerAddress,
        tell: @escaping (Answer) -> Void
    ) -> Ticket? {
        guard let number = waiting[index(wish.set)].add(tell) else { return nil }
        let ticket = Ticket(set: wish.set, number: number)
        ask?(wish, caller, ticket)
        return ticket
    }

    /// The one who waited has left.
    package func cancel(_ ticket: Ticket) { _ = waiting[index(ticket.set)].remove(ticket.number) }

    // MARK: what the keeper says

    func update(_ id: KeySetID, to standing: Standing) {
        standings[index(id)] = standing
        guard !standing.isFetching else { return }
        for tell in waiting[index(id)].removeAll() { tell(.lookAgain) }
    }

    func refuse(_ ticket: Ticket) { waiting[index(ticket.set)].remove(ticket.number)?(.refused) }

    /// No fetch will end any more.
    func refuseAll() {
        for index in waiting.indices {
            for tell in waiting[index].removeAll() { tell(.refused) }
        }
    }

    /// Keys and failures of each set, for metrics.
    var report: [(id: KeySetID, keys: Int, isFailing: Bool)] {
        standings.enumerated().map { index, standing in
            let version = TokenClaims.Version.allCases[index % TokenClaims.Version.allCases.count]
            let id = KeySetID(tenant: index / TokenClaims.Version.allCases.count, version: version)
            return (id, standing.set?.count ?? 0, standing.hasFailed)
        }
    }

    private func index(_ id: KeySetID) -> Int { id.tenant * TokenClaims.Version.allCases.count + id.version.rawValue }
}
