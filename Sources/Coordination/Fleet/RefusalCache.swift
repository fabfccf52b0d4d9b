internal import NIOCore

/// Refusals of a moment ago, so that a client in a hot loop does not cost a call of Redis for each request.
///
/// Remembered are refusals by a rate of the client and by all deployments, until the wait that was told is over, and for 200 ms
/// at most: a settlement by another replica may give something back earlier. Slots and quotas are asked about each time. Pure;
/// one for each event loop.
struct RefusalCache {
    static let longest = TimeAmount.milliseconds(200)
    static let mostEntries = 1024

    private struct Key: Hashable {
        /// The narrowest scope of the client; the other one follows from it.
        let scope: ScopeID?
        let deployment: DeploymentID
    }

    fileprivate struct Entry {
        let admission: Admission
        let refusal: Refusal
        /// When it came.
        let since: NIODeadline
        let until: NIODeadline
        /// How often capacity had returned by then.
        let returns: Int
    }

    private var entries: [Key: Entry] = [:]
    /// Counts `capacityReturned`, and what it was when it was said of each deployment last.
    private var returns = 0
    private var lastReturns: [DeploymentID: Int] = [:]

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    mutating func note(_ admission: Admission, _ refusal: Refusal, now: NIODeadline) {
        switch refusal.reason {
        case .client(_, .requests), .client(_, .tokens), .deployments: break
        case .client(_, .concurrency), .client(_, .tokensPerDay), .client(_, .tokensPerMonth): return
        }
        if entries.count >= Self.mostEntries { entries = entries.filter { $1.until > now } }
        guard entries.count < Self.mostEntries else { return }
        entries[Self.key(admission)] = Entry(
            admission: admission,
            refusal: refusal,
            since: now,
            until: now + min(.milliseconds(refusal.wait), Self.longest),
            returns: returns
        )
    }

    /// What Redis would say; `nil` where it has to be asked.
    mutating func refusal(of admission: Admission, now: NIODeadline) -> Refusal? {
        let key = Self.key(admission)
        guard let entry = entries[key] else { return nil }
        guard now < entry.until else {
            entries[key] = nil
            return nil
        }
        guard entry.holds(for: admission), !hasReturned(since: entry) else { return nil }
        return entry.refusal.later(by: (now - entry.since).nanoseconds / 1_000_000)
    }

    /// This event loop gave something back at a deployment: what it refused may be had now.
    mutating func capacityReturned(_ deployment: DeploymentID) {
        guard !entries.isEmpty else { return }
        if lastReturns.count >= Self.mostEntries { (entries, lastReturns) = ([:], [:]) }
        returns += 1
        lastReturns[deployment] = returns
    }

    private func hasReturned(since entry: Entry) -> Bool {
        guard entry.refusal.reason == .deployments, entry.returns < returns else { return false }
        return entry.admission.candidates.contains { lastReturns[$0.id] ?? 0 > entry.returns }
    }

    private static func key(_ admission: Admission) -> Key {
        Key(scope: admission.scopes.last?.id, deployment: admission.candidates[0].id)
    }
}

extension RefusalCache.Entry {
    /// Whoever asks for less than was refused may get it.
    fileprivate func holds(for other: Admission) -> Bool {
        guard other.scopes == admission.scopes else { return false }
        return switch refusal.reason {
        case .client(_, .requests): true
        case .client: other.estimate >= admission.estimate
        case .deployments: other.estimate >= admission.estimate && other.candidates == admission.candidates
        }
    }
}

extension Refusal {
    /// The same, so many milliseconds later.
    fileprivate func later(by elapsed: Int64) -> Refusal {
        Refusal(
            reason: reason,
            wait: max(1, wait - elapsed),
            time: time + elapsed,
            levels: levels,
            cooldowns: cooldowns.map { max(0, $0 - elapsed) }
        )
    }
}
