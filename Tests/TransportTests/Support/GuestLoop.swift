import CEpoll
import Glibc
import Testing

/// Runs a test on this thread with an epoll whose guests it has.
func withLoop(_ body: (GuestLoop) -> Void) {
    let loop = GuestLoop()
    body(loop)
    loop.leave()
}

final class GuestLoop {
    private let epoll = epoll_create1(0)
    private var ready: [Int32] = []
    private(set) var timesServed = 0
    /// What the last of them was ready for.
    private(set) var lastEvents: UInt32 = 0
    var onReady: (Int32) -> Void = { _ in }

    init() {
        _ = cepoll_join(
            { me, descriptor, events in
                let me = Unmanaged<GuestLoop>.fromOpaque(me!).takeUnretainedValue()
                me.ready.append(descriptor)
                me.lastEvents = events
                me.onReady(descriptor)
            },
            { me in Unmanaged<GuestLoop>.fromOpaque(me!).takeUnretainedValue().timesServed += 1 },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    func watch(_ descriptor: Int32) { #expect(cepoll_watch(epoll, descriptor, CEPOLL_IN) == 0) }
    func change(_ descriptor: Int32, to events: UInt32) { #expect(cepoll_change(epoll, descriptor, events) == 0) }
    func forget(_ descriptor: Int32) { #expect(cepoll_forget(epoll, descriptor) == 0) }

    /// The guests that became ready.
    func wait(milliseconds: Int32 = 0) -> [Int32] {
        ready = []
        var events = [epoll_event](repeating: epoll_event(), count: 8)
        #expect(epoll_wait(epoll, &events, 8, milliseconds) == 0, "guests are not for the loop itself")
        return ready
    }

    func leave() {
        onReady = { _ in }
        cepoll_leave()
        close(epoll)
    }
}

final class SocketPair {
    let guest: Int32
    private let peer: Int32

    init() {
        var pair: [Int32] = [-1, -1]
        let code = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &pair)
        precondition(code == 0, "socketpair failed")
        (guest, peer) = (pair[0], pair[1])
    }

    deinit {
        cepoll_closes(guest)
        close(guest)
        end()
    }

    private var hasEnded = false

    func say(_ bytes: Range<UInt8>) {
        let bytes = Array(bytes)
        #expect(write(peer, bytes, bytes.count) == bytes.count)
    }

    func end() {
        if !hasEnded { close(peer) }
        hasEnded = true
    }

    /// `nil` where there is nothing to read, nothing at the end.
    func read(_ room: Int, flags: Int32 = 0) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: room)
        let count = recv(guest, &bytes, room, flags)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    func peek(_ room: Int) -> [UInt8]? { read(room, flags: Int32(MSG_PEEK)) }

    var mayBeRead: Bool {
        var entry = pollfd(fd: guest, events: Int16(POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND), revents: 0)
        let ready = poll(&entry, 1, 0)
        #expect(ready == (entry.revents == 0 ? 0 : 1))
        return ready > 0
    }

    var bytesInKernel: Int {
        var count: Int32 = 0
        _ = ioctl(guest, UInt(FIONREAD), &count)
        return Int(count)
    }
}

func nanoseconds(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
