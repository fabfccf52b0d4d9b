import NIOCore
import Testing

@testable import Gateway

@Suite("A client connection, state by state")
struct DownstreamStateMachineTableTests {
    typealias Machine = DownstreamStateMachine

    static let error = GatewayError.malformed("a test says so")

    /// Every state, as it is reached at second 1,000.
    static let states: [Machine.State] = [
        .idle(until: at(1_120)), .receivingHead(until: at(1_015)),
        .serving(body: .open(until: at(1_015)), keepAlive: true),
        .serving(body: .open(until: at(1_015)), keepAlive: false),
        .serving(body: .complete, keepAlive: true), .serving(body: .complete, keepAlive: false),
        .discarding(until: at(1_005)), .closing(until: at(1_005)),
        .closing(until: at(1_002)), .closed,
    ]

    static func at(_ second: Int) -> NIODeadline { DownstreamTime.at(second) }

    /// A machine that came to `states[index]` by what a peer and an exchange do.
    static func machine(at index: Int) -> Machine {
        var machine = Machine(timeouts: DownstreamTime.timeouts, now: at(1_000))
        if index == 0 { return machine }
        machine.bytesReceived(now: at(1_000))
        if index == 1 { return machine }
        if index == 8 {
            _ = machine.parsingFailed(error, now: at(1_000))
            return machine
        }
        if index == 9 {
            _ = machine.connectionClosed()
            return machine
        }
        _ = machine.headReceived(keepAlive: index % 2 == 0, now: at(1_000))
        if index == 4 || index == 5 { _ = machine.requestEnded(now: at(1_000)) }
        if index == 6 || index == 7 { _ = machine.answerEnded(reusable: true, now: at(1_000)) }
        return machine
    }

    /// Sends one event at second 1,001 to each of `states`. Where no state is given, the machine stays where it is.
    private func expect(
        _ expected: [(Machine.Action, Machine.State?)],
        draining: Bool = false,
        after event: (inout Machine) -> Machine.Action,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(expected.count == Self.states.count, sourceLocation: sourceLocation)
        for (index, (action, end)) in expected.enumerated() {
            let start = Self.states[index]
            var machine = Self.machine(at: index)
            let before = machine.state
            #expect(before == start, sourceLocation: sourceLocation)
            if draining { machine.announceDrain() }
            let returned = event(&machine)
            let after = machine.state
            #expect(returned == action, "in \(start)", sourceLocation: sourceLocation)
            #expect(after == end ?? start, "in \(start)", sourceLocation: sourceLocation)
        }
    }

    private static let now = at(1_001)
    private static let openBody = Machine.RequestBody.open(until: at(1_016))

    @Test(
        "bytes begin a head and keep an open body alive; a head's own time does not start again",
        arguments: [false, true]
    )
    func bytes(draining: Bool) {
        expect(
            [
                (.none, .receivingHead(until: Self.at(1_016))), (.none, nil),
                (.none, .serving(body: Self.openBody, keepAlive: true)),
                (.none, .serving(body: Self.openBody, keepAlive: false)),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: draining
        ) {
            $0.bytesReceived(now: Self.now)
            return .none
        }
    }

    @Test("a head starts an exchange when none is being served", arguments: [false, true], [false, true])
    func head(keepAlive: Bool, draining: Bool) {
        let serving = Machine.State.serving(body: Self.openBody, keepAlive: keepAlive)
        expect(
            [
                (.startExchange, serving), (.startExchange, serving), (.none, nil), (.none, nil), (.none, nil),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: draining,
            after: { $0.headReceived(keepAlive: keepAlive, now: Self.now) }
        )
    }

    @Test("a part of a body goes to its exchange, or is dropped when that was answered", arguments: [false, true])
    func body(draining: Bool) {
        expect(
            [
                (.none, nil), (.none, nil), (.deliver, nil), (.deliver, nil), (.none, nil), (.none, nil),
                (.discard, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: draining,
            after: { $0.bodyReceived() }
        )
    }

    @Test("a request's end goes to its exchange, or makes room for the next request")
    func requestEnd() {
        expect(
            [
                (.none, nil), (.none, nil),
                (.deliverEnd, .serving(body: .complete, keepAlive: true)),
                (.deliverEnd, .serving(body: .complete, keepAlive: false)),
                (.none, nil), (.none, nil),
                (.nextRequest, .idle(until: Self.at(1_121))), (.none, nil),
                (.none, nil), (.none, nil),
            ],
            after: { $0.requestEnded(now: Self.now) }
        )
    }

    @Test("while draining, the end of a body that nobody wanted closes")
    func requestEndWhileDraining() {
        expect(
            [
                (.none, nil), (.none, nil),
                (.deliverEnd, .serving(body: .complete, keepAlive: true)),
                (.deliverEnd, .serving(body: .complete, keepAlive: false)),
                (.none, nil), (.none, nil),
                (.close, .closing(until: Self.at(1_003))), (.none, nil),
                (.none, nil), (.none, nil),
            ],
            draining: true,
            after: { $0.requestEnded(now: Self.now) }
        )
    }

    @Test("a body that is refused costs the connection its next request, and nothing else", arguments: [false, true])
    func refuseRest(draining: Bool) {
        let refused = Machine.State.serving(body: .open(until: Self.at(1_015)), keepAlive: false)
        expect(
            [
                (.none, nil), (.none, nil), (.none, refused), (.none, refused), (.none, nil), (.none, nil),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: draining
        ) {
            $0.refuseRest()
            return .none
        }
    }

    @Test("bytes that are no HTTP are refused, told to the exchange, or end a connection", arguments: [false, true])
    func parsingFailure(draining: Bool) {
        let failed = Machine.State.serving(body: .complete, keepAlive: false)
        expect(
            [
                (.refuse(Self.error), .closing(until: Self.at(1_003))),
                (.refuse(Self.error), .closing(until: Self.at(1_003))),
                (.failExchange(Self.error), failed), (.failExchange(Self.error), failed),
                (.none, failed), (.none, failed),
                (.close, .closing(until: Self.at(1_003))), (.none, nil),
                (.none, nil), (.none, nil),
            ],
            draining: draining,
            after: { $0.parsingFailed(Self.error, now: Self.now) }
        )
    }

    @Test("a whole answer makes room for the next request, reads an unwanted body, or closes")
    func answerEnd() {
        expect(
            [
                (.none, nil), (.none, nil),
                (.discard, .discarding(until: Self.at(1_006))),
                (.close, .closing(until: Self.at(1_006))),
                (.nextRequest, .idle(until: Self.at(1_121))), (.close, .closing(until: Self.at(1_003))),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            after: { $0.answerEnded(reusable: true, now: Self.now) }
        )
    }

    @Test("while draining, a whole answer closes")
    func answerEndWhileDraining() {
        expect(
            [
                (.none, nil), (.none, nil),
                (.close, .closing(until: Self.at(1_006))), (.close, .closing(until: Self.at(1_006))),
                (.close, .closing(until: Self.at(1_003))), (.close, .closing(until: Self.at(1_003))),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: true,
            after: { $0.answerEnded(reusable: true, now: Self.now) }
        )
    }

    @Test("an answer that broke off closes", arguments: [false, true])
    func brokenAnswerEnd(draining: Bool) {
        expect(
            [
                (.none, nil), (.none, nil),
                (.close, .closing(until: Self.at(1_006))), (.close, .closing(until: Self.at(1_006))),
                (.close, .closing(until: Self.at(1_003))), (.close, .closing(until: Self.at(1_003))),
                (.none, nil), (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: draining,
            after: { $0.answerEnded(reusable: false, now: Self.now) }
        )
    }

    @Test("silence closes, is answered with 408, or is told to the exchange", arguments: [false, true])
    func deadline(draining: Bool) {
        let dropped = Machine.State.closing(until: .distantFuture)
        let failed = Machine.State.serving(body: .complete, keepAlive: false)
        expect(
            [
                (.drop, dropped), (.refuse(.headTimeout), .closing(until: Self.at(2_002))),
                (.failExchange(.headTimeout), failed), (.failExchange(.headTimeout), failed),
                (.none, nil), (.none, nil),
                (.drop, dropped), (.drop, dropped), (.drop, dropped), (.none, nil),
            ],
            draining: draining,
            after: { $0.deadlineReached(now: Self.at(2_000)) }
        )
    }

    @Test("no deadline comes early, and each comes on its nanosecond")
    func deadlines() {
        let seconds: [Int?] = [1_120, 1_015, 1_015, 1_015, nil, nil, 1_005, 1_005, 1_002, nil]
        for (index, second) in seconds.enumerated() {
            var machine = Self.machine(at: index)
            let deadline = machine.deadline
            guard let second else {
                #expect(deadline == .distantFuture, "in \(Self.states[index])")
                continue
            }
            #expect(deadline == Self.at(second), "in \(Self.states[index])")
            let early = machine.deadlineReached(now: Self.at(second) - .nanoseconds(1))
            let unmoved = machine.state
            #expect(early == .none)
            #expect(unmoved == Self.states[index])
            let due = machine.deadlineReached(now: Self.at(second))
            #expect(due != .none)
        }
    }

    @Test("a drain closes what is idle at once, and the rest when it is done", arguments: [false, true])
    func drain(announced: Bool) {
        expect(
            [
                (.drop, .closing(until: .distantFuture)), (.none, nil), (.none, nil), (.none, nil), (.none, nil),
                (.none, nil),
                (.none, nil),
                (.none, nil), (.none, nil), (.none, nil),
            ],
            draining: announced,
            after: { $0.drain() }
        )
    }

    @Test("the last bytes may take the idle time to be read; the time to linger begins behind them")
    func output() {
        let pending = Machine.State.closing(until: Self.at(1_121))
        let unmoved = [(Machine.Action, Machine.State?)](repeating: (.none, nil), count: 7)
        expect(unmoved + [(.none, pending), (.none, pending), (.none, nil)]) {
            $0.outputIsPending(now: Self.now)
            return .none
        }
        // Longer where a body was still coming.
        let closed = [Machine.State.closing(until: Self.at(1_006)), .closing(until: Self.at(1_003))]
        expect(unmoved + [(.none, closed[0]), (.none, closed[1]), (.none, nil)]) {
            $0.outputIsPending(now: Self.now)
            $0.outputClosed(now: Self.now)
            return .none
        }
    }

    @Test("an announced drain leaves every state as it is")
    func announceDrain() {
        expect([(Machine.Action, Machine.State?)](repeating: (.none, nil), count: 10)) {
            $0.announceDrain()
            return .none
        }
    }

    @Test("a connection that closes is told to the exchange that is being served", arguments: [false, true])
    func closed(draining: Bool) {
        expect(
            [
                (.none, .closed), (.none, .closed),
                (.tellExchangeClientLeft, .closed), (.tellExchangeClientLeft, .closed),
                (.tellExchangeClientLeft, .closed), (.tellExchangeClientLeft, .closed),
                (.none, .closed), (.none, .closed), (.none, .closed), (.none, nil),
            ],
            draining: draining,
            after: { $0.connectionClosed() }
        )
    }

    @Test("bytes are a head's where neither a body is read nor the end is near")
    func awaitsHead() {
        for index in Self.states.indices {
            let awaits = Self.machine(at: index).awaitsHead
            #expect(awaits == [0, 1, 4, 5].contains(index), "in \(Self.states[index])")
        }
    }

    @Test("an answer says that the connection closes exactly when it will")
    func closesAfterAnswer() {
        let closing = [true, true, false, true, false, true, true, true, true, true]
        for (index, expected) in closing.enumerated() {
            var machine = Self.machine(at: index)
            let says = machine.closesAfterAnswer
            let isServing = machine.isServing
            #expect(says == expected, "in \(Self.states[index])")
            #expect(isServing == (2...5).contains(index), "in \(Self.states[index])")
            machine.announceDrain()
            let saysWhileDraining = machine.closesAfterAnswer
            #expect(saysWhileDraining, "in \(Self.states[index])")
        }
    }
}
