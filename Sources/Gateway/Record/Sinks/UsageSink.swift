internal import Logging
internal import NIOCore

/// Where usage events go. Lives on a thread of its own, and may block it.
protocol UsageSink: AnyObject {
    /// Writes them all, or fails; after a failure the same ones come again.
    ///
    /// - Returns: what to go on with after a restart, and how many the sink will never take.
    func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress

    /// The same for a sink whose marks outlive the process.
    ///
    /// - Parameter keep: to be called before the first byte goes where no mark has pointed yet: what to go on with if the
    ///   process dies before this is done.
    func write(
        _ events: [UsageEvent],
        keep: (_ mark: String) throws(SinkFailure) -> Void
    ) throws(SinkFailure) -> SinkProgress
}

extension UsageSink {
    func write(
        _ events: [UsageEvent],
        keep: (_ mark: String) throws(SinkFailure) -> Void
    ) throws(SinkFailure) -> SinkProgress {
        try write(events)
    }
}

struct SinkProgress {
    /// Kept with the place in the spool; no line break in it.
    var mark = ""
    var refused = 0
}

struct SinkFailure: Error {
    /// For the log: constant, or of the system.
    let reason: String
    /// Seconds that the sink asked to be left alone for.
    var retryAfter: Int?
}

/// What is known of a sink; counts since the process started.
struct SinkStatistics: Sendable {
    var written = 0
    /// Events that it will never take, such as one that is too large.
    var refused = 0
    var failures = 0
}

/// Takes events from the spool and gives them to a sink, at the sink's pace: what fails is tried again, for ever.
final class SinkRunner: Sendable {
    /// Stable over restarts and unique in the process: the name of its cursor, and its label in metrics.
    let name: String
    let statistics = Watched(SinkStatistics())
    private let spool: UsageSpool
    private let sink: Int
    private let makeSink: @Sendable (_ mark: String) -> any UsageSink
    private let logger: Logger

    /// Milliseconds between two batches, so that each has some size.
    private static let pace = 500
    private static let delays = RetryDelay(first: .milliseconds(500), longest: .seconds(60))

    /// - Parameters:
    ///   - sink: its number at the spool.
    ///   - makeSink: called on the sink's thread with the mark of its last progress, empty for none.
    init(
        name: String,
        spool: UsageSpool,
        sink: Int,
        logger: Logger,
        makeSink: @escaping @Sendable (_ mark: String) -> any UsageSink
    ) {
        self.name = name
        self.spool = spool
        self.sink = sink
        self.logger = logger
        self.makeSink = makeSink
    }

    func start(mark: String) {
        BackgroundThread.start {
            self.run(mark: mark)
            self.spool.sinkEnded()
        }
    }

    private func run(mark: String) {
        let target = makeSink(mark)
        let reader = SpoolReader(spool, sink: sink)
        while true {
            switch spool.news(for: sink, milliseconds: 1000) {
            case .nothing: continue
            case .over: return
            case .more: break
            }
            guard let batch = reader.next() else {
                spool.rest(milliseconds: Self.pace)
                continue
            }
            guard deliver(batch, to: target) else { return }
            if !batch.isFull { spool.rest(milliseconds: Self.pace) }
        }
    }

    /// Returns whether it was taken; it is not at the end of the process.
    private func deliver(_ batch: SpoolBatch, to target: any UsageSink) -> Bool {
        var failures = 0
        while true {
            do throws(SinkFailure) {
                let progress = try target.write(batch.events) { (mark: String) throws(SinkFailure) in
                    let cursor = SpoolCursor(position: spool.delivered(to: sink), mark: mark)
                    guard keep(cursor) else { throw SinkFailure(reason: "its place cannot be kept") }
                }
                statistics.change {
                    $0.written += batch.events.count - progress.refused
                    $0.refused += progress.refused
                }
                if failures > 0 { logger.notice("usage sink works again", metadata: ["sink": "\(name)"]) }
                keep(SpoolCursor(position: batch.end, mark: progress.mark))
                spool.delivered(to: sink, upTo: batch.end)
                return true
            } catch {
                failures += 1
                statistics.change { $0.failures += 1 }
                if failures == 1 {
                    logger.warning("usage sink fails", metadata: ["sink": "\(name)", "reason": "\(error.reason)"])
                }
                let delay = Self.delays.delay(failures: failures, chance: .random(in: 0..<1))
                spool.rest(milliseconds: max(Int(delay.nanoseconds / 1_000_000), (error.retryAfter ?? 0) * 1000))
                if spool.state.read({ $0.isEnding || $0.isStopped }) { return false }
            }
        }
    }

    /// Without it the events come once more after a restart.
    @discardableResult
    private func keep(_ cursor: SpoolCursor) -> Bool {
        do throws(SystemFailure) {
            try cursor.write(to: spool.folder.path(ofCursor: name))
            return true
        } catch {
            logger.warning("usage sink's place not kept", metadata: ["sink": "\(name)", "cause": "\(error)"])
            return false
        }
    }
}
