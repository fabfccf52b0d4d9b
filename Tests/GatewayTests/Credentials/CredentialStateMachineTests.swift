import NIOCore
import Testing

@testable import Gateway

@Suite("When an upstream token is asked for")
struct CredentialStateMachineTests {
    private typealias Machine = CredentialStateMachine
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000_000)

    private static func at(_ time: TimeAmount) -> NIODeadline { start + time }

    private static func token(_ name: String, lifetime: Int64 = 3600) -> AccessToken {
        let json = "{\"access_token\":\"\(name)\",\"expires_in\":\(lifetime),\"token_type\":\"Bearer\"}"
        guard let token = try? AccessToken(Array(json.utf8), now: 0) else { preconditionFailure("no token") }
        return token
    }

    /// Every state that there is; a held token was given at `start` for an hour.
    enum Situation: CaseIterable {
        case idle, firstAsk, asksAgain, empty, holding, renewing, renewalFailed

        var machine: CredentialStateMachine {
            var machine = CredentialStateMachine()
            if self == .idle { return machine }
            _ = machine.start()
            switch self {
            case .idle, .firstAsk: break
            case .empty: _ = machine.failed(.malformed, now: at(.minutes(30)), chance: 0)
            case .asksAgain:
                _ = machine.failed(.malformed, now: at(.minutes(20)), chance: 0)
                _ = machine.timeReached(now: at(.minutes(30)))
            case .holding: _ = machine.received(token("old"), now: start, chance: 0)
            case .renewing:
                _ = machine.received(token("old"), now: start, chance: 0)
                _ = machine.timeReached(now: at(.minutes(30)))
            case .renewalFailed:
                _ = machine.received(token("old"), now: start, chance: 0)
                _ = machine.timeReached(now: at(.minutes(30)))
                _ = machine.failed(.malformed, now: at(.minutes(30)), chance: 0)
            }
            return machine
        }

        var isAsking: Bool { [.firstAsk, .asksAgain, .renewing].contains(self) }
        var holds: Bool { [.holding, .renewing, .renewalFailed].contains(self) }
    }

    private func name(_ state: Machine.State) -> String {
        switch state {
        case .idle: "idle"
        case .asking(let held, let failures): "asking \(held?.authorization ?? "nothing") \(failures)"
        case .resting(let held, let failures, _): "resting \(held?.authorization ?? "nothing") \(failures)"
        }
    }

    private func unchanged(_ situation: Situation) -> String {
        let machine = situation.machine
        return name(machine.state)
    }

    @Test("starts once", arguments: Situation.allCases)
    func started(situation: Situation) {
        var machine = situation.machine
        let action = machine.start()
        let state = name(machine.state)
        #expect(action == (situation == .idle ? .ask : .none))
        #expect(state == (situation == .idle ? "asking nothing 0" : unchanged(situation)))
    }

    @Test("starts with what was given before a new secret, and keeps that while the new one brings nothing")
    func startedWithAnother() {
        let held = Machine.Held(
            authorization: "Bearer old",
            servesUntil: Self.at(.minutes(59)),
            renewAt: Self.at(.minutes(30))
        )
        for situation in Situation.allCases where situation != .idle {
            var machine = situation.machine
            let action = machine.start(with: held)
            let state = name(machine.state)
            #expect(action == .none)
            #expect(state == unchanged(situation))
        }
        var machine = CredentialStateMachine()
        let started = machine.start(with: held)
        let (asking, deadline) = (name(machine.state), machine.deadline)
        #expect(started == .ask)
        #expect(asking == "asking Bearer old 0")
        #expect(deadline == held.servesUntil)
        let failed = machine.failed(.status(401, retryAfterSeconds: nil), now: Self.start, chance: 0)
        let resting = name(machine.state)
        #expect(failed == .keep)
        #expect(resting == "resting Bearer old 1")
        let again = machine.timeReached(now: Self.at(.minutes(1)))
        #expect(again == .ask)
        let ended = machine.timeReached(now: held.servesUntil)
        let empty = name(machine.state)
        #expect(ended == .unavailable)
        #expect(empty == "asking nothing 1")
    }

    @Test("serves what it receives while it asks", arguments: Situation.allCases)
    func received(situation: Situation) {
        var machine = situation.machine
        let action = machine.received(Self.token("new"), now: Self.at(.minutes(31)), chance: 0)
        let (state, deadline) = (name(machine.state), machine.deadline)
        if situation.isAsking {
            let held = Machine.Held(
                authorization: "Bearer new",
                servesUntil: Self.at(.minutes(31 + 59)),
                renewAt: Self.at(.minutes(31 + 30))
            )
            #expect(action == .serve(held))
            #expect(state == "resting Bearer new 0")
            #expect(deadline == held.renewAt)
        } else {
            #expect(action == .none)
            #expect(state == unchanged(situation))
        }
    }

    @Test("keeps what it has when asking fails", arguments: Situation.allCases)
    func failed(situation: Situation) {
        var machine = situation.machine
        let action = machine.failed(.transfer(reason: "x"), now: Self.at(.minutes(31)), chance: 0)
        let state = name(machine.state)
        let expected: (Machine.Action, String) =
            switch situation {
            case .firstAsk: (.unavailable, "resting nothing 1")
            case .asksAgain: (.unavailable, "resting nothing 2")
            case .renewing: (.keep, "resting Bearer old 1")
            case .idle, .empty, .holding, .renewalFailed: (.none, unchanged(situation))
            }
        #expect(action == expected.0)
        #expect(state == expected.1)
    }

    @Test("asks when it is time", arguments: Situation.allCases)
    func time(situation: Situation) {
        var early = situation.machine
        let earlyAction = early.timeReached(now: Self.at(.minutes(29)))
        let earlyState = name(early.state)
        #expect(earlyAction == .none)
        #expect(earlyState == unchanged(situation))

        var due = situation.machine
        let action = due.timeReached(now: Self.at(.minutes(31)))
        let state = name(due.state)
        let expected: (Machine.Action, String) =
            switch situation {
            case .empty: (.ask, "asking nothing 1")
            case .holding: (.ask, "asking Bearer old 0")
            case .renewalFailed: (.ask, "asking Bearer old 1")
            case .idle, .firstAsk, .asksAgain, .renewing: (.none, unchanged(situation))
            }
        #expect(action == expected.0)
        #expect(state == expected.1)
    }

    @Test("asks at once for another when the upstream refuses the one that is served", arguments: Situation.allCases)
    func refused(situation: Situation) {
        var other = situation.machine
        let otherAction = other.refused("Bearer other", now: Self.at(.minutes(30)))
        let otherState = name(other.state)
        #expect(otherAction == .none)
        #expect(otherState == unchanged(situation))

        var machine = situation.machine
        let action = machine.refused("Bearer old", now: Self.at(.minutes(30)))
        let state = name(machine.state)
        let asks = [.holding, .renewalFailed].contains(situation)
        #expect(action == (asks ? .ask : .none))
        #expect(state == (asks ? unchanged(situation).replacing("resting", with: "asking") : unchanged(situation)))
    }

    @Test("asks no more often than once a minute, however often it is refused")
    func refusedAgain() {
        var machine = Situation.holding.machine
        var asked = 0
        for second in 0..<600 {
            let now = Self.at(.seconds(Int64(second)))
            if machine.refused("Bearer old", now: now) == .ask {
                asked += 1
                _ = machine.received(Self.token("old", lifetime: 7200), now: now, chance: 0)
            }
        }
        #expect(asked == 10)
    }

    @Test("serves the old token until its last minute, and then says that there is none")
    func lastMinute() {
        var machine = Situation.renewing.machine
        var now = Self.at(.minutes(30))
        _ = machine.failed(.status(500, retryAfterSeconds: nil), now: now, chance: 0.3)
        var unavailable: NIODeadline?
        for _ in 0..<1000 where unavailable == nil {
            now = machine.deadline
            switch machine.timeReached(now: now) {
            case .ask:
                if machine.failed(.status(500, retryAfterSeconds: nil), now: now, chance: 0.3) == .unavailable {
                    unavailable = now
                }
            case .unavailable: unavailable = now
            case .none, .serve, .keep: break
            }
            let holds = machine.held != nil
            #expect(holds == (now < Self.at(.minutes(59))))
        }
        #expect(unavailable == Self.at(.minutes(59)))
    }

    @Test("drops a token whose last minute comes while it asks")
    func lastMinuteWhileAsking() {
        var machine = Situation.renewing.machine
        let deadline = machine.deadline
        #expect(deadline == Self.at(.minutes(59)))
        let action = machine.timeReached(now: deadline)
        let state = name(machine.state)
        #expect(action == .unavailable)
        #expect(state == "asking nothing 0")
    }

    @Test(
        "renews at half a token's life, a tenth of it earlier at most",
        arguments: [0.0, 0.5, 0.999],
        [1, 30, 90, 120, 600, 3600, 86_400] as [Int64]
    )
    func renewal(chance: Double, lifetime: Int64) {
        var machine = Situation.firstAsk.machine
        guard
            case .serve(let held) = machine.received(
                Self.token("t", lifetime: lifetime),
                now: Self.start,
                chance: chance
            )
        else {
            Issue.record("not served")
            return
        }
        let deadline = machine.deadline
        #expect(held.servesUntil > Self.start)
        #expect(held.servesUntil <= Self.at(.seconds(lifetime)))
        #expect(held.renewAt <= Self.at(.seconds(max(lifetime / 2, 1))))
        #expect(deadline >= min(Self.at(.seconds(1)), held.servesUntil))
        if lifetime >= 3600 {
            #expect(held.renewAt >= Self.at(.seconds(lifetime * 4 / 10)))
            #expect(held.servesUntil == Self.at(.seconds(lifetime - 60)))
        }
    }

    @Test("waits after a failure as long as its kind asks for")
    func pauses() {
        func pause(_ failure: CredentialFailure, failures: Int = 1) -> TimeAmount {
            var machine = Situation.firstAsk.machine
            var now = Self.start
            for _ in 1..<failures {
                _ = machine.failed(failure, now: now, chance: 0)
                now = machine.deadline
                _ = machine.timeReached(now: now)
            }
            _ = machine.failed(failure, now: now, chance: 0)
            let deadline = machine.deadline
            return deadline - now
        }
        #expect(
            (1...6).map { pause(.status(500, retryAfterSeconds: nil), failures: $0) }
                == [2, 4, 8, 16, 30, 30].map { .seconds($0) }
        )
        #expect(pause(.status(404, retryAfterSeconds: nil)) == .seconds(2))
        #expect(pause(.status(429, retryAfterSeconds: nil)) == .seconds(2))
        #expect(pause(.status(429, retryAfterSeconds: 17)) == .seconds(17))
        #expect(pause(.status(503, retryAfterSeconds: 1_000_000)) == .minutes(5))
        #expect(pause(.status(429, retryAfterSeconds: 0)) == .seconds(1))
        #expect(pause(.status(410, retryAfterSeconds: nil)) == .seconds(70))
        #expect(pause(.status(400, retryAfterSeconds: nil)) == .seconds(60))
        #expect(pause(.status(401, retryAfterSeconds: nil)) == .seconds(60))
        #expect(pause(.status(403, retryAfterSeconds: nil)) == .seconds(60))
        #expect(pause(.transfer(reason: "x")) == .seconds(2))
        #expect(pause(.malformed) == .seconds(2))
        #expect(pause(.configuration(reason: "x")) == .seconds(60))
    }
}
