package import NIOCore

/// What a `DeadlineTimer` tells that its time has come.
package protocol DeadlineHandler: AnyObject {
    func deadlineReached(_ timer: DeadlineTimer)
}

/// One deadline on an event loop that moves often and is seldom reached, such as an idle timeout.
///
/// Moving it later costs two stores: the callback that is already scheduled finds on firing that it came early and schedules
/// itself anew. The event loop keeps it alive while a callback is scheduled, so its owner calls `stop` before it goes away.
package final class DeadlineTimer: NIOScheduledCallbackHandler, @unchecked Sendable {  // confined to `eventLoop`
    private let eventLoop: any EventLoop
    /// Not weak: an object that has a weak reference counts all its references in a slower way, for good.
    private unowned var handler: (any DeadlineHandler)?
    private var deadline: NIODeadline = .distantFuture
    private var scheduledFor: NIODeadline = .distantFuture
    private var scheduled: NIOScheduledCallback?

    package init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Names who is told; once, before the first `set`. Its `deinit` calls `stop`.
    package func attach(_ handler: any DeadlineHandler) { self.handler = handler }

    /// Moves the deadline; `.distantFuture` means none.
    package func set(_ deadline: NIODeadline) {
        self.deadline = deadline
        if deadline < scheduledFor { schedule(deadline) }
    }

    /// Forgets the deadline and the scheduled callback.
    package func stop() {
        deadline = .distantFuture
        scheduledFor = .distantFuture
        scheduled?.cancel()
        scheduled = nil
    }

    private func schedule(_ deadline: NIODeadline) {
        scheduled?.cancel()
        // A loop that is shutting down takes no more callbacks; whatever waits on it ends with it.
        scheduled = try? eventLoop.scheduleCallback(at: deadline, handler: self)
        scheduledFor = scheduled == nil ? .distantFuture : deadline
    }

    package func handleScheduledCallback(eventLoop: some EventLoop) {
        scheduled = nil
        scheduledFor = .distantFuture
        guard deadline < .distantFuture else { return }
        guard deadline <= .now() else { return schedule(deadline) }
        deadline = .distantFuture
        handler?.deadlineReached(self)
    }
}
