internal import Logging

/// Tells the fleet which configuration and version this process runs, and hears what the others do and what operators changed.
struct FleetProof: Sendable {
    let fleet: Fleet
    let version: String
    let logger: Logger

    /// As often as a process says that it lives.
    private static let interval = Duration.seconds(20)
    /// While nobody answers, and until a change of the configuration is known.
    private static let shortInterval = Duration.seconds(1)

    /// Between two looks at what operators changed.
    private static let lookInterval = Duration.seconds(5)

    /// Runs until it is cancelled. A replica that reads another configuration says so within a second.
    func run() async {
        var said: String?
        var (next, nextLook) = (ContinuousClock.now, ContinuousClock.now)
        var changes = OperatorChanges()
        repeat {
            let hash = fleet.snapshot.hash
            if hash != said || ContinuousClock.now >= next,
                let replicas = await fleet.coordinating.announce(hash: hash, version: version)
            {
                fleet.current.note { $0.replicas = replicas }
                said = hash
                // Replicas that started together do not speak together.
                next = .now + Self.interval * Double.random(in: 0.9...1.1)
            }
            if ContinuousClock.now >= nextLook {
                for change in changes.new(in: await fleet.coordinating.changes()) {
                    logger.notice("changed by an operator", metadata: ["change": "\(change)"])
                }
                nextLook = .now + Self.lookInterval
            }
        } while await Self.pause()
    }

    /// Returns whether to go on.
    private static func pause() async -> Bool { (try? await Task.sleep(for: shortInterval)) != nil }
}

/// Tells which of the changes that the fleet remembers are news to this process.
struct OperatorChanges {
    /// The latest that is known; empty where there was none. `nil` before the first look.
    private var latest: String?

    /// - Parameter changes: the latest first; `nil` where they could not be had.
    /// - Returns: the oldest first. What was there before the first look is no news.
    mutating func new(in changes: [String]?) -> [String] {
        guard let changes else { return [] }
        defer { latest = changes.first ?? "" }
        guard let latest else { return [] }
        return changes.prefix { $0 != latest }.reversed()
    }
}
