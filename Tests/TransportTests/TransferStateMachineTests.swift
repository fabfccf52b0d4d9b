import NIOCore
import Testing

@testable import Transport

private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
private let timeouts = TransferTimeouts(
    connect: .seconds(1),
    firstByte: .seconds(10),
    idle: .seconds(5),
    total: .seconds(60)
)
private let failure = TransferError(.receive, blame: .upstream, mayHaveReachedServer: true, cause: "test")

/// A state of the machine, and how it is reached.
enum Situation: String, CaseIterable, Codable, Sendable {
    case idle
    case waiting
    case refused
    case refusedAfterStart
    case awaitingHead
    case receiving
    case ending

    func machine() -> TransferStateMachine {
        var machine = TransferStateMachine(timeouts: timeouts, now: start)
        switch self {
        case .idle:
            break
        case .waiting:
            machine.waitsForConnection(until: start + .seconds(3))
        case .refused:
            machine.isRefused(ran: false)
        case .refusedAfterStart:
            machine.starts(now: start)
            machine.isRefused(ran: true)
        case .awaitingHead:
            machine.starts(now: start)
        case .receiving:
            machine.starts(now: start)
            machine.headReceived(now: start)
        case .ending:
            machine.starts(now: start)
            _ = machine.breaks(failure)
        }
        return machine
    }

    var state: TransferStateMachine.State {
        switch self {
        case .idle: .idle
        case .waiting: .waiting(until: start + .seconds(3))
        case .refused: .refused(ran: false)
        case .refusedAfterStart: .refused(ran: true)
        case .awaitingHead: .awaitingHead(until: start + .seconds(10))
        case .receiving: .receiving(since: start)
        case .ending: .ending(failure)
        }
    }
}

/// An event that may meet a machine in any state.
enum Happening: String, CaseIterable, Sendable {
    case headReceived
    case aliveAgain
    case bodySent
    case breaks
    case cancelledOutside
    case cancelledInside
    case deadlineEarly
    case finishedWell
    case finishedBadly
    case refusalDue
    case libcurlReturned

    /// What the machine answers to it, in words.
    func happen(to machine: inout TransferStateMachine) -> String {
        let soon = start + .seconds(1)
        switch self {
        case .headReceived:
            machine.headReceived(now: soon)
            return "-"
        case .aliveAgain:
            machine.aliveAgain(now: soon)
            return "-"
        case .bodySent:
            machine.bodySent(now: soon)
            return "-"
        case .breaks: return words(machine.breaks(.violation("bad")))
        case .cancelledOutside: return words(machine.cancelled(insideLibcurl: false, sent: true))
        case .cancelledInside: return words(machine.cancelled(insideLibcurl: true, sent: true))
        case .deadlineEarly: return words(machine.deadlineReached(now: soon, readerHoldsUp: false, sent: true))
        case .finishedWell: return words(machine.finished(nil))
        case .finishedBadly: return words(machine.finished(failure))
        case .refusalDue: return words(machine.refusalDue(failure))
        case .libcurlReturned: return words(machine.libcurlReturned())
        }
    }
}

private func words(_ end: TransferStateMachine.End) -> String {
    switch end {
    case .notNow: return "not now"
    case .later: return "later"
    case .now(let ran, let removing, let error):
        let code = error.map { $0.code.rawValue + ($0.mayHaveReachedServer ? "!" : "") } ?? "complete"
        return "now\(ran ? " ran" : "")\(removing ? " remove" : "") \(code)"
    }
}

private func words(_ action: TransferStateMachine.OnDeadline) -> String {
    switch action {
    case .rearm(let deadline): "rearm \((deadline - start).nanoseconds / 1_000_000_000)"
    case .end(let end): words(end)
    }
}

/// What one event does to one state. "!" behind a code: the request may have reached the server.
private struct Transition {
    let situation: Situation
    let event: Happening
    let action: String
    let state: TransferStateMachine.State

    init(_ situation: Situation, _ event: Happening, _ action: String, _ state: TransferStateMachine.State? = nil) {
        self.situation = situation
        self.event = event
        self.action = action
        self.state = state ?? situation.state
    }
}

private let soon = start + .seconds(1)
private let violation = TransferError.violation("bad")
private let cancelled = TransferError.cancelled(sent: true)

private let transitions: [Transition] = [
    Transition(.idle, .headReceived, "-"),
    Transition(.idle, .aliveAgain, "-"),
    Transition(.idle, .bodySent, "-"),
    Transition(.idle, .breaks, "not now"),
    Transition(.idle, .cancelledOutside, "not now"),
    Transition(.idle, .cancelledInside, "not now"),
    Transition(.idle, .deadlineEarly, "not now"),
    Transition(.idle, .finishedWell, "not now"),
    Transition(.idle, .finishedBadly, "not now"),
    Transition(.idle, .refusalDue, "not now"),
    Transition(.idle, .libcurlReturned, "not now"),

    Transition(.waiting, .headReceived, "-"),
    Transition(.waiting, .aliveAgain, "-"),
    Transition(.waiting, .bodySent, "-"),
    Transition(.waiting, .breaks, "not now"),
    Transition(.waiting, .cancelledOutside, "now cancelled", .idle),
    Transition(.waiting, .cancelledInside, "now cancelled", .idle),
    Transition(.waiting, .deadlineEarly, "rearm 3"),
    Transition(.waiting, .finishedWell, "not now"),
    Transition(.waiting, .finishedBadly, "not now"),
    Transition(.waiting, .refusalDue, "not now"),
    Transition(.waiting, .libcurlReturned, "not now"),

    Transition(.refused, .headReceived, "-"),
    Transition(.refused, .aliveAgain, "-"),
    Transition(.refused, .bodySent, "-"),
    Transition(.refused, .breaks, "not now"),
    Transition(.refused, .cancelledOutside, "now cancelled", .idle),
    Transition(.refused, .cancelledInside, "now cancelled", .idle),
    Transition(.refused, .deadlineEarly, "not now"),
    Transition(.refused, .finishedWell, "not now"),
    Transition(.refused, .finishedBadly, "not now"),
    Transition(.refused, .refusalDue, "now receive_failed!", .idle),
    Transition(.refused, .libcurlReturned, "not now"),

    Transition(.refusedAfterStart, .headReceived, "-"),
    Transition(.refusedAfterStart, .aliveAgain, "-"),
    Transition(.refusedAfterStart, .bodySent, "-"),
    Transition(.refusedAfterStart, .breaks, "not now"),
    Transition(.refusedAfterStart, .cancelledOutside, "now ran cancelled", .idle),
    Transition(.refusedAfterStart, .cancelledInside, "now ran cancelled", .idle),
    Transition(.refusedAfterStart, .deadlineEarly, "not now"),
    Transition(.refusedAfterStart, .finishedWell, "not now"),
    Transition(.refusedAfterStart, .finishedBadly, "not now"),
    Transition(.refusedAfterStart, .refusalDue, "now ran receive_failed!", .idle),
    Transition(.refusedAfterStart, .libcurlReturned, "not now"),

    Transition(.awaitingHead, .headReceived, "-", .receiving(since: soon)),
    Transition(.awaitingHead, .aliveAgain, "-"),
    Transition(.awaitingHead, .bodySent, "-", .awaitingHead(until: soon + .seconds(10))),
    Transition(.awaitingHead, .breaks, "later", .ending(violation)),
    Transition(.awaitingHead, .cancelledOutside, "now ran remove cancelled!", .idle),
    Transition(.awaitingHead, .cancelledInside, "later", .ending(cancelled)),
    Transition(.awaitingHead, .deadlineEarly, "rearm 10"),
    Transition(.awaitingHead, .finishedWell, "now ran protocol_violation!", .idle),
    Transition(.awaitingHead, .finishedBadly, "now ran receive_failed!", .idle),
    Transition(.awaitingHead, .refusalDue, "not now"),
    Transition(.awaitingHead, .libcurlReturned, "not now"),

    Transition(.receiving, .headReceived, "-", .receiving(since: soon)),
    Transition(.receiving, .aliveAgain, "-", .receiving(since: soon)),
    Transition(.receiving, .bodySent, "-"),
    Transition(.receiving, .breaks, "later", .ending(violation)),
    Transition(.receiving, .cancelledOutside, "now ran remove cancelled!", .idle),
    Transition(.receiving, .cancelledInside, "later", .ending(cancelled)),
    Transition(.receiving, .deadlineEarly, "rearm 5"),
    Transition(.receiving, .finishedWell, "now ran complete", .idle),
    Transition(.receiving, .finishedBadly, "now ran receive_failed!", .idle),
    Transition(.receiving, .refusalDue, "not now"),
    Transition(.receiving, .libcurlReturned, "not now"),

    Transition(.ending, .headReceived, "-"),
    Transition(.ending, .aliveAgain, "-"),
    Transition(.ending, .bodySent, "-"),
    Transition(.ending, .breaks, "not now"),
    Transition(.ending, .cancelledOutside, "not now"),
    Transition(.ending, .cancelledInside, "not now"),
    Transition(.ending, .deadlineEarly, "not now"),
    Transition(.ending, .finishedWell, "now ran receive_failed!", .idle),
    Transition(.ending, .finishedBadly, "now ran receive_failed!", .idle),
    Transition(.ending, .refusalDue, "not now"),
    Transition(.ending, .libcurlReturned, "now ran remove receive_failed!", .idle),
]

@Suite("The state machine of a transfer")
struct TransferStateMachineTests {
    @Test("Every state answers every event as the table says, and is then in the state that the table says")
    func everyStateMeetsEveryEvent() {
        for transition in transitions {
            var machine = transition.situation.machine()
            #expect(machine.state == transition.situation.state)
            let action = transition.event.happen(to: &machine)
            #expect(action == transition.action, "\(transition.situation) meets \(transition.event)")
            #expect(machine.state == transition.state, "\(transition.situation) meets \(transition.event)")
        }
    }

    @Test("The table leaves no pair of state and event out")
    func tableIsComplete() {
        let pairs = Set(transitions.map { "\($0.situation) \($0.event)" })
        #expect(pairs.count == Situation.allCases.count * Happening.allCases.count)
        #expect(pairs.count == transitions.count)
    }

    @Test("A transfer runs while libcurl has it and it was not ended", arguments: Situation.allCases)
    func running(_ situation: Situation) {
        let expected = situation == .awaitingHead || situation == .receiving
        #expect(situation.machine().isRunning == expected)
    }

    @Test("A waiting transfer starts when its turn has come, with the whole first-byte time before it")
    func waitingStarts() {
        var machine = Situation.waiting.machine()
        machine.starts(now: start + .seconds(2))
        #expect(machine.state == .awaitingHead(until: start + .seconds(12)))
    }

    @Test("Starting, waiting and being refused in the wrong state is our own mistake and traps")
    func ownMistakesTrap() async {
        for situation in Situation.allCases where situation != .idle {
            await #expect(processExitsWith: .failure, "\(situation)") { [situation = situation as Situation] in
                var machine = situation.machine()
                machine.waitsForConnection(until: .now())
            }
        }
        for situation in Situation.allCases where situation != .idle && situation != .awaitingHead {
            await #expect(processExitsWith: .failure, "\(situation)") { [situation = situation as Situation] in
                var machine = situation.machine()
                machine.isRefused(ran: false)
            }
        }
        for situation in Situation.allCases where situation != .idle && situation != .waiting {
            await #expect(processExitsWith: .failure, "\(situation)") { [situation = situation as Situation] in
                var machine = situation.machine()
                machine.starts(now: .now())
            }
        }
    }
}

@Suite("The deadlines of a transfer")
struct TransferDeadlineTests {
    private func machine(_ situation: Situation, total: TimeAmount = .seconds(60)) -> TransferStateMachine {
        var timeouts = timeouts
        timeouts.total = total
        var machine = TransferStateMachine(timeouts: timeouts, now: start)
        switch situation {
        case .waiting:
            machine.waitsForConnection(until: start + .seconds(3))
        case .awaitingHead:
            machine.starts(now: start)
        default:
            machine.starts(now: start)
            machine.headReceived(now: start)
        }
        return machine
    }

    @Test("No deadline lies before a transfer that nobody waits for", arguments: [Situation.idle, .refused, .ending])
    func noDeadline(_ situation: Situation) {
        #expect(situation.machine().deadline == .distantFuture)
    }

    @Test(
        "The next deadline is that of the state, or the total one if it comes first",
        arguments: [
            (Situation.waiting, Int64(60), Int64(3)), (.waiting, 2, 2),
            (.awaitingHead, 60, 10), (.awaitingHead, 4, 4),
            (.receiving, 60, 5), (.receiving, 4, 4),
        ]
    )
    func nextDeadline(_ situation: Situation, total: Int64, expected: Int64) {
        #expect(machine(situation, total: .seconds(total)).deadline == start + .seconds(expected))
    }

    @Test(
        "Each state ends at its own deadline with its own code, and by the total time when that comes first",
        arguments: [
            (Situation.waiting, Int64(60), Int64(3), "now pool_timeout"),
            (.waiting, 2, 2, "now total_timeout"),
            (.waiting, 3, 3, "now pool_timeout"),
            (.awaitingHead, 60, 10, "now ran remove first_byte_timeout!"),
            (.awaitingHead, 4, 4, "now ran remove total_timeout!"),
            (.receiving, 60, 5, "now ran remove idle_timeout!"),
            (.receiving, 4, 4, "now ran remove total_timeout!"),
            (.receiving, 5, 5, "now ran remove total_timeout!"),
        ]
    )
    func reached(_ situation: Situation, total: Int64, seconds: Int64, expected: String) {
        var early = machine(situation, total: .seconds(total))
        let before = early.state
        let justBefore = start + .seconds(seconds) - .nanoseconds(1)
        #expect(words(early.deadlineReached(now: justBefore, readerHoldsUp: false, sent: true)) == "rearm \(seconds)")
        #expect(early.state == before)

        var late = machine(situation, total: .seconds(total))
        #expect(
            words(late.deadlineReached(now: start + .seconds(seconds), readerHoldsUp: false, sent: true)) == expected
        )
        #expect(late.state == .idle)
    }

    @Test("A first-byte timeout before anything was sent says that the server knows nothing")
    func firstByteUnsent() {
        var machine = machine(.awaitingHead)
        let action = machine.deadlineReached(now: start + .seconds(10), readerHoldsUp: false, sent: false)
        #expect(words(action) == "now ran remove first_byte_timeout")
    }

    @Test("Bytes move the idle deadline")
    func bytesMoveTheDeadline() {
        var machine = machine(.receiving)
        machine.aliveAgain(now: start + .seconds(4))
        #expect(words(machine.deadlineReached(now: start + .seconds(5), readerHoldsUp: false, sent: true)) == "rearm 9")
        #expect(machine.state == .receiving(since: start + .seconds(4)))
        let action = machine.deadlineReached(now: start + .seconds(9), readerHoldsUp: false, sent: true)
        #expect(words(action) == "now ran remove idle_timeout!")
        #expect(machine.state == .idle)
    }

    @Test("A reader that holds the response up is not the server's silence: the idle time starts again")
    func pausedReader() {
        var machine = machine(.receiving)
        #expect(words(machine.deadlineReached(now: start + .seconds(5), readerHoldsUp: true, sent: true)) == "rearm 10")
        #expect(machine.state == .receiving(since: start + .seconds(5)))
        #expect(
            words(machine.deadlineReached(now: start + .seconds(10), readerHoldsUp: true, sent: true)) == "rearm 15"
        )
        machine.aliveAgain(now: start + .seconds(12))
        let action = machine.deadlineReached(now: start + .seconds(17), readerHoldsUp: false, sent: true)
        #expect(words(action) == "now ran remove idle_timeout!")
        #expect(machine.state == .idle)
    }

    @Test("The total time runs for a paused reader too")
    func pausedReaderMeetsTotal() {
        var machine = machine(.receiving)
        let action = machine.deadlineReached(now: start + .seconds(60), readerHoldsUp: true, sent: true)
        #expect(words(action) == "now ran remove total_timeout!")
        #expect(machine.state == .idle)
    }

    @Test("The total time includes the wait for a connection")
    func totalIncludesTheWait() {
        var machine = machine(.waiting, total: .seconds(8))
        machine.starts(now: start + .seconds(2))
        #expect(machine.deadline == start + .seconds(8))
        let action = machine.deadlineReached(now: start + .seconds(8), readerHoldsUp: false, sent: false)
        #expect(words(action) == "now ran remove total_timeout")
        #expect(machine.state == .idle)
    }
}
