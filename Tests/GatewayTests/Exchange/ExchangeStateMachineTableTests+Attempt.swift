import Testing
@testable import Gateway

// What an attempt brings, from its head to its end.
extension ExchangeStateMachineTableTests {
    @Test("a good head is relayed, another one is held, and only that of an attempt that runs")
    func headReceived() {
        for head in [Machine.Head.good, .eventStream, .error] {
            after { $0.headReceived(head) }.expect { state in
                guard case .forwarding(let upload) = state else { return (.none, state) }
                return switch head {
                case .good: (.relayHead, .relaying(upload, .plain))
                case .eventStream: (.hold, .holding(upload))
                case .error: (.hold, .judging(upload))
                }
            }
        }
    }

    @Test("bytes are held or relayed as their head is, and nowhere else")
    func bytesReceived() {
        after { $0.bytesReceived() }.expect { state in
            switch state {
            case .relaying: (.relay, state)
            case .holding, .judging: (.hold, state)
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding,
                .awaitingToken, .rerouting, .ended:
                (.none, state)
            }
        }
    }

    @Test("what is held is passed on once")
    func held() {
        after { $0.held() }.expect { state in
            switch state {
            case .holding(let upload): (.relayHeld, .relaying(upload, .eventStream))
            case .judging(let upload): (.relayHeld, .relaying(upload, .plain))
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding,
                .awaitingToken, .rerouting, .relaying,
                .ended:
                (.none, state)
            }
        }
    }

    @Test("an attempt that shows an error in what is held makes room for another")
    func failed() {
        after { $0.failed() }.expect { state in
            switch state {
            case .holding(let upload), .judging(let upload): (.reroute(cancelling: true), .rerouting(upload))
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .forwarding,
                .awaitingToken, .rerouting, .relaying,
                .ended:
                (.none, state)
            }
        }
    }

    @Test("an attempt that ends well completes the answer, or is an error when there was none")
    func attemptEndedWell() {
        after { $0.attemptEnded(nil, remedy: .none) }.expect { state in
            switch state {
            case .forwarding: (.answer(Self.closedEarly, cancelling: false), .ended)
            case .holding, .judging: (.completeHeld, .ended)
            case .relaying: (.complete, .ended)
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting,
                .ended:
                (.none, state)
            }
        }
    }

    @Test("an attempt that fails is told as the answer's kind allows, and is not cancelled: it is over")
    func attemptEndedBadly() {
        after { $0.attemptEnded(Self.late, remedy: .none) }.expect { state in
            switch state {
            case .forwarding, .holding, .judging: (.answer(Self.late, cancelling: false), .ended)
            case .relaying(_, .plain): (.cut(Self.late, cancelling: false), .ended)
            case .relaying(_, .eventStream): (.endStream(Self.late, cancelling: false), .ended)
            case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken, .rerouting,
                .ended:
                (.none, state)
            }
        }
    }

    @Test("an attempt that another deployment can mend asks for one, unless the client has seen something")
    func attemptEndedWithRemedy() {
        for error in [nil, Self.late] {
            after { $0.attemptEnded(error, remedy: .reroute) }.expect { state in
                switch state {
                case .forwarding(let upload), .holding(let upload), .judging(let upload):
                    (.reroute(cancelling: false), .rerouting(upload))
                case .relaying(_, .plain): (error.map { .cut($0, cancelling: false) } ?? .complete, .ended)
                case .relaying(_, .eventStream): (error.map { .endStream($0, cancelling: false) } ?? .complete, .ended)
                case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken,
                    .rerouting, .ended:
                    (.none, state)
                }
            }
            after { $0.attemptEnded(error, remedy: .renew) }.expect { state in
                switch state {
                case .forwarding(let upload), .holding(let upload), .judging(let upload):
                    (.renewToken, .awaitingToken(upload))
                case .relaying(_, .plain): (error.map { .cut($0, cancelling: false) } ?? .complete, .ended)
                case .relaying(_, .eventStream): (error.map { .endStream($0, cancelling: false) } ?? .complete, .ended)
                case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken,
                    .rerouting, .ended:
                    (.none, state)
                }
            }
            after { $0.attemptEnded(error, remedy: .resend) }.expect { state in
                switch state {
                case .forwarding(let upload), .holding(let upload), .judging(let upload):
                    (.forward, .forwarding(upload))
                case .relaying(_, .plain): (error.map { .cut($0, cancelling: false) } ?? .complete, .ended)
                case .relaying(_, .eventStream): (error.map { .endStream($0, cancelling: false) } ?? .complete, .ended)
                case .collecting, .introducing, .identifying, .consulting, .admitting, .waiting, .awaitingToken,
                    .rerouting, .ended:
                    (.none, state)
                }
            }
        }
    }
}
