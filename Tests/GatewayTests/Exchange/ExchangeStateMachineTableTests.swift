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
        case .introducing:
            machine.introducing()
        case .identifying:
            machine.identifying()
        case .consulting(let upload):
            machine.consulting(upload)
        case .admitting(let upload):
            machine.admitting(upload)
        case .waiting(let upload):
            machine.admitting(upload)
            machine.mustWait()
        case .forwarding(let upload):
            machine.admitting(upload)
            _ = machine.admitted()
        case .awaitingToken(let upload):
            machine.admitting(upload)
            _ = machine.admitted()
            machine.awaitingToken()
        case .holding(let upload):
            machine.admitting(upload)
            _ = machine.admitted()
            _ = machine.headReceived(.eventStream)
        case .judging(let upload):
            machine.admitting(upload)
            _ = machine.admitted()
            _ = machine.headReceived(.error)
        case .rerouting(let upload):
            machine.admitting(upload)
            _ = machine.admitted()
            _ = machine.attemptEnded(late, remedy: .reroute)
        case .relaying(let upload, let answer):
            machine.admitting(upload)
            _ = machine.admitted()
            _ = machine.headReceived(answer == .plain ? .good : .eventStream)
            _ = machine.held()
        case .ended:
            _ = machine.clientLeft()
        }
        return machine
    }

    static let uploads: [Machine.Upload] = [.open, .complete]

    static let states: [Machine.State] =
        [.collecting, .introducing, .identifying] + uploads.map { .consulting($0) } + uploads.map { .admitting($0) }
        + uploads.map { .waiting($0) }
        + uploads.map { .forwarding($0) } + uploads.map { .awaitingToken($0) } + uploads.map { .holding($0) }
        + uploads.map { .judging($0) } + uploads.map { .rerouting($0) }
        + uploads.flatMap { [.relaying($0, .plain), .relaying($0, .eventStream)] } + [.ended]

    /// One event, to be sent to every state.
    struct After {
        let event: (inout Machine) -> Machine.Action
        let sourceLocation: SourceLocation

        /// Expects of each state what `expected` says: the action, and the state afterwards.
        func expect(_ expected: (Machine.State) -> (Machine.Action, Machine.State)) {
            for start in ExchangeStateMachineTableTests.states {
                var machine = ExchangeStateMachineTableTests.machine(in: start)
                let before = machine.state
                #expect(before == start, sourceLocation: sourceLocation)
                let (action, end) = expected(start)
                let returned = event(&machine)
                let after = machine.state
                #expect(returned == action, "in \(start)", sourceLocation: sourceLocation)
                #expect(after == end, "in \(start)", sourceLocation: sourceLocation)
            }
        }
    }

    func after(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ event: @escaping (inout Machine) -> Machine.Action
    ) -> After {
        After(event: event, sourceLocation: sourceLocation)
    }

    @Test("all states are tried")
    func states() {
        #expect(Self.states.count == 24)
        #expect(Set(Self.states.map { "\($0)" }).count == 24)
    }

    @Test("a part of the request's body is kept, passed on while the upload is open, or dropped")
    func bodyReceived() {
        after { $0.bodyReceived() }.expect { state in
            switch state {
            case .collecting: (.collect, state)
            case .introducing, .identifying: (.postpone, state)
            case .consulting(.open), .admitting(.open), .waiting(.open), .forwarding(.open), .awaitingToken(.open),
                .holding(.open),
                .judging(.open),
                .rerouting(.open), .relaying(.open, _):
                (.upload, state)
            case .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding, .judging, .rerouting,
                .relaying, .ended:
                (.none, state)
            }
        }
    }

    @Test("the request's end asks for a decision or ends the upload")
    func requestEnded() {
        after { $0.requestEnded() }.expect { state in
            switch state {
            case .collecting: (.decide, .collecting)
            case .introducing, .identifying: (.postpone, state)
            case .consulting(.open): (.endUpload, .consulting(.complete))
            case .admitting(.open): (.endUpload, .admitting(.complete))
            case .waiting(.open): (.endUpload, .waiting(.complete))
            case .forwarding(.open): (.endUpload, .forwarding(.complete))
            case .awaitingToken(.open): (.endUpload, .awaitingToken(.complete))
            case .holding(.open): (.endUpload, .holding(.complete))
            case .judging(.open): (.endUpload, .judging(.complete))
            case .rerouting(.open): (.endUpload, .rerouting(.complete))
            case .relaying(.open, let answer): (.endUpload, .relaying(.complete, answer))
            case .consulting, .admitting, .waiting, .forwarding, .awaitingToken, .holding, .judging, .rerouting,
                .relaying, .ended:
                (.none, state)
            }
        }
    }

    @Test("an exchange that every deployment refused waits, and one that has ended meanwhile does not")
    func mustWait() {
        after {
            $0.mustWait()
            return .none
        }.expect { state in
            switch state {
            case .admitting(let upload), .rerouting(let upload): (.none, .waiting(upload))
            case .collecting, .introducing, .identifying, .consulting, .waiting, .forwarding, .awaitingToken, .holding,
                .judging, .relaying,
                .ended:
                (.none, state)
            }
        }
    }

    @Test("only an exchange that waits is asked for again")
    func asksAgain() {
        for start in Self.states {
            var machine = Self.machine(in: start)
            let asks = machine.asksAgain()
            let end = machine.state
            if case .waiting(let upload) = start {
                #expect(asks)
                #expect(end == .admitting(upload))
            } else {
                #expect(!asks, "in \(start)")
                #expect(end == start)
            }
        }
    }

    @Test("what is reserved is used by the exchange that waits for it, and given back by any other")
    func admitted() {
        after { $0.admitted() }.expect { state in
            switch state {
            case .admitting(let upload), .rerouting(let upload): (.forward, .forwarding(upload))
            case .collecting, .introducing, .identifying, .consulting, .waiting, .forwarding, .awaitingToken, .holding,
                .judging, .relaying,
                .ended:
                (.giveBack, state)
            }
        }
    }

    @Test("without another deployment the client gets the error, or the answer that is held")
    func rerouteRefused() {
        after { $0.rerouteRefused(Self.late) }.expect { state in
            switch state {
            case .rerouting: (.answer(Self.late, cancelling: false), .ended)
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding,
                .awaitingToken, .holding, .judging,
                .relaying,
                .ended:
                (.giveBack, state)
            }
        }
        after { $0.rerouteRefused(nil) }.expect { state in
            switch state {
            case .rerouting: (.completeHeld, .ended)
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding,
                .awaitingToken, .holding, .judging,
                .relaying,
                .ended:
                (.giveBack, state)
            }
        }
    }

    @Test("a refusal becomes the answer, or cuts what has begun, and cancels an attempt that runs")
    func refused() {
        after { $0.refused(Self.refusal) }.expect { Self.failure($0, Self.refusal) }
    }

    @Test("the end of a shutdown's grace is a refusal like any other")
    func graceExpired() {
        after { $0.graceExpired() }.expect { Self.failure($0, .shuttingDown) }
    }

    static func failure(
        _ state: Machine.State,
        _ error: GatewayError
    ) -> (Machine.Action, Machine.State) {
        switch state {
        case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting:
            (.answer(error, cancelling: false), .ended)
        case .forwarding, .holding, .judging: (.answer(error, cancelling: true), .ended)
        case .relaying(_, .plain): (.cut(error, cancelling: true), .ended)
        case .relaying(_, .eventStream): (.endStream(error, cancelling: true), .ended)
        case .ended: (.none, .ended)
        }
    }

    @Test("who has been identified has the body looked at, unless the exchange has ended meanwhile")
    func identified() {
        after { $0.identified() }.expect { state in
            state == .identifying ? (.takeBody, .collecting) : (.none, state)
        }
    }

    @Test("a request that hooks let go on has it asked who calls, unless the exchange has ended meanwhile")
    func introduced() {
        after { $0.introduced() }.expect { state in
            state == .introducing ? (.authenticate, .collecting) : (.none, state)
        }
    }

    @Test("a request that hooks were asked about is admitted with its upload as it is by then", arguments: uploads)
    func consulted(upload: Machine.Upload) {
        for asked in Self.uploads {
            var machine = Self.machine(in: .consulting(upload))
            machine.admitting(asked)
            let state = machine.state
            #expect(state == .admitting(upload))
        }
        for start in Self.states {
            let isConsulting = Self.machine(in: start).isConsulting
            if case .consulting = start { #expect(isConsulting) } else { #expect(!isConsulting, "in \(start)") }
        }
    }

    @Test("a token starts the attempt that waits for it, and no other")
    func tokenReceived() {
        after { $0.tokenReceived() }.expect { state in
            guard case .awaitingToken(let upload) = state else { return (.none, state) }
            return (.forward, .forwarding(upload))
        }
    }

    @Test("without a token another deployment is asked for, or the client is told, or gets what is held")
    func tokenMissing() {
        for error in [nil, Self.late] {
            after { $0.tokenMissing(error, reroutes: true) }.expect { state in
                guard case .awaitingToken(let upload) = state else { return (.none, state) }
                return (.reroute(cancelling: false), .rerouting(upload))
            }
            after { $0.tokenMissing(error, reroutes: false) }.expect { state in
                guard case .awaitingToken = state else { return (.none, state) }
                return (error.map { .answer($0, cancelling: false) } ?? .completeHeld, .ended)
            }
        }
    }

    @Test("a client that leaves is abandoned, and so is its attempt")
    func clientLeft() {
        after { $0.clientLeft() }.expect { state in
            switch state {
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting:
                (.abandon(cancelling: false), .ended)
            case .forwarding, .holding, .judging, .relaying: (.abandon(cancelling: true), .ended)
            case .ended: (.none, .ended)
            }
        }
    }

    @Test("endings are known as endings")
    func endings() {
        let endings: [Machine.Action] = [
            .complete, .completeHeld, .answer(Self.late, cancelling: false), .endStream(Self.late, cancelling: true),
            .cut(Self.late, cancelling: false), .abandon(cancelling: true),
        ]
        let others: [Machine.Action] = [
            .none, .authenticate, .postpone, .takeBody, .collect, .decide, .forward, .renewToken, .giveBack, .upload,
            .endUpload,
            .hold,
            .reroute(cancelling: true), .relayHead, .relayHeld, .relay,
        ]
        #expect(endings.allSatisfy { $0.isEnding })
        #expect(!others.contains { $0.isEnding })
    }
}
