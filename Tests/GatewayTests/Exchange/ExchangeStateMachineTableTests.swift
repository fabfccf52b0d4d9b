import Testing

@testable import Gateway

@Suite("An exchange, state by state")
struct ExchangeStateMachineTableTests {
    typealias Machine = ExchangeStateMachine

    static let late = GatewayError(502, "late", "Something failed upstream.", source: .upstream)
    static let refusal = GatewayError(400, "refusal", "A stage refused.", source: .downstream)
    static let closedEarly = GatewayError(
        502,
        "upstream_closed_early",
        "Azure OpenAI gave no answer.",
        source: .upstream
    )

    /// Every state, reached as a request reaches it.
    static func machine(in state: Machine.State) -> Machine {
        var machine = Machine()
        switch state {
        case .collecting:
            break
        case .forwarding(let upload):
            machine.forwarded(upload)
        case .relaying(let upload, let answer):
            machine.forwarded(upload)
            _ = machine.headReceived(answer)
        case .ended:
            _ = machine.clientLeft()
        }
        return machine
    }

    static let states: [Machine.State] = [
        .collecting,
        .forwarding(.open), .forwarding(.complete),
        .relaying(.open, .plain), .relaying(.open, .eventStream),
        .relaying(.complete, .plain), .relaying(.complete, .eventStream),
        .ended,
    ]

    /// Sends one event to each state of `states` in turn, and expects these actions and states.
    private func expect(
        _ expected: [(Machine.Action, Machine.State)],
        after event: (inout Machine) -> Machine.Action,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(expected.count == Self.states.count, sourceLocation: sourceLocation)
        for (start, (action, end)) in zip(Self.states, expected) {
            var machine = Self.machine(in: start)
            let before = machine.state
            #expect(before == start, sourceLocation: sourceLocation)
            let returned = event(&machine)
            let after = machine.state
            #expect(returned == action, "in \(start)", sourceLocation: sourceLocation)
            #expect(after == end, "in \(start)", sourceLocation: sourceLocation)
        }
    }

    @Test("a part of the request's body is kept, passed on while the upload is open, or dropped")
    func bodyReceived() {
        expect(
            [
                (.collect, .collecting),
                (.upload, .forwarding(.open)), (.none, .forwarding(.complete)),
                (.upload, .relaying(.open, .plain)), (.upload, .relaying(.open, .eventStream)),
                (.none, .relaying(.complete, .plain)), (.none, .relaying(.complete, .eventStream)),
                (.none, .ended),
            ],
            after: { $0.bodyReceived() }
        )
    }

    @Test("the request's end asks for a decision or ends the upload")
    func requestEnded() {
        expect(
            [
                (.decide, .collecting),
                (.endUpload, .forwarding(.complete)), (.none, .forwarding(.complete)),
                (.endUpload, .relaying(.complete, .plain)), (.endUpload, .relaying(.complete, .eventStream)),
                (.none, .relaying(.complete, .plain)), (.none, .relaying(.complete, .eventStream)),
                (.none, .ended),
            ],
            after: { $0.requestEnded() }
        )
    }

    @Test(
        "a collected request is forwarded with or without more body to come",
        arguments: [Machine.Upload.open, .complete]
    )
    func forwarded(upload: Machine.Upload) {
        var machine = Machine()
        machine.forwarded(upload)
        let state = machine.state
        #expect(state == .forwarding(upload))
    }

    @Test("a refusal becomes the answer, or cuts what has begun, and cancels an attempt that runs")
    func refused() {
        expect(Self.failures(with: Self.refusal), after: { $0.refused(Self.refusal) })
    }

    @Test("the end of a shutdown's grace is a refusal like any other")
    func graceExpired() {
        expect(Self.failures(with: .shuttingDown), after: { $0.graceExpired() })
    }

    private static func failures(with error: GatewayError) -> [(Machine.Action, Machine.State)] {
        [
            (.answer(error, cancelling: false), .ended),
            (.answer(error, cancelling: true), .ended), (.answer(error, cancelling: true), .ended),
            (.cut(error, cancelling: true), .ended), (.endStream(error, cancelling: true), .ended),
            (.cut(error, cancelling: true), .ended), (.endStream(error, cancelling: true), .ended),
            (.none, .ended),
        ]
    }

    @Test("a head is relayed once, and only of an attempt that runs", arguments: [Machine.Answer.plain, .eventStream])
    func headReceived(answer: Machine.Answer) {
        expect(
            [
                (.none, .collecting),
                (.relayHead, .relaying(.open, answer)), (.relayHead, .relaying(.complete, answer)),
                (.none, .relaying(.open, .plain)), (.none, .relaying(.open, .eventStream)),
                (.none, .relaying(.complete, .plain)), (.none, .relaying(.complete, .eventStream)),
                (.none, .ended),
            ],
            after: { $0.headReceived(answer) }
        )
    }

    @Test("bytes are relayed behind a head and nowhere else")
    func bytesReceived() {
        expect(
            [
                (.none, .collecting),
                (.none, .forwarding(.open)), (.none, .forwarding(.complete)),
                (.relay, .relaying(.open, .plain)), (.relay, .relaying(.open, .eventStream)),
                (.relay, .relaying(.complete, .plain)), (.relay, .relaying(.complete, .eventStream)),
                (.none, .ended),
            ],
            after: { $0.bytesReceived() }
        )
    }

    @Test("an attempt that ends well completes the answer, or is an error when there was none")
    func attemptEndedWell() {
        expect(
            [
                (.none, .collecting),
                (.answer(Self.closedEarly, cancelling: false), .ended),
                (.answer(Self.closedEarly, cancelling: false), .ended),
                (.complete, .ended), (.complete, .ended), (.complete, .ended), (.complete, .ended),
                (.none, .ended),
            ],
            after: { $0.attemptEnded(nil) }
        )
    }

    @Test("an attempt that fails is told as the answer's kind allows, and is not cancelled: it is over")
    func attemptEndedBadly() {
        expect(
            [
                (.none, .collecting),
                (.answer(Self.late, cancelling: false), .ended), (.answer(Self.late, cancelling: false), .ended),
                (.cut(Self.late, cancelling: false), .ended), (.endStream(Self.late, cancelling: false), .ended),
                (.cut(Self.late, cancelling: false), .ended), (.endStream(Self.late, cancelling: false), .ended),
                (.none, .ended),
            ],
            after: { $0.attemptEnded(Self.late) }
        )
    }

    @Test("a client that leaves is abandoned, and so is its attempt")
    func clientLeft() {
        expect(
            [
                (.abandon(cancelling: false), .ended),
                (.abandon(cancelling: true), .ended), (.abandon(cancelling: true), .ended),
                (.abandon(cancelling: true), .ended), (.abandon(cancelling: true), .ended),
                (.abandon(cancelling: true), .ended), (.abandon(cancelling: true), .ended),
                (.none, .ended),
            ],
            after: { $0.clientLeft() }
        )
    }

    @Test("endings are known as endings")
    func endings() {
        let endings: [Machine.Action] = [
            .complete, .answer(Self.late, cancelling: false), .endStream(Self.late, cancelling: true),
            .cut(Self.late, cancelling: false), .abandon(cancelling: true),
        ]
        let others: [Machine.Action] = [.none, .collect, .decide, .upload, .endUpload, .relayHead, .relay]
        #expect(endings.allSatisfy { $0.isEnding })
        #expect(!others.contains { $0.isEnding })
    }
}
