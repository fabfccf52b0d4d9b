import Foundation
import Testing

@testable import Coordination

/// The scripts in Redis and the machine in Swift are given the same steps, and have to say and to remember the same, to the
/// bit. `SLUICE_DIFFERENTIAL_STEPS` asks for more of them than a test run has time for, `SLUICE_DIFFERENTIAL_SEED` for others.
@Suite(.serialized)
struct DifferentialTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let steps = environment["SLUICE_DIFFERENTIAL_STEPS"].flatMap { Int($0) } ?? 50_000
    private static let seed = environment["SLUICE_DIFFERENTIAL_SEED"].flatMap { UInt64($0) } ?? 1

    /// Steps after which everything starts over: Redis's own expiry follows the real clock, so no run may outlast the
    /// shortest of its terms.
    private static let stepsPerRun = 4000
    private static let stepsPerBatch = 250

    @Test("Scripts and machine agree on every answer and every bit of state")
    func agree() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            var answers: [String: Int] = [:]
            for run in 0..<(Self.steps + Self.stepsPerRun - 1) / Self.stepsPerRun {
                let seed = Self.seed &* 1_000_003 &+ UInt64(run)
                try scripts.flush()
                try compare(scripts, seed: seed, answers: &answers)
            }
            // A run that never came across one of these would prove little.
            for answer in [
                "admitted", "probe", "requests", "tokens", "tokensPerDay", "tokensPerMonth", "concurrency",
                "deployments", "duplicate", "rerouted", "reroute refused", "reported", "leaseLost", "applied",
                "appliedLate", "alreadyApplied", "restored", "lost",
            ] + Answer.shadows {
                #expect(answers[answer, default: 0] > 0, "no step was answered \(answer)")
            }
        }
    }

    private func compare(_ scripts: ScriptServer, seed: UInt64, answers: inout [String: Int]) throws {
        var world = RandomWorld(seed: seed)
        var machine = LimiterState(authority: .shared)
        for batch in 0..<Self.stepsPerRun / Self.stepsPerBatch {
            var expected: [(Step, Answer?)] = []
            for _ in 0..<Self.stepsPerBatch {
                let step = world.next()
                let answer = machine.perform(step, now: world.now)
                if case .admit(let admission) = step, case .admission(let decision)? = answer {
                    world.note(admission, decision)
                }
                for name in answer?.names ?? [] { answers[name, default: 0] += 1 }
                expected.append((step, answer))
                scripts.add(step, now: world.now)
            }
            var replies = try scripts.send()[...]
            for (index, (step, answer)) in expected.enumerated() {
                _ = replies.popFirst()
                guard let reply = replies.popFirst(), let answer else { continue }
                let actual = try Answer(step, reply)
                guard actual == answer else {
                    let at = batch * Self.stepsPerBatch + index
                    Issue.record("seed \(seed), step \(at), \(step): the script said \(actual), the machine \(answer)")
                    return
                }
            }
            let (actual, model) = (try scripts.stored(), machine.stored(scripts.encoder.keys))
            guard actual == model else {
                for key in Set(actual.keys).union(model.keys) where actual[key] != model[key] {
                    Issue.record(
                        "seed \(seed), batch \(batch), \(key): Redis holds \(actual[key] as Any), the machine \(model[key] as Any)"
                    )
                }
                return
            }
            for (key, lifetime) in try scripts.lifetimes(Array(actual.keys)) where lifetime < 0 {
                Issue.record("\(key) is kept for ever")
            }
        }
    }
}

/// What a step is answered, whoever was asked.
enum Answer: Equatable {
    case admission(AdmissionDecision)
    case reroute(RerouteDecision)
    case settlement(SettlementOutcome)
    case beat(BeatOutcome)

    init(_ step: Step, _ reply: RESPReply) throws {
        switch step {
        case .admit(let admission): self = .admission(try ScriptDecoder.decision(admission, reply))
        case .reroute(let reroute): self = .reroute(try ScriptDecoder.decision(reroute, reply))
        case .settle, .cancel: self = .settlement(try ScriptDecoder.outcome(reply))
        case .beat(let beat): self = .beat(try ScriptDecoder.outcome(beat, reply))
        case .expire, .loseScope, .loseDeployment: preconditionFailure("nobody answers to that")
        }
    }

    /// What a run with limits in the shadow comes across.
    static let shadows =
        LimitKind.allCases.map { "shadow \($0)" }
        + [LimitKind.requests, .tokens, .concurrency].map { "shadow there \($0)" }

    /// For counting what a run has come across.
    var names: [String] {
        switch self {
        case .admission(.admitted(let reservation)):
            (reservation.isProbe ? ["admitted", "probe"] : ["admitted"]) + reservation.shadow.names
        case .admission(.refused(let refusal)):
            switch refusal.reason {
            case .client(_, let kind): ["\(kind)"]
            case .deployments: ["deployments"]
            }
        case .admission(.duplicate): ["duplicate"]
        case .admission(.unavailable): []
        case .reroute(.rerouted(let reservation)): ["rerouted"] + reservation.shadow.names
        case .reroute(.refused): ["reroute refused"]
        case .reroute(.reported): ["reported"]
        case .reroute(.leaseLost): ["leaseLost"]
        case .reroute(.unavailable): []
        case .settlement(let outcome): ["\(outcome)"]
        case .beat(let outcome): (outcome.restored > 0 ? ["restored"] : []) + (outcome.lost.isEmpty ? [] : ["lost"])
        }
    }
}

extension ShadowRefusals {
    fileprivate var names: [String] {
        (client.map { ["shadow \($0.kind)"] } ?? []) + (deployment.map { ["shadow there \($0)"] } ?? [])
    }
}

extension LimiterState {
    mutating func perform(_ step: Step, now: Int64) -> Answer? {
        switch step {
        case .admit(let admission): return .admission(admit(admission, now: now))
        case .reroute(let reroute): return .reroute(self.reroute(reroute, now: now))
        case .settle(let settlement): return .settlement(settle(settlement, now: now))
        case .cancel(let cancellation): return .settlement(cancel(cancellation, now: now))
        case .beat(let beat): return .beat(self.beat(beat, now: now))
        case .expire(let lease): leases[lease] = nil
        case .loseScope(let scope): scopes[scope] = nil
        case .loseDeployment(let deployment): deployments[deployment] = nil
        }
        return nil
    }
}

extension ScriptServer {
    /// Two commands for every step, so that replies can be counted off.
    func add(_ step: Step, now: Int64) {
        switch step {
        case .admit(let admission): add(encoder.call(admission), now: now)
        case .reroute(let reroute): add(encoder.call(reroute), now: now)
        case .settle(let settlement): add(encoder.call(settlement), now: now)
        case .cancel(let cancellation): add(encoder.call(cancellation), now: now)
        case .beat(let beat): add(encoder.call(beat), now: now)
        case .expire(let lease): remove(encoder.keys.lease + lease.description)
        case .loseScope(let scope): remove(encoder.keys.scope + scope.name)
        case .loseDeployment(let deployment): remove(encoder.keys.deployment + deployment.name)
        }
    }

    private func remove(_ key: String) {
        add("PING")
        add("DEL", key)
    }
}
