import NIOCore
import Testing

@testable import Gateway

@Suite("The export of spans")
struct SpanExportStateMachineTests {
    typealias Machine = SpanExportStateMachine

    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func filled(_ count: Int, _ machine: Machine = Machine()) -> Machine {
        var machine = machine
        for _ in 0..<count { #expect(machine.takes(bytes: 10) == true) }
        return machine
    }

    /// One machine in each state, with spans where it has some.
    private func machine(_ name: String) -> Machine {
        var machine = Machine()
        switch name {
        case "idle": break
        case "gathering":
            machine = filled(1)
            #expect(machine.added(now: now) == .wait)
        case "sending":
            machine = filled(3)
            #expect(machine.added(now: now) == .wait)
            #expect(machine.timeReached(now: now + .seconds(1)) == .send(3))
        case "resting":
            machine = self.machine("sending")
            let ended = machine.ended(.refusedForNow(retryAfter: 7), bytes: 30, now: now, chance: 0)
            #expect(ended.action == .wait && ended.done == 0)
        default:
            machine = self.machine("idle")
            #expect(machine.drain() == .finish)
        }
        return machine
    }

    @Test("gathers for a second, or until a request is full")
    func gathering() {
        var machine = machine("gathering")
        #expect(machine.state == .gathering(until: now + .seconds(1)))
        #expect(machine.added(now: now) == .none)
        #expect(machine.timeReached(now: now) == .wait)
        machine = filled(Machine.mostInRequest - 1, machine)
        #expect(machine.added(now: now) == .send(Machine.mostInRequest))
        #expect(machine.state == .sending(count: Machine.mostInRequest, failures: 0))
    }

    @Test("does nothing where there is nothing to do", arguments: ["idle", "gathering", "sending", "resting", "ended"])
    func nothing(name: String) {
        var machine = machine(name)
        let state = machine.state
        if name != "idle", name != "ended" { #expect(machine.added(now: now) == .none) }
        #expect(machine.timeReached(now: now) == (name == "gathering" || name == "resting" ? .wait : .none))
        if name != "sending" {
            let ended = machine.ended(.taken, bytes: 0, now: now, chance: 0)
            #expect(ended.action == .none && ended.done == 0)
        }
        #expect(machine.state == state)
    }

    @Test("goes on with what has come meanwhile")
    func goesOn() {
        var machine = filled(2, machine("sending"))
        #expect(machine.added(now: now) == .none)
        var ended = machine.ended(.taken, bytes: 30, now: now, chance: 0)
        #expect(ended.action == .wait && ended.done == 3)
        #expect(machine.state == .gathering(until: now + .seconds(1)))
        #expect([machine.exported, machine.waiting, machine.waitingBytes] == [3, 2, 20])
        #expect(machine.timeReached(now: now + .seconds(1)) == .send(2))
        ended = machine.ended(.refused, bytes: 20, now: now, chance: 0)
        #expect(ended.action == .none && ended.done == 2)
        #expect(machine.state == .idle)
        #expect([machine.dropped, machine.failures, machine.waitingBytes] == [2, 1, 0])
    }

    @Test("sends the next at once where a whole request waits")
    func backlog() {
        let machine = filled(Machine.mostInRequest, machine("sending"))
        var taken = machine
        #expect(taken.ended(.taken, bytes: 30, now: now, chance: 0).action == .send(Machine.mostInRequest))
        #expect(taken.state == .sending(count: Machine.mostInRequest, failures: 0))
    }

    @Test("rests as long as it is asked to, up to a bound, and longer after each failure where it is not")
    func rests() {
        #expect(machine("resting").state == .resting(until: now + .seconds(7), count: 3, failures: 1))
        for (asked, seconds) in [(0, 0), (-5, 0), (60, 60), (86_400, 60)] {
            var machine = machine("sending")
            _ = machine.ended(.refusedForNow(retryAfter: asked), bytes: 30, now: now, chance: 0)
            #expect(machine.deadline == now + .seconds(Int64(seconds)))
        }
        var machine = machine("sending")
        for (attempt, seconds) in [1, 2, 4, 8].enumerated() {
            let ended = machine.ended(.refusedForNow(retryAfter: nil), bytes: 30, now: now, chance: 0)
            #expect(ended.action == .wait && ended.done == 0)
            #expect(machine.state == .resting(until: now + .seconds(Int64(seconds)), count: 3, failures: attempt + 1))
            #expect(machine.timeReached(now: now + .seconds(60)) == .send(3))
        }
        let ended = machine.ended(.refusedForNow(retryAfter: nil), bytes: 30, now: now, chance: 0)
        #expect(ended.action == .none && ended.done == 3)
        #expect([machine.dropped, machine.failures, machine.waiting] == [3, 5, 0])
        #expect(machine.state == .idle)
    }

    @Test("takes no more than its bounds, and counts what it does not take")
    func bounds() {
        var machine = filled(Machine.mostSpans)
        #expect(machine.takes(bytes: 1) == false)
        #expect(machine.dropped == 1)
        machine = Machine()
        #expect(machine.takes(bytes: Machine.mostBytes) == true)
        #expect(machine.takes(bytes: 1) == false)
        var ended = self.machine("ended")
        #expect(ended.takes(bytes: 1) == false)
        #expect(ended.added(now: now) == .none)
    }

    @Test(
        "sends what is left when the process ends, each request once",
        arguments: ["gathering", "sending", "resting"]
    )
    func drain(name: String) {
        var machine = machine(name)
        let count = machine.waiting
        #expect(machine.drain() == (name == "sending" ? .none : .send(count)))
        #expect(machine.isDraining)
        machine = filled(1, machine)
        #expect(machine.added(now: now) == .none)
        let bytes = count * 10
        var ended = machine.ended(.refusedForNow(retryAfter: nil), bytes: bytes, now: now, chance: 0)
        #expect(ended.action == .send(1) && ended.done == count)
        ended = machine.ended(.taken, bytes: 10, now: now, chance: 0)
        #expect(ended.action == .finish && ended.done == 1)
        #expect(machine.state == .ended)
        #expect(machine.drain() == .finish)
    }

    @Test("sends what comes after the drain began, if nothing else does")
    func lateSpans() {
        var machine = machine("gathering")
        _ = machine.drain()
        #expect(machine.ended(.taken, bytes: 10, now: now, chance: 0).action == .finish)
        #expect(machine.takes(bytes: 1) == false)
    }

    @Test("gives up what is left", arguments: ["idle", "gathering", "sending", "resting", "ended"])
    func givesUp(name: String) {
        var machine = machine(name)
        let waiting = machine.waiting
        machine.giveUp()
        #expect(machine.state == .ended)
        #expect([machine.waiting, machine.waitingBytes, machine.dropped] == [0, 0, waiting])
    }

    @Test(
        "tries again what OTLP says may succeed",
        arguments: [
            (200, Machine.Outcome.taken), (202, .taken), (429, .refusedForNow(retryAfter: 3)),
            (502, .refusedForNow(retryAfter: 3)), (503, .refusedForNow(retryAfter: 3)),
            (504, .refusedForNow(retryAfter: 3)), (400, .refused), (404, .refused), (500, .refused), (301, .refused),
        ]
    )
    func outcomes(status: Int, outcome: Machine.Outcome) {
        #expect(Machine.Outcome(.success(Document(status: status, body: [], retryAfterSeconds: 3))) == outcome)
    }
}
