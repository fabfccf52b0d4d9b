import CEpoll
import Glibc
import Testing

/// When a guest is left alone for a while, and when not. The clock stands still but where a test lets it go on.
@Suite("A guest's rest")
struct GuestRestTests {
    @Test("A guest that speaks again at once, five times in a row, rests; then it has its turn with all that came")
    func rests() {
        withStandingClock { loop, pair in
            loop.tire(pair)
            pair.say(0..<10)
            #expect(loop.wait().isEmpty)
            pair.say(10..<20)
            #expect(loop.wait().isEmpty)
            letTimePass(microseconds: 100)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == Array(0..<20))
        }
    }

    @Test(
        "One that speaks less often is heard each time: a rest counts from when it spoke",
        arguments: [110, 200, 5000]
    )
    func hearsTheSlow(microseconds: Int) {
        withStandingClock { loop, pair in
            for _ in 0..<20 {
                #expect(loop.hears(pair))
                letTimePass(microseconds: microseconds)
            }
        }
    }

    @Test("What is left unread is there after the rest")
    func keepsWhatIsUnread() {
        withStandingClock { loop, pair in
            loop.tire(pair, times: 4)
            pair.say(0..<100)
            #expect(loop.wait() == [pair.guest])
            #expect(loop.wait().isEmpty)
            letTimePass(microseconds: 100)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == Array(0..<100))
        }
    }

    @Test("Bytes that were read with a header do not rest")
    func doesNotRestAhead() {
        withStandingClock { loop, pair in
            loop.tire(pair, times: 4)
            pair.say(0..<100)
            loop.onReady = { _ in
                loop.onReady = { _ in }
                #expect(pair.read(5) == Array(0..<5))
            }
            _ = loop.wait()
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == Array(5..<100))
        }
    }

    @Test("With another use the rest is over, and quick is only who is quick anew")
    func beginsAnew() {
        withStandingClock { loop, pair in
            loop.tire(pair)
            pair.say(0..<1)
            #expect(loop.wait().isEmpty)
            cepoll_begins_anew(pair.guest)
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == [0])
            for _ in 0..<3 { #expect(loop.hears(pair)) }
            cepoll_begins_anew(pair.guest)
            for _ in 0..<4 { #expect(loop.hears(pair)) }
            pair.say(0..<1)
            #expect(loop.wait().isEmpty)
        }
    }

    @Test("A change of what is watched, and another socket of its number, end it too; old rests disturb nobody")
    func endsEarly() {
        withStandingClock { loop, pair in
            loop.tire(pair)
            loop.change(pair.guest, to: CEPOLL_IN)
            #expect(loop.hears(pair))
            loop.tire(pair, times: 4)
            loop.forget(pair.guest)
            cepoll_closes(pair.guest)
            loop.watch(pair.guest)
            #expect(loop.hears(pair))
            letTimePass(microseconds: 100)
            for _ in 0..<4 { #expect(loop.hears(pair)) }
            pair.say(0..<1)
            #expect(loop.wait().isEmpty, "its own rest")
        }
    }

    @Test("A guest that nobody watches any more does not begin to rest")
    func forgottenWhileServed() {
        withStandingClock { loop, pair in
            loop.tire(pair, times: 4)
            pair.say(0..<1)
            loop.onReady = { _ in
                loop.onReady = { _ in }
                loop.forget(pair.guest)
            }
            #expect(loop.wait() == [pair.guest])
            loop.watch(pair.guest)
            #expect(loop.wait() == [pair.guest])
        }
    }

    @Test("A connection that breaks is heard of while it rests")
    func hearsOfTheEnd() {
        withStandingClock { loop, pair in
            loop.tire(pair)
            pair.end()
            #expect(loop.wait() == [pair.guest])
            #expect(pair.read(200) == [])
        }
    }

    @Test("Room to send is heard of while it rests")
    func hearsOfRoom() {
        withStandingClock { loop, pair in
            loop.change(pair.guest, to: CEPOLL_IN | CEPOLL_OUT)
            loop.tire(pair)
            #expect(loop.wait() == [pair.guest])
            #expect(loop.lastEvents == CEPOLL_OUT)
        }
    }

    @Test("Rests of many guests, again and again, end all of them")
    func manyRests() {
        withStandingClock { loop, _ in
            let pairs = (0..<7).map { _ in SocketPair() }
            for pair in pairs { loop.watch(pair.guest) }
            for round in 0..<100 {
                for pair in pairs { loop.tire(pair, times: round == 0 ? 5 : 4) }
                for pair in pairs { pair.say(0..<1) }
                #expect(loop.wait().isEmpty)
                letTimePass(microseconds: 100)
                #expect(Set(loop.wait()) == Set(pairs.map(\.guest)))
                for pair in pairs {
                    #expect(pair.read(200) == [0])
                    cepoll_begins_anew(pair.guest)
                }
            }
        }
    }

    @Test(
        "Who waits is woken by the end of a rest, and not before it; other guests are heard meanwhile",
        arguments: [-1, 10_000]
    )
    func wakes(patience: Int32) {
        withLoop { loop in
            let pair = SocketPair()
            let other = SocketPair()
            loop.watch(pair.guest)
            loop.watch(other.guest)
            cepoll_hold_clock()
            loop.tire(pair)
            let spoke = nanoseconds(CLOCK_MONOTONIC)
            cepoll_let_clock_go()
            pair.say(0..<1)
            #expect(loop.wait(milliseconds: patience) == [pair.guest])
            #expect(nanoseconds(CLOCK_MONOTONIC) - spoke >= 75_000)
            cepoll_hold_clock()
            cepoll_begins_anew(pair.guest)
            #expect(pair.read(200) == [0])
            loop.tire(pair, times: 4)
            cepoll_let_clock_go()
            other.say(0..<1)
            #expect(loop.wait(milliseconds: patience) == [other.guest])
        }
    }

    @Test("Patience that is shorter than a rest ends on time, with nothing")
    func patienceEnds() {
        withLoop { loop in
            let pair = SocketPair()
            loop.watch(pair.guest)
            cepoll_hold_clock()
            loop.tire(pair)
            cepoll_let_clock_go()
            let before = nanoseconds(CLOCK_MONOTONIC)
            #expect(loop.wait(milliseconds: 2).isEmpty)
            #expect(nanoseconds(CLOCK_MONOTONIC) - before >= 2_000_000)
        }
    }
}

/// Runs a test at one moment of the clock, with one guest that is watched.
private func withStandingClock(_ body: (GuestLoop, SocketPair) -> Void) {
    withLoop { loop in
        let pair = SocketPair()
        loop.watch(pair.guest)
        cepoll_hold_clock()
        body(loop, pair)
        cepoll_let_clock_go()
    }
}

/// Lets the clock go on until as much time has passed.
private func letTimePass(microseconds: Int) {
    let end = nanoseconds(CLOCK_MONOTONIC) + microseconds * 1000
    while nanoseconds(CLOCK_MONOTONIC) < end { cepoll_hold_clock() }
}

extension GuestLoop {
    /// Whether the guest is ready as soon as it has something to say, which is then read.
    fileprivate func hears(_ pair: SocketPair) -> Bool {
        pair.say(0..<1)
        let isReady = wait().contains(pair.guest)
        #expect(pair.read(200) == [0])
        return isReady
    }

    /// Has the guest speak as often in a row: after the fifth time it rests, and one that spoke just before after the fourth.
    fileprivate func tire(_ pair: SocketPair, times: Int = 5) {
        for time in 0..<times { #expect(hears(pair), "time \(time)") }
    }
}
