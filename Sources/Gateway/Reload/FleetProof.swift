/// Tells the fleet which configuration and version this process runs, and hears what the others do.
struct FleetProof: Sendable {
    let fleet: Fleet
    let version: String

    /// As often as a process says that it lives.
    private static let interval = Duration.seconds(20)
    /// While nobody answers, and until a change of the configuration is known.
    private static let shortInterval = Duration.seconds(1)

    /// Runs until it is cancelled. A replica that reads another configuration says so within a second.
    func run() async {
        var said: String?
        var next = ContinuousClock.now
        repeat {
            let hash = fleet.snapshot.hash
            guard hash != said || ContinuousClock.now >= next else { continue }
            guard let replicas = await fleet.coordinating.announce(hash: hash, version: version) else { continue }
            fleet.current.note { $0.replicas = replicas }
            said = hash
            // Replicas that started together do not speak together.
            next = .now + Self.interval * Double.random(in: 0.9...1.1)
        } while await Self.pause()
    }

    /// Returns whether to go on.
    private static func pause() async -> Bool { (try? await Task.sleep(for: shortInterval)) != nil }
}
