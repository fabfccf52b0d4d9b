import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Transport

@Suite("A deadline that moves")
struct DeadlineTimerTests {
    /// A timer on its loop, and the moments at which it rang.
    private final class Bell: DeadlineHandler, @unchecked Sendable {  // the timer is touched on its loop only
        let eventLoop: any EventLoop
        private let timer: DeadlineTimer
        private let rings = Mutex<[NIODeadline]>([])
        private let again: TimeAmount?

        init(again: TimeAmount? = nil) {
            eventLoop = MultiThreadedEventLoopGroup.singleton.next()
            timer = DeadlineTimer(eventLoop: eventLoop)
            self.again = again
            timer.attach(self)
        }

        deinit { timer.stop() }

        var times: [NIODeadline] { rings.withLock { $0 } }

        func deadlineReached(_ timer: DeadlineTimer) {
            let count = rings.withLock {
                $0.append(.now())
                return $0.count
            }
            if let again, count == 1 { timer.set(.now() + again) }
        }

        func set(_ delays: TimeAmount?...) async throws {
            try await eventLoop.submit {
                for delay in delays { self.timer.set(delay.map { .now() + $0 } ?? .distantFuture) }
            }.get()
        }

        func setAndStop(_ delay: TimeAmount) async throws {
            try await eventLoop.submit {
                self.timer.set(.now() + delay)
                self.timer.stop()
            }.get()
        }

        func stop() async throws { try await eventLoop.submit { self.timer.stop() }.get() }

        /// Lets the loop's clock pass a moment, by a task that the loop itself schedules behind it.
        func pass(_ time: TimeAmount) async throws { try await eventLoop.scheduleTask(in: time) {}.futureResult.get() }
    }

    @Test("It rings once, not before its time")
    func rings() async throws {
        let bell = Bell()
        let start = NIODeadline.now()
        try await bell.set(.milliseconds(20))
        try await eventually("the bell rings") { !bell.times.isEmpty }
        #expect(bell.times[0] >= start + .milliseconds(20))
        try await bell.pass(.milliseconds(40))
        #expect(bell.times.count == 1)
    }

    @Test("A deadline that has passed rings at once")
    func past() async throws {
        let bell = Bell()
        try await bell.set(.seconds(-5))
        try await eventually("the bell rings") { bell.times.count == 1 }
    }

    @Test("Moved later, it rings once at the later moment")
    func later() async throws {
        let bell = Bell()
        let start = NIODeadline.now()
        try await bell.set(.milliseconds(10), .milliseconds(60))
        try await eventually("the bell rings") { !bell.times.isEmpty }
        #expect(bell.times[0] >= start + .milliseconds(60))
        try await bell.pass(.milliseconds(30))
        #expect(bell.times.count == 1)
    }

    @Test("Moved earlier, it rings once at the earlier moment")
    func earlier() async throws {
        let bell = Bell()
        let start = NIODeadline.now()
        try await bell.set(.seconds(30), .milliseconds(20))
        try await eventually("the bell rings") { !bell.times.isEmpty }
        #expect(bell.times[0] >= start + .milliseconds(20))
        #expect(bell.times[0] < start + .seconds(10))
        #expect(bell.times.count == 1)
    }

    @Test("Moved to the distant future or stopped, it is silent", arguments: [true, false])
    func silent(_ stops: Bool) async throws {
        let bell = Bell()
        if stops { try await bell.setAndStop(.milliseconds(20)) } else { try await bell.set(.milliseconds(20), nil) }
        try await bell.pass(.milliseconds(60))
        #expect(bell.times.isEmpty)
    }

    @Test("After a stop it can be set again")
    func afterStop() async throws {
        let bell = Bell()
        try await bell.set(.seconds(30))
        try await bell.stop()
        try await bell.set(.milliseconds(5))
        try await eventually("the bell rings") { bell.times.count == 1 }
    }

    @Test("It can be set from inside the ring")
    func fromInside() async throws {
        let bell = Bell(again: .milliseconds(15))
        try await bell.set(.milliseconds(5))
        try await eventually("the bell rings twice") { bell.times.count == 2 }
        #expect(bell.times[1] - bell.times[0] >= .milliseconds(15))
    }

    @Test("It does not keep its owner alive, and rings for nobody when the owner is gone")
    func ownerGone() async throws {
        var bell: Bell? = Bell()
        weak let weakBell = bell
        let eventLoop = bell!.eventLoop
        try await bell!.set(.milliseconds(20))
        bell = nil
        #expect(weakBell == nil)
        try await eventLoop.scheduleTask(in: .milliseconds(40)) {}.futureResult.get()
    }
}
