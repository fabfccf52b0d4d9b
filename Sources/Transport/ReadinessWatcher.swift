internal import CEpoll
internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The one thread that blocks for libcurl's sockets.
///
/// NIO has no public way to watch descriptors that it does not own, so every `TransferLoop` keeps libcurl's sockets in an
/// inner epoll, and this thread sleeps on an outer epoll that holds the inner ones. It never touches libcurl: it asks the
/// event loop to look, once per arming (EPOLLONESHOT), however many sockets became ready meanwhile.
package final class ReadinessWatcher: @unchecked Sendable {  // `loops` is behind its lock; descriptors never change
    private let outer: Int32
    private let stopSignal: Int32
    private let loops = NIOLockedValueBox<[TransferLoop?]>([])
    private var thread = pthread_t()

    /// `data.u64` of the stop signal; loops use their index.
    private static let stopMark = UInt64.max

    /// Starts the thread. Errors: the process is out of descriptors or threads (`TransferError.Code.resources`).
    package init() throws {
        outer = epoll_create1(Int32(CEPOLL_CLOEXEC))
        stopSignal = eventfd(0, Int32(CEPOLL_EVENTFD_CLOEXEC))
        guard outer >= 0, stopSignal >= 0 else { throw TransferError.resources("epoll_create1", errno) }
        var event = epoll_event()
        event.events = CEPOLL_IN
        event.data.u64 = Self.stopMark
        epoll_ctl(outer, CEPOLL_CTL_ADD, stopSignal, &event)
        let me = Unmanaged.passRetained(self)  // the thread's own reference
        let code = pthread_create(
            &thread,
            nil,
            { me in
                cepoll_name_thread("readiness")
                Unmanaged<ReadinessWatcher>.fromOpaque(me!).takeRetainedValue().watch()
                return nil
            },
            me.toOpaque()
        )
        guard code == 0 else {
            me.release()
            throw TransferError.resources("pthread_create", code)
        }
    }

    /// Ends the thread; loops that stay are no longer woken. To be called once, after the last transfer.
    package func shutdown() {
        var one: UInt64 = 1
        _ = write(stopSignal, &one, 8)  // an eventfd takes it; the join below proves that it did
        pthread_join(thread, nil)
        close(outer)
        close(stopSignal)
        loops.withLockedValue { $0 = [] }
    }

    /// Takes a loop in and arms it; the result is its index for `arm` and `remove`.
    func add(_ loop: TransferLoop, inner: Int32) -> Int {
        let index = loops.withLockedValue { loops in
            loops.append(loop)
            return loops.count - 1
        }
        control(CEPOLL_CTL_ADD, inner, index)
        return index
    }

    func remove(inner: Int32, index: Int) {
        epoll_ctl(outer, CEPOLL_CTL_DEL, inner, nil)
        loops.withLockedValue { if index < $0.count { $0[index] = nil } }
    }

    /// Lets the loop be woken once more.
    func arm(inner: Int32, index: Int) { control(CEPOLL_CTL_MOD, inner, index) }

    private func control(_ operation: Int32, _ inner: Int32, _ index: Int) {
        var event = epoll_event()
        event.events = CEPOLL_IN | CEPOLL_ONESHOT
        event.data.u64 = UInt64(index)
        epoll_ctl(outer, operation, inner, &event)
    }

    private func watch() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(outer, &events, Int32(events.count), -1)
            for event in events.prefix(Int(max(0, count))) {
                if event.data.u64 == Self.stopMark { return }
                let index = Int(event.data.u64)
                guard let loop = loops.withLockedValue({ index < $0.count ? $0[index] : nil }) else { continue }
                loop.eventLoop.execute { loop.socketsAreReady() }
            }
        }
    }
}
