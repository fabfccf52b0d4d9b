import NIOCore
import Testing

@testable import Gateway

@Suite("When keys are fetched")
struct KeyRingStateMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000_000)
    private static let old = KeySet(issuer: "old", keys: [])
    private static let new = KeySet(issuer: "new", keys: [])
    private static let caller = CallerAddress("192.0.2.1")!

    private static func at(_ time: TimeAmount) -> NIODeadline { start + time }

    /// Every state that there is, with whether keys are held and whether the last try failed.
    enum Situation: CaseIterable {
        case idle, firstFetch, retrying, empty, holding, refreshing, failing

        /// `empty` and `failing` rest for five seconds, `holding` for an hour, all from `start`.
        var machine: KeyRingStateMachine {
            var machine = KeyRingStateMachine()
            switch self {
            case .idle: break
            case .firstFetch: _ = machine.start()
            case .empty:
                _ = machine.start()
                _ = machine.fetchFailed(now: start, chance: 0)
            case .retrying:
                _ = machine.start()
                _ = machine.fetchFailed(now: at(.seconds(-60)), chance: 0)
                _ = machine.timeReached(now: start)
            case .holding:
                _ = machine.start()
                _ = machine.fetched(old, age: .zero, now: start, chance: 0)
            case .refreshing:
                _ = machine.start()
                _ = machine.fetched(old, age: .zero, now: at(.hours(-1)), chance: 0)
                _ = machine.timeReached(now: start)
            case .failing:
                _ = machine.start()
                _ = machine.fetched(old, age: .zero, now: at(.hours(-1)), chance: 0)
                _ = machine.timeReached(now: start)
                _ = machine.fetchFailed(now: start, chance: 0)
            }
            return machine
        }

        var isFetching: Bool { [.firstFetch, .retrying, .refreshing].contains(self) }
        var holds: Bool { [.holding, .refreshing, .failing].contains(self) }
        var hasFailed: Bool { [.empty, .retrying, .failing].contains(self) }
    }

    private func check(
        _ machine: borrowing KeyRingStateMachine,
        fetching: Bool,
        keys: KeySet?,
        failed: Bool,
        _ comment: Comment? = nil
    ) {
        let (isFetching, held, hasFailed) = (machine.isFetching, machine.keys, machine.hasFailed)
        #expect(isFetching == fetching, comment)
        #expect(held === keys, comment)
        #expect(hasFailed == failed, comment)
    }

    @Test("is as the table of situations says", arguments: Situation.allCases)
    func situations(situation: Situation) {
        let machine = situation.machine
        check(
            machine,
            fetching: situation.isFetching,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed
        )
    }

    @Test("starts once", arguments: Situation.allCases)
    func started(situation: Situation) {
        var machine = situation.machine
        let action = machine.start()
        #expect(action.name == (situation == .idle ? "fetch" : "none"))
        check(
            machine,
            fetching: situation.isFetching || situation == .idle,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed
        )
    }

    @Test("takes what was fetched, when it was waited for", arguments: Situation.allCases)
    func fetched(situation: Situation) {
        var machine = situation.machine
        let action = machine.fetched(Self.new, age: .minutes(10), now: Self.start, chance: 0)
        if situation.isFetching {
            #expect(action.name == "install new")
            check(machine, fetching: false, keys: Self.new, failed: false)
            #expect(machine.deadline == Self.at(.minutes(50)), "an hour after it was fetched, by whomever")
            #expect(machine.refreshableFrom == Self.at(.minutes(-5)))
        } else {
            #expect(action.name == "none")
            check(machine, fetching: false, keys: situation.holds ? Self.old : nil, failed: situation.hasFailed)
        }
    }

    @Test("keeps what there is when a fetch fails", arguments: Situation.allCases)
    func failed(situation: Situation) {
        var machine = situation.machine
        let action = machine.fetchFailed(now: Self.start, chance: 0)
        check(
            machine,
            fetching: false,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed || situation.isFetching
        )
        #expect(action.name == (situation.isFetching ? "keep" : "none"))
        switch situation {
        case .firstFetch, .refreshing: #expect(machine.deadline == Self.at(.seconds(5)))
        case .retrying: #expect(machine.deadline == Self.at(.seconds(10)), "twice as long after the second failure")
        case .idle, .empty, .holding, .failing: break
        }
    }

    @Test("fetches when it is time, and not before", arguments: Situation.allCases)
    func time(situation: Situation) {
        var early = situation.machine
        #expect(early.timeReached(now: Self.at(.milliseconds(4999))).name == "none")
        check(
            early,
            fetching: situation.isFetching,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed
        )
        var due = situation.machine
        let isResting = [.empty, .holding, .failing].contains(situation)
        #expect(due.timeReached(now: Self.at(.hours(1))).name == (isResting ? "fetch" : "none"))
        check(
            due,
            fetching: situation.isFetching || isResting,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed
        )
    }

    @Test("fetches for an unknown key where that is allowed", arguments: Situation.allCases)
    func wanted(situation: Situation) {
        var machine = situation.machine
        let answer = machine.wanted("new", by: Self.caller, now: Self.at(.seconds(1)))
        let expected: KeyRingStateMachine.OnWanted =
            switch situation {
            case .idle: .fetch
            case .firstFetch, .retrying, .refreshing: .wait
            case .empty, .holding, .failing: .refuse
            }
        #expect(answer == expected)
        check(
            machine,
            fetching: situation.isFetching || situation == .idle,
            keys: situation.holds ? Self.old : nil,
            failed: situation.hasFailed
        )
    }

    @Test("for unknown keys fetches five minutes after the last fetch, and once for one key and one caller")
    func unknownKeys() {
        var machine = Situation.holding.machine
        #expect(machine.wanted("a", by: Self.caller, now: Self.at(.seconds(299))) == .refuse)
        #expect(machine.wanted("a", by: Self.caller, now: Self.at(.seconds(300))) == .fetch)
        #expect(machine.wanted("b", by: Self.caller, now: Self.at(.seconds(300))) == .wait)
        _ = machine.fetched(Self.new, age: .zero, now: Self.at(.seconds(301)), chance: 0)
        let later = Self.at(.seconds(700))
        let other = CallerAddress("192.0.2.2")!
        #expect(machine.wanted("a", by: other, now: later) == .refuse, "the same key")
        #expect(machine.wanted("c", by: Self.caller, now: later) == .refuse, "the same caller")
        #expect(machine.wanted("d", by: CallerAddress("192.0.2.3")!, now: later) == .fetch)
        _ = machine.fetched(Self.new, age: .zero, now: later, chance: 0)
        #expect(machine.wanted("a", by: Self.caller, now: Self.at(.seconds(300)) + .minutes(15)) == .fetch)
    }

    @Test("never fetches more often than every five minutes, whatever is asked for")
    func flood() {
        var machine = Situation.holding.machine
        var generator = SeededGenerator(seed: 7)
        var now = Self.start
        var fetches: [NIODeadline] = []
        for number in 0..<20_000 {
            now = now + .milliseconds(Int64.random(in: 0..<1000, using: &generator))
            let caller = CallerAddress(ipv4: UInt32.random(in: 0...(.max), using: &generator))
            if machine.wanted("key-\(number)", by: caller, now: now) == .fetch {
                fetches.append(now)
                _ = machine.fetched(Self.new, age: .zero, now: now, chance: 0)
            }
        }
        #expect(fetches.count > 20)
        for (one, next) in zip(fetches, fetches.dropFirst()) { #expect(next - one >= .minutes(5)) }
    }

    @Test("drops keys a day after they were fetched, even while it cannot fetch others")
    func lifetime() {
        var machine = Situation.holding.machine
        var now = Self.start
        while true {
            let next = machine.deadline
            guard next < Self.at(.hours(24)) else { break }
            now = next
            _ = machine.timeReached(now: now)
            #expect(machine.keys === Self.old)
            _ = machine.fetchFailed(now: now, chance: 0.5)
        }
        #expect(now > Self.at(.hours(23)))
        #expect(machine.deadline == Self.at(.hours(24)))
        #expect(machine.timeReached(now: Self.at(.hours(24))).name == "drop")
        #expect(machine.keys == nil)
        #expect(machine.refreshableFrom != nil)
    }

    @Test("drops keys that grow too old during a fetch, or just before one")
    func lateDrop() {
        var machine = Situation.refreshing.machine
        #expect(machine.fetchFailed(now: Self.at(.hours(23)), chance: 0).name == "drop")
        var late = Situation.holding.machine
        #expect(late.timeReached(now: Self.at(.hours(30))).name == "dropAndFetch")
        check(late, fetching: true, keys: nil, failed: false)
    }

    @Test("spreads fetches over six minutes, and retries over half their time", arguments: [0, 0.5, 0.999])
    func jitter(chance: Double) {
        var machine = Situation.firstFetch.machine
        _ = machine.fetched(Self.new, age: .zero, now: Self.start, chance: chance)
        #expect(machine.deadline <= Self.at(.hours(1)))
        #expect(machine.deadline > Self.at(.minutes(54)))
        let retry = KeyRingTimes.advised.retry
        for failures in 1...100 {
            let delay = retry.delay(failures: failures, chance: chance)
            #expect(delay <= .minutes(5))
            #expect(delay >= .milliseconds(2500))
        }
    }
}

extension KeyRingStateMachine.Action {
    var name: String {
        switch self {
        case .none: "none"
        case .fetch: "fetch"
        case .install(let set): "install \(set.issuer)"
        case .keep: "keep"
        case .drop: "drop"
        case .dropAndFetch: "dropAndFetch"
        }
    }
}
