import CEpoll
import Glibc
import Testing

/// What CEpoll makes of `epoll_wait`, `poll` and `recv` for a guest, on sockets of the kernel.
@Suite("A guest's socket")
struct GuestSocketTests {
    @Test("A short read takes along what follows, which is then read first and counts as input")
    func readsAhead() {
        withLoop { loop in
            let pair = SocketPair()
            loop.watch(pair.guest)
            pair.say(0..<100)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(5) == Array(0..<5))
            #expect(pair.bytesInKernel == 0)
            #expect(pair.mayBeRead)
            #expect(pair.read(3) == Array(5..<8))
            #expect(pair.peek(200) == Array(8..<100))
            #expect(loop.wait(milliseconds: 10_000) == [pair.guest], "at once: who waits for them is ready")
            #expect(pair.read(200) == Array(8..<100))
            #expect(!pair.mayBeRead)
            #expect(loop.wait().isEmpty)
            #expect(pair.read(5) == nil)
        }
    }

    @Test("Behind all guests of a wait comes the word that they were served, once; without guests it does not come")
    func servesTogether() {
        withLoop { loop in
            let pairs = [SocketPair(), SocketPair(), SocketPair()]
            for pair in pairs { loop.watch(pair.guest) }
            #expect(loop.wait().isEmpty)
            #expect(loop.timesServed == 0)
            for pair in pairs { pair.say(0..<1) }
            loop.onReady = { _ in #expect(loop.timesServed == 0) }
            #expect(Set(loop.wait()) == Set(pairs.map(\.guest)))
            #expect(loop.timesServed == 1)
        }
    }

    @Test("What comes later is read behind what was read ahead")
    func keepsTheOrder() {
        withLoop { loop in
            let pair = SocketPair()
            loop.watch(pair.guest)
            pair.say(0..<20)
            #expect(pair.read(5) == Array(0..<5))
            pair.say(20..<30)
            #expect(pair.read(100) == Array(5..<20))
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(100) == Array(20..<30))
        }
    }

    @Test("Bytes of one guest are never another's, and go with it")
    func keepsThemApart() {
        withLoop { loop in
            let one = SocketPair()
            let other = SocketPair()
            loop.watch(one.guest)
            loop.watch(other.guest)
            one.say(0..<50)
            other.say(100..<150)
            #expect(one.read(5) == Array(0..<5))
            #expect(other.read(5) == Array(100..<105))
            #expect(other.read(100) == Array(105..<150))
            cepoll_closes(one.guest)
            one.say(200..<210)
            #expect(one.read(100) == Array(200..<210), "as another socket of that number")
        }
    }

    @Test("A guest that nobody watches waits with its bytes, and gets them once it is watched again")
    func waitsUnwatched() {
        withLoop { loop in
            let pair = SocketPair()
            loop.watch(pair.guest)
            pair.say(0..<20)
            #expect(pair.read(5) == Array(0..<5))
            loop.forget(pair.guest)
            #expect(loop.wait().isEmpty)
            #expect(pair.mayBeRead)
            loop.watch(pair.guest)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(100) == Array(5..<20))
        }
    }

    @Test("An emptied guest is not asked about again until epoll has spoken of it")
    func knowsWhatIsEmpty() {
        withLoop { loop in
            let pair = SocketPair()
            loop.watch(pair.guest)
            pair.say(0..<200)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == Array(0..<200))
            pair.say(0..<1)
            #expect(pair.mayBeRead, "a buffer that was filled says nothing")
            #expect(pair.read(200) == [0])
            pair.say(1..<2)
            #expect(!pair.mayBeRead)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.mayBeRead)
            #expect(pair.read(200) == [1])
            pair.end()
            #expect(loop.wait() == [pair.guest])
            #expect(pair.mayBeRead)
            #expect(pair.read(200) == [])
            #expect(pair.mayBeRead, "the end stays")
        }
    }

    @Test("All that are ready are known before the first of them is served")
    func knowsAllThatAreReady() {
        withLoop { loop in
            let pairs = [SocketPair(), SocketPair()]
            for pair in pairs {
                loop.watch(pair.guest)
                pair.say(0..<1)
                #expect(pair.read(200) == [0])
                pair.end()
            }
            loop.onReady = { _ in for pair in pairs { #expect(pair.mayBeRead) } }
            #expect(Set(loop.wait()) == Set(pairs.map(\.guest)))
        }
    }

    @Test("Of a socket that is no guest the kernel is asked")
    func leavesOthersAlone() {
        withLoop { loop in
            let pair = SocketPair()
            pair.say(0..<20)
            #expect(pair.read(5) == Array(0..<5))
            #expect(pair.bytesInKernel == 15)
            #expect(pair.read(100) == Array(5..<20))
            pair.say(0..<1)
            #expect(pair.mayBeRead)
            loop.watch(pair.guest)
            #expect(pair.mayBeRead, "nothing is known of a new guest")
        }
    }

    @Test("While it is held, the monotonic clock is read once, when it is first asked for; other clocks go on")
    func holdsTheClock() {
        cepoll_hold_clock()
        defer { cepoll_let_clock_go() }
        let before = nanoseconds(CLOCK_MONOTONIC_RAW)
        let first = nanoseconds(CLOCK_MONOTONIC)
        while nanoseconds(CLOCK_MONOTONIC_RAW) < before + 1_000_000 {}
        #expect(nanoseconds(CLOCK_MONOTONIC) == first)
        #expect(nanoseconds(CLOCK_REALTIME) != nanoseconds(CLOCK_REALTIME))
        cepoll_hold_clock()
        #expect(nanoseconds(CLOCK_MONOTONIC) > first, "held anew, it is read anew")
    }

    @Test("A clock that was let go goes on")
    func letsTheClockGo() {
        cepoll_hold_clock()
        let held = nanoseconds(CLOCK_MONOTONIC)
        cepoll_let_clock_go()
        #expect(nanoseconds(CLOCK_MONOTONIC) > held)
    }

    @Test("Only the thread that holds it has a clock that stands still")
    func holdsForItself() {
        cepoll_hold_clock()
        defer { cepoll_let_clock_go() }
        let held = nanoseconds(CLOCK_MONOTONIC)
        var other = pthread_t()
        let code = pthread_create(
            &other,
            nil,
            { _ in UnsafeMutableRawPointer(bitPattern: nanoseconds(CLOCK_MONOTONIC)) },
            nil
        )
        #expect(code == 0)
        var seen: UnsafeMutableRawPointer?
        pthread_join(other, &seen)
        #expect(Int(bitPattern: seen) > held)
        #expect(nanoseconds(CLOCK_MONOTONIC) == held)
    }

    @Test("What may have slept in `poll` is told the time that it is then")
    func pollMovesTheClock() {
        cepoll_hold_clock()
        defer { cepoll_let_clock_go() }
        let before = nanoseconds(CLOCK_MONOTONIC)
        var none = pollfd(fd: -1, events: 0, revents: 0)
        #expect(poll(&none, 1, 2) == 0)
        #expect(nanoseconds(CLOCK_MONOTONIC) >= before + 2_000_000)
    }
}

private func nanoseconds(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

// MARK: what it takes

/// Runs a test on this thread with an epoll whose guests it has.
private func withLoop(_ body: (GuestLoop) -> Void) {
    let loop = GuestLoop()
    body(loop)
    loop.leave()
}

private final class GuestLoop {
    private let epoll = epoll_create1(0)
    private var ready: [Int32] = []
    private(set) var timesServed = 0
    var onReady: (Int32) -> Void = { _ in }

    init() {
        _ = cepoll_join(
            { me, descriptor, _ in
                let me = Unmanaged<GuestLoop>.fromOpaque(me!).takeUnretainedValue()
                me.ready.append(descriptor)
                me.onReady(descriptor)
            },
            { me in Unmanaged<GuestLoop>.fromOpaque(me!).takeUnretainedValue().timesServed += 1 },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    func watch(_ descriptor: Int32) { #expect(cepoll_watch(epoll, descriptor, CEPOLL_IN) == 0) }
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

private final class SocketPair {
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
