import TestSupport
import Testing

@testable import Gateway

/// What an exchange promises, as a few facts and not as a machine of states.
private struct ExchangeModel {
    typealias Machine = ExchangeStateMachine

    enum Event: String, CaseIterable {
        case body
        case requestEnd
        case forwardOpen
        case forwardComplete
        case refuse
        case plainHead
        case streamHead
        case bytes
        case attemptEnd
        case attemptFailure
        case clientLeaves
        case graceExpires
    }

    static let error = GatewayError(502, "any", "Any error.", source: .upstream)

    private(set) var hasEnded = false
    private(set) var attemptRuns = false
    private var isUploadOpen = false
    private var answer: Machine.Answer?

    var mayForward: Bool { !hasEnded && !attemptRuns }

    /// What an event must bring.
    mutating func expectation(of event: Event) -> Machine.Action {
        if hasEnded { return .none }
        switch event {
        case .body:
            return attemptRuns ? (isUploadOpen ? .upload : .none) : .collect
        case .requestEnd:
            defer { isUploadOpen = false }
            return attemptRuns ? (isUploadOpen ? .endUpload : .none) : .decide
        case .forwardOpen, .forwardComplete:
            attemptRuns = true
            isUploadOpen = event == .forwardOpen
            return .none
        case .plainHead, .streamHead:
            guard attemptRuns, answer == nil else { return .none }
            answer = event == .plainHead ? .plain : .eventStream
            return .relayHead
        case .bytes:
            return answer == nil ? .none : .relay
        case .attemptEnd, .attemptFailure:
            guard attemptRuns else { return .none }
            hasEnded = true
            if event == .attemptEnd, answer != nil { return .complete }
            let earlyEnd = ExchangeStateMachineTableTests.closedEarly
            return telling(event == .attemptEnd ? earlyEnd : Self.error, cancelling: false)
        case .refuse:
            hasEnded = true
            return telling(Self.error, cancelling: attemptRuns)
        case .graceExpires:
            hasEnded = true
            return telling(.shuttingDown, cancelling: attemptRuns)
        case .clientLeaves:
            hasEnded = true
            return .abandon(cancelling: attemptRuns)
        }
    }

    private func telling(_ error: GatewayError, cancelling: Bool) -> Machine.Action {
        switch answer {
        case nil: .answer(error, cancelling: cancelling)
        case .plain: .cut(error, cancelling: cancelling)
        case .eventStream: .endStream(error, cancelling: cancelling)
        }
    }
}

extension ExchangeStateMachine {
    fileprivate mutating func receive(_ event: ExchangeModel.Event) -> Action {
        switch event {
        case .body: return bodyReceived()
        case .requestEnd: return requestEnded()
        case .forwardOpen, .forwardComplete:
            forwarded(event == .forwardOpen ? .open : .complete)
            return .none
        case .refuse: return refused(ExchangeModel.error)
        case .plainHead: return headReceived(.plain)
        case .streamHead: return headReceived(.eventStream)
        case .bytes: return bytesReceived()
        case .attemptEnd: return attemptEnded(nil)
        case .attemptFailure: return attemptEnded(ExchangeModel.error)
        case .clientLeaves: return clientLeft()
        case .graceExpires: return graceExpired()
        }
    }
}

@Suite("An exchange in any order of events", .timeLimit(.minutes(5)))
struct ExchangeStateMachineModelTests {
    /// Events that end nothing come more often, so that sequences get far.
    private static let events: [ExchangeModel.Event] =
        ExchangeModel.Event.allCases
        + [.body, .body, .requestEnd, .forwardOpen, .forwardOpen, .forwardComplete]
        + [.plainHead, .streamHead, .streamHead, .bytes, .bytes, .bytes]

    @Test("does what its promises say: one ending, nothing behind it, no bytes before a head", arguments: [1, 2, 3, 4])
    func randomOrders(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var endings: [Int: Int] = [:]
        for sequence in 0..<5_000 {
            var machine = ExchangeStateMachine()
            var model = ExchangeModel()
            var seen: [ExchangeModel.Event] = []
            var actions: [ExchangeStateMachine.Action] = []
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let event = Self.events.randomElement(using: &random)!
                if event == .forwardOpen || event == .forwardComplete, !model.mayForward { continue }
                seen.append(event)
                let expected = model.expectation(of: event)
                let action = machine.receive(event)
                actions.append(action)
                guard action == expected else {
                    Issue.record(
                        "seed \(seed), sequence \(sequence): \(action), not \(expected), after \(seen.map(\.rawValue))"
                    )
                    return
                }
            }
            guard Self.keepsItsPromises(actions, ended: model.hasEnded) else {
                Issue.record("seed \(seed), sequence \(sequence): \(actions) after \(seen.map(\.rawValue))")
                return
            }
            let state = machine.state
            guard (state == .ended) == model.hasEnded else {
                Issue.record("seed \(seed), sequence \(sequence): \(state) after \(seen.map(\.rawValue))")
                return
            }
            endings[actions.count { $0.isEnding }, default: 0] += 1
        }
        #expect(Set(endings.keys) == [0, 1], "both kinds of sequences came up")
    }

    /// Read off the actions alone, so that a slip which the model shares with the machine is seen too.
    private static func keepsItsPromises(_ actions: [ExchangeStateMachine.Action], ended: Bool) -> Bool {
        let endings = actions.indices.filter { actions[$0].isEnding }
        guard endings.count == (ended ? 1 : 0) else { return false }
        if let ending = endings.first, actions[(ending + 1)...].contains(where: { $0 != .none }) { return false }
        let heads = actions.indices.filter { actions[$0] == .relayHead }
        guard heads.count <= 1 else { return false }
        let relays = actions.indices.filter { actions[$0] == .relay }
        if let first = relays.first, heads.isEmpty || first < heads[0] { return false }
        let uploadEnds = actions.indices.filter { actions[$0] == .endUpload }
        guard uploadEnds.count <= 1 else { return false }
        if let end = uploadEnds.first, actions[end...].contains(.upload) { return false }
        return true
    }
}
