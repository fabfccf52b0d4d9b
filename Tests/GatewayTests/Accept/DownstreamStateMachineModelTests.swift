import NIOCore
import TestSupport
import Testing

@testable import Gateway

private enum DownstreamEvent: String, CaseIterable {
    case bytes
    case head
    case lastHead
    case body
    case requestEnd
    case refuseRest
    case rubbish
    case answerEnd
    case brokenAnswerEnd
    case time
    case drain
    case announceDrain
    case close
}

/// What holds for a connection whatever comes, counted from the outside.
private struct DownstreamObserver {
    private var exchangeRuns = false
    private var mayReuse = false
    private var bodyIsOpen = false
    private var isAnsweredEarly = false
    private var isDraining = false
    private var isOver = false
    private var isClosed = false
    /// Our side is closed and the client's is not yet.
    private var isLingering = false
    private(set) var endings = 0
    private(set) var reuses = 0

    /// Takes an event and what it brought; returns what is wrong with that.
    mutating func objection(to action: DownstreamStateMachine.Action, after event: DownstreamEvent) -> String? {
        let wasOver = isOver || isClosed
        if event == .drain || event == .announceDrain { isDraining = true }
        if event == .refuseRest, exchangeRuns, bodyIsOpen { mayReuse = false }
        if exchangeRuns, event == .rubbish || event == .brokenAnswerEnd { mayReuse = false }
        defer { if event == .close { isClosed = true } }
        if wasOver, action != .none {
            let isEndOfLingering = action == .drop && event == .time && isLingering
            isLingering = false
            return isEndOfLingering ? nil : "something happened behind the end"
        }
        isLingering = isLingering || action == .close || action.isRefusal
        switch action {
        case .none:
            let isIgnoredEnd = (event == .answerEnd || event == .brokenAnswerEnd) && exchangeRuns
            return isIgnoredEnd ? "an answer's end was ignored" : nil
        case .startExchange:
            if exchangeRuns || isAnsweredEarly { return "two exchanges at once" }
            (exchangeRuns, bodyIsOpen, mayReuse) = (true, true, event == .head)
        case .deliver:
            if !exchangeRuns || !bodyIsOpen { return "a body for nobody" }
        case .deliverEnd:
            if !exchangeRuns || !bodyIsOpen { return "an end for nobody" }
            bodyIsOpen = false
        case .nextRequest:
            if !mayReuse || isDraining { return "used again against its word" }
            if exchangeRuns && event != .answerEnd { return "a request while one is being served" }
            (exchangeRuns, bodyIsOpen, isAnsweredEarly) = (false, false, false)
            reuses += 1
        case .discard:
            if event == .body { return isAnsweredEarly ? nil : "a wanted body was dropped" }
            if !exchangeRuns || !bodyIsOpen { return "nothing to discard" }
            (exchangeRuns, isAnsweredEarly) = (false, true)
        case .refuse:
            if exchangeRuns || isAnsweredEarly { return "a refusal in the middle of an answer" }
            end()
        case .failExchange:
            if !exchangeRuns || !bodyIsOpen { return "a complete request failed" }
            (bodyIsOpen, mayReuse) = (false, false)
        case .tellExchangeClientLeft:
            if !exchangeRuns || event != .close { return "nobody to tell" }
            exchangeRuns = false
        case .close:
            if exchangeRuns, event != .answerEnd, event != .brokenAnswerEnd {
                return "closed in the middle of an answer"
            }
            if event == .answerEnd, mayReuse, !isDraining, !bodyIsOpen { return "closed against its word" }
            end()
        case .drop:
            if exchangeRuns { return "dropped in the middle of an answer" }
            end()
        }
        return nil
    }

    private mutating func end() {
        (exchangeRuns, isAnsweredEarly, isOver) = (false, false, true)
        endings += 1
    }
}

extension DownstreamStateMachine.Action {
    fileprivate var isRefusal: Bool { if case .refuse = self { true } else { false } }
}

extension DownstreamStateMachine {
    fileprivate mutating func receive(_ event: DownstreamEvent, now: NIODeadline) -> Action {
        switch event {
        case .bytes:
            bytesReceived(now: now)
            return .none
        case .head, .lastHead: return headReceived(keepAlive: event == .head, now: now)
        case .body: return bodyReceived()
        case .requestEnd: return requestEnded(now: now)
        case .refuseRest:
            refuseRest()
            return .none
        case .rubbish: return parsingFailed(.malformed("rubbish"), now: now)
        case .answerEnd, .brokenAnswerEnd: return answerEnded(reusable: event == .answerEnd, now: now)
        case .time: return deadlineReached(now: now)
        case .drain: return drain()
        case .announceDrain:
            announceDrain()
            return .none
        case .close: return connectionClosed()
        }
    }
}

@Suite("A client connection in any order of events", .timeLimit(.minutes(5)))
struct DownstreamStateMachineModelTests {
    private static let events: [DownstreamEvent] =
        DownstreamEvent.allCases
        + Array(
            repeating: [.bytes, .head, .head, .head, .body, .requestEnd, .requestEnd, .answerEnd, .answerEnd],
            count: 4
        )
        .flatMap { $0 }

    @Test("serves one exchange at a time, keeps its word on keep-alive, and ends once", arguments: [11, 12, 13, 14])
    func randomOrders(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var ended = 0
        var reuses = 0
        for sequence in 0..<5_000 {
            var now = DownstreamTime.at(1_000)
            var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: now)
            var observer = DownstreamObserver()
            var seen: [DownstreamEvent] = []
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let event = Self.events.randomElement(using: &random)!
                seen.append(event)
                now = now + .milliseconds(Int64.random(in: 0...(event == .time ? 200_000 : 4_000), using: &random))
                let deadline = machine.deadline
                let action = machine.receive(event, now: now)
                var objection = observer.objection(to: action, after: event)
                if event == .time, (action != .none) != (deadline <= now) { objection = "a deadline early, or missed" }
                let next = machine.deadline
                let begins = action == .startExchange || action == .nextRequest || event == .answerEnd
                if begins, action != .none, next <= now { objection = "a deadline that is over already" }
                if let objection {
                    Issue.record(
                        "seed \(seed), sequence \(sequence): \(objection): \(action) after \(seen.map(\.rawValue))"
                    )
                    return
                }
            }
            guard observer.endings <= 1 else {
                Issue.record(
                    "seed \(seed), sequence \(sequence): \(observer.endings) endings after \(seen.map(\.rawValue))"
                )
                return
            }
            ended += observer.endings
            reuses += observer.reuses
        }
        #expect((1..<5_000).contains(ended), "both kinds of sequences came up")
        #expect(reuses > 1_000, "connections were used again")
    }

    @Test("a body is alive as long as its bytes come, however long it takes")
    func slowBody() {
        var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: DownstreamTime.at(0))
        machine.bytesReceived(now: DownstreamTime.at(0))
        _ = machine.headReceived(keepAlive: true, now: DownstreamTime.at(0))
        for second in stride(from: 14, through: 1_400, by: 14) {
            machine.bytesReceived(now: DownstreamTime.at(second))
            let action = machine.deadlineReached(now: DownstreamTime.at(second))
            #expect(action == .none)
        }
        let late = machine.deadlineReached(now: DownstreamTime.at(1_415))
        #expect(late == .failExchange(.headTimeout))
    }

    @Test("a head that drips in is not kept alive by its bytes")
    func slowHead() {
        var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: DownstreamTime.at(0))
        for second in 100..<115 { machine.bytesReceived(now: DownstreamTime.at(second)) }
        let action = machine.deadlineReached(now: DownstreamTime.at(115))
        #expect(action == .refuse(.headTimeout))
    }

    @Test("an unwanted body has one span of time, whatever comes of it")
    func discardedBody() {
        var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: DownstreamTime.at(0))
        _ = machine.headReceived(keepAlive: true, now: DownstreamTime.at(0))
        _ = machine.answerEnded(reusable: true, now: DownstreamTime.at(10))
        for second in 11..<15 { machine.bytesReceived(now: DownstreamTime.at(second)) }
        let action = machine.deadlineReached(now: DownstreamTime.at(15))
        #expect(action == .drop)
    }

    @Test("while a drain is announced an idle connection still brings one request, and no second")
    func announcedDrain() {
        var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: DownstreamTime.at(0))
        machine.announceDrain()
        let start = machine.headReceived(keepAlive: true, now: DownstreamTime.at(1))
        let saysClose = machine.closesAfterAnswer
        _ = machine.requestEnded(now: DownstreamTime.at(1))
        let end = machine.answerEnded(reusable: true, now: DownstreamTime.at(2))
        #expect(start == .startExchange)
        #expect(saysClose)
        #expect(end == .close)
    }

    @Test("an idle connection has its whole time again after each request")
    func idleTime() {
        var machine = DownstreamStateMachine(timeouts: DownstreamTime.timeouts, now: DownstreamTime.at(0))
        for second in [100, 200, 300] {
            machine.bytesReceived(now: DownstreamTime.at(second))
            _ = machine.headReceived(keepAlive: true, now: DownstreamTime.at(second))
            _ = machine.requestEnded(now: DownstreamTime.at(second))
            let action = machine.answerEnded(reusable: true, now: DownstreamTime.at(second + 1))
            let deadline = machine.deadline
            #expect(action == .nextRequest)
            #expect(deadline == DownstreamTime.at(second + 121))
        }
    }
}
