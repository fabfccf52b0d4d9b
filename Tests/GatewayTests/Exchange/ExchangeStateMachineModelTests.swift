import TestSupport
import Testing

@testable import Gateway

/// What an exchange promises, as a few facts and not as a machine of states.
private struct ExchangeModel {
    typealias Machine = ExchangeStateMachine

    enum Event: String, CaseIterable {
        case tellHooks, hooksAllow, askHooksOpen, askHooksComplete, askWho, knowWho, body, requestEnd, askOpen,
            askComplete, mustWait, asksAgain, admission, noDeployment,
            noDeploymentButHeld,
            refuse
        case goodHead, streamHead, errorHead, bytes, heldEnough, heldFails
        case attemptEnd, attemptFailure, mendableFailure, resendableEnd
        case refusedToken, awaitToken, tokenComes, noToken, noTokenHere, noTokenButHeld
        case clientLeaves, graceExpires
    }

    static let error = GatewayError(502, "any", "Any error.", source: .upstream)

    /// What is going on between the coordinator, Azure and the client.
    private enum Phase { case nothing, hooks, asking, waiting, attempt, awaitingToken, askingAgain }

    private(set) var hasEnded = false
    private var phase = Phase.nothing
    private var isUnheard = false
    private var isUnknown = false
    private var wasUnknown = false
    private var isUploadOpen = false
    /// Of the attempt that runs.
    private var head: Machine.Head?
    private var isHeld = false

    var mayTellHooks: Bool { !hasEnded && phase == .nothing && !isUnknown && !isUnheard }
    var mayAsk: Bool { mayTellHooks || (!hasEnded && phase == .hooks) }
    var mayAskWho: Bool { mayTellHooks && !wasUnknown }
    var mayAwaitToken: Bool { !hasEnded && runs && head == nil }
    private var runs: Bool { phase == .attempt }
    private var hasBegun: Bool { head != nil && !isHeld }

    /// What an event must bring.
    mutating func expectation(of event: Event) -> Machine.Action {
        if hasEnded { return [.admission, .noDeployment, .noDeploymentButHeld].contains(event) ? .giveBack : .none }
        switch event {
        case .tellHooks:
            isUnheard = true
            return .none
        case .hooksAllow:
            defer { isUnheard = false }
            return isUnheard ? .authenticate : .none
        case .askHooksOpen, .askHooksComplete:
            phase = .hooks
            isUploadOpen = event == .askHooksOpen
            return .none
        case .askWho:
            isUnknown = true
            wasUnknown = true
            return .none
        case .knowWho:
            defer { isUnknown = false }
            return isUnknown ? .takeBody : .none
        case .body, .requestEnd:
            return isUnknown || isUnheard ? .postpone : ofBody(event)
        case .refusedToken, .awaitToken, .tokenComes, .noToken, .noTokenHere, .noTokenButHeld:
            return ofToken(event)
        case .askOpen, .askComplete:
            // What hooks were asked about has its upload already.
            if phase != .hooks { isUploadOpen = event == .askOpen }
            phase = .asking
            return .none
        case .mustWait:
            if phase == .asking || phase == .askingAgain { phase = .waiting }
            return .none
        case .asksAgain:
            if phase == .waiting { phase = .asking }
            return .none
        case .admission:
            guard phase == .asking || phase == .askingAgain else { return .giveBack }
            return start()
        case .noDeployment, .noDeploymentButHeld:
            guard phase == .askingAgain else { return .giveBack }
            hasEnded = true
            return event == .noDeployment ? .answer(Self.error, cancelling: false) : .completeHeld
        case .goodHead, .streamHead, .errorHead:
            guard runs, head == nil else { return .none }
            head = event == .goodHead ? .good : event == .streamHead ? .eventStream : .error
            isHeld = event != .goodHead
            return isHeld ? .hold : .relayHead
        case .bytes:
            return !runs || head == nil ? .none : isHeld ? .hold : .relay
        case .heldEnough:
            guard runs, isHeld else { return .none }
            isHeld = false
            return .relayHeld
        case .heldFails:
            guard runs, isHeld else { return .none }
            phase = .askingAgain
            return .reroute(cancelling: true)
        case .attemptEnd, .attemptFailure, .mendableFailure, .resendableEnd:
            return attemptEnds(event)
        case .refuse, .graceExpires:
            hasEnded = true
            return telling(event == .refuse ? Self.error : .shuttingDown, cancelling: runs)
        case .clientLeaves:
            hasEnded = true
            return .abandon(cancelling: runs)
        }
    }

    private mutating func ofBody(_ event: Event) -> Machine.Action {
        if event == .body { return phase == .nothing ? .collect : isUploadOpen ? .upload : .none }
        defer { isUploadOpen = false }
        return phase == .nothing ? .decide : isUploadOpen ? .endUpload : .none
    }

    private mutating func ofToken(_ event: Event) -> Machine.Action {
        switch event {
        case .awaitToken:
            phase = .awaitingToken
            return .none
        case .refusedToken:
            if runs, !hasBegun {
                phase = .awaitingToken
                return .renewToken
            }
            return attemptEnds(.attemptEnd)
        default:
            guard phase == .awaitingToken else { return .none }
            if event == .tokenComes { return start() }
            if event == .noTokenHere {
                phase = .askingAgain
                return .reroute(cancelling: false)
            }
            hasEnded = true
            return event == .noToken ? .answer(Self.error, cancelling: false) : .completeHeld
        }
    }

    private mutating func start() -> Machine.Action {
        phase = .attempt
        head = nil
        isHeld = false
        return .forward
    }

    private mutating func attemptEnds(_ event: Event) -> Machine.Action {
        guard runs else { return .none }
        if !hasBegun {
            if event == .mendableFailure {
                phase = .askingAgain
                return .reroute(cancelling: false)
            }
            if event == .resendableEnd { return start() }
        }
        hasEnded = true
        if event == .attemptFailure || event == .mendableFailure { return telling(Self.error, cancelling: false) }
        if head == nil { return .answer(ExchangeStateMachineTableTests.closedEarly, cancelling: false) }
        return isHeld ? .completeHeld : .complete
    }

    private func telling(_ error: GatewayError, cancelling: Bool) -> Machine.Action {
        guard runs, hasBegun else { return .answer(error, cancelling: cancelling) }
        return head == .eventStream ? .endStream(error, cancelling: cancelling) : .cut(error, cancelling: cancelling)
    }
}

extension ExchangeStateMachine {
    fileprivate mutating func receive(_ event: ExchangeModel.Event) -> Action {
        switch event {
        case .tellHooks:
            introducing()
            return .none
        case .hooksAllow: return introduced()
        case .askHooksOpen, .askHooksComplete:
            consulting(event == .askHooksOpen ? .open : .complete)
            return .none
        case .askWho:
            identifying()
            return .none
        case .knowWho: return identified()
        case .refusedToken: return attemptEnded(nil, remedy: .renew)
        case .awaitToken:
            awaitingToken()
            return .none
        case .tokenComes: return tokenReceived()
        case .noToken: return tokenMissing(ExchangeModel.error, reroutes: false)
        case .noTokenHere: return tokenMissing(ExchangeModel.error, reroutes: true)
        case .noTokenButHeld: return tokenMissing(nil, reroutes: false)
        case .body: return bodyReceived()
        case .requestEnd: return requestEnded()
        case .askOpen, .askComplete:
            admitting(event == .askOpen ? .open : .complete)
            return .none
        case .mustWait:
            mustWait()
            return .none
        case .asksAgain:
            _ = asksAgain()
            return .none
        case .admission: return admitted()
        case .noDeployment: return rerouteRefused(ExchangeModel.error)
        case .noDeploymentButHeld: return rerouteRefused(nil)
        case .refuse: return refused(ExchangeModel.error)
        case .goodHead: return headReceived(.good)
        case .streamHead: return headReceived(.eventStream)
        case .errorHead: return headReceived(.error)
        case .bytes: return bytesReceived()
        case .heldEnough: return held()
        case .heldFails: return failed()
        case .attemptEnd: return attemptEnded(nil, remedy: .none)
        case .attemptFailure: return attemptEnded(ExchangeModel.error, remedy: .none)
        case .mendableFailure: return attemptEnded(ExchangeModel.error, remedy: .reroute)
        case .resendableEnd: return attemptEnded(nil, remedy: .resend)
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
        + [.body, .body, .requestEnd, .askOpen, .askOpen, .askComplete, .admission, .admission, .admission]
        + [.asksAgain, .asksAgain, .hooksAllow, .hooksAllow]
        + [.goodHead, .streamHead, .streamHead, .errorHead, .bytes, .bytes, .bytes, .heldEnough]

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
                if event == .askOpen || event == .askComplete, !model.mayAsk { continue }
                if event == .askWho, !model.mayAskWho { continue }
                if [.tellHooks, .askHooksOpen, .askHooksComplete].contains(event), !model.mayTellHooks { continue }
                if event == .awaitToken, !model.mayAwaitToken { continue }
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
        if let ending = endings.first, actions[(ending + 1)...].contains(where: { $0 != .none && $0 != .giveBack }) {
            return false
        }
        let heads = actions.indices.filter { actions[$0] == .relayHead || actions[$0] == .relayHeld }
        guard heads.count <= 1 else { return false }
        let relays = actions.indices.filter { actions[$0] == .relay }
        if let first = relays.first, heads.isEmpty || first < heads[0] { return false }
        let uploadEnds = actions.indices.filter { actions[$0] == .endUpload }
        guard uploadEnds.count <= 1 else { return false }
        if let end = uploadEnds.first, actions[end...].contains(.upload) { return false }
        // No attempt starts behind a byte for the client.
        if let head = heads.first, actions[head...].contains(.forward) { return false }
        return true
    }
}
