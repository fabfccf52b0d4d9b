internal import Logging
internal import NIOCore

/// Takes up a changed configuration while requests are served.
///
/// It is read, checked, made into one snapshot and shown to every worker: exchanges that run keep theirs, those that begin later
/// have the new one. One that has errors changes nothing, and says so in the log, in `/status` and in a metric.
struct Reloader: Sendable {
    let fleet: Fleet
    let reading: ConfigurationReading
    /// The process's, in which the platform says where its tokens are.
    let environment: [String: String]
    let logger: Logger

    /// Why it looks at the files.
    enum Occasion: Sendable {
        /// An operator asks (SIGHUP).
        case asked
        case time
    }

    /// How often the files are looked at. A change is taken up when it was the same twice, so that a file is not read while
    /// somebody writes it.
    private static let interval = Duration.seconds(1)

    /// Characters of a log line that say what has changed.
    private static let longestChanges = 4000

    /// Runs until it is cancelled.
    ///
    /// - Parameter asked: an element for each time that an operator asks.
    func run(asked: AsyncStream<Void>) async {
        let (occasions, continuation) = AsyncStream.makeStream(of: Occasion.self)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for await _ in asked { continuation.yield(.asked) } }
            tasks.addTask {
                // Thrown on cancellation only.
                while (try? await Task.sleep(for: Self.interval)) != nil { continuation.yield(.time) }
                continuation.finish()
            }
            await takeUpChanges(at: occasions)
            tasks.cancelAll()
        }
    }

    private func takeUpChanges(at occasions: AsyncStream<Occasion>) async {
        var (outcome, inForce) = read(reading().files)
        var lastSeen = inForce
        // What is in force was read before this process listened; it may have changed since.
        await takeUp(outcome, isAsked: false)
        for await occasion in occasions {
            let contents = FileContents(of: outcome.files)
            let isSettled = contents == lastSeen
            lastSeen = contents
            switch occasion {
            case .time: guard contents != inForce, isSettled else { continue }
            case .asked: break
            }
            (outcome, inForce) = read(outcome.files)
            lastSeen = inForce
            await takeUp(outcome, isAsked: occasion == .asked)
        }
    }

    private func takeUp(_ outcome: ConfigurationReading.Outcome, isAsked: Bool) async {
        switch outcome.result {
        case .failure(let errors):
            fail("\(errors)")
        case .success(let loaded):
            await takeUp(loaded.configuration, isAsked: isAsked)
        }
    }

    /// Reads the configuration together with what its files hold, so that no change between the two can pass unseen.
    ///
    /// - Parameter files: those that count, as far as is known; what is read may name others.
    private func read(_ files: [String]) -> (ConfigurationReading.Outcome, FileContents) {
        var contents = FileContents(of: files)
        var outcome = reading()
        for _ in 0..<Self.mostReadings {
            let now = FileContents(of: outcome.files)
            if now == contents { break }
            contents = now
            outcome = reading()
        }
        return (outcome, contents)
    }

    /// Who still writes by then is waited for until the next look.
    private static let mostReadings = 4

    private func fail(_ errors: String) {
        fleet.current.note {
            $0.failures += 1
            $0.error = errors
        }
        logger.error(
            "the configuration has errors; the old one stays in force",
            metadata: ["errors": "\(errors)", "hash": "\(fleet.snapshot.hash)"]
        )
    }

    private func takeUp(_ configuration: GatewayConfiguration, isAsked: Bool) async {
        let earlier = fleet.snapshot
        var configuration = configuration
        let needsRestart = configuration.keepStart(of: earlier.configuration)
        fleet.current.note {
            $0.error = nil
            $0.needsRestart = needsRestart
        }
        if !needsRestart.isEmpty {
            logger.warning(
                "a part of the new configuration needs a restart",
                metadata: ["keys": "\(needsRestart.joined(separator: ", "))"]
            )
        }
        guard configuration != earlier.configuration else {
            if isAsked { logger.notice("the configuration has not changed", metadata: ["hash": "\(earlier.hash)"]) }
            return
        }
        let snapshot: Snapshot
        do {
            snapshot = try Snapshot(
                configuration,
                loops: fleet.workers.count,
                environment: environment,
                after: earlier
            )
        } catch {
            return fail("\(error)")
        }
        await fleet.adopt(snapshot)
        fleet.current.note { $0.reloads += 1 }
        logger.notice(
            "configuration reloaded",
            metadata: [
                "hash": "\(snapshot.hash)", "was": "\(earlier.hash)",
                "changes": "\(earlier.configuration.changes(to: configuration).prefix(Self.longestChanges))",
            ]
        )
    }
}

extension Fleet {
    /// Shows a configuration to every worker. Whoever asks `/status` sees it at once.
    func adopt(_ snapshot: Snapshot) async {
        // First: a worker must never count under a number that the metrics page does not know.
        current.set(snapshot)
        gate.limit = snapshot.limits.inFlight
        let keepers = keepers
        // The loop of the keepers is one of the workers': it takes no more work only after the last reload.
        guard let kept = try? await keepers.eventLoop.submit({ keepers.adopt(snapshot) }).get() else { return }
        let _: [Void] = await onEachLoop { worker in
            worker.adopt(snapshot)
            worker.access.adopt(snapshot, kept, on: worker.eventLoop)
        }
        try? await keepers.eventLoop.submit { keepers.dismissRetired() }.get()
    }
}
