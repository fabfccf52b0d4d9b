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
