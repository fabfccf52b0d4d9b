internal import NIOCore

/// Gathers the usage events of one event loop and hands them to the spool, a few times a second. Confined to its loop.
final class UsageLog {
    private let spool: UsageSpool
    private let eventLoop: any EventLoop
    private var frames = UsageFrameWriter(capacity: UsageLog.mostPending + 8 * 1024)
    private var count = 0
    private var offset = WallOffset()
    private var flushIsScheduled = false

    /// An event waits no longer than this, and no more bytes than `mostPending`.
    static let mostDelay = TimeAmount.milliseconds(100)
    private static let mostPending = 64 * 1024

    /// To be called on the event loop.
    init(spool: UsageSpool, eventLoop: any EventLoop) {
        self.spool = spool
        self.eventLoop = eventLoop
    }

    /// Of a client that is known; others use nothing, and must not be able to fill a disk.
    func write(_ record: borrowing ExchangeRecord, endpointName: (Int) -> String) {
        guard record.client != nil else { return }
        frames.write(
            record,
            received: offset.nanoseconds(at: record.start) / 1000,
            endpointName: endpointName
        )
        count += 1
        if frames.count >= Self.mostPending { flush() } else { scheduleFlush() }
    }

    func flush() {
        guard count > 0 else { return }
        spool.add(frames.take(), events: count)
        count = 0
        offset.forget()
    }

    private func scheduleFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.mostDelay) {
            self.flushIsScheduled = false
            self.flush()
        }
    }
}
