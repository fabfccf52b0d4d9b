import TestSupport
import Testing

@testable import Coordination

/// What an operator is told would be decided, against what the script then decides.
@Suite(.serialized)
struct ExplainTests {
    private static let questions = 10_000
    private static let stepsPerRun = 4000
    private static let stepsPerBatch = 250

    @Test("A look foretells the next admission, in ten thousand random states")
    func agree() async throws {
        try await withRedis { server in
            let scripts = try ScriptServer(server)
            var asked = 0
            var answers: [String: Int] = [:]
            var run: UInt64 = 0
            while asked < Self.questions {
                try scripts.flush()
                let before = asked
                asked += try compare(scripts, seed: 77_000_003 + run, answers: &answers)
                run += 1
                if asked == before { throw Unexpected("a run without a question") }
            }
            for answer in [
                "admitted", "probe", "requests", "tokens", "tokensPerDay", "tokensPerMonth", "concurrency",
                "deployments",
            ] + Answer.shadows {
                #expect(answers[answer, default: 0] > 0, "no question was answered \(answer)")
            }
        }
    }

    /// Returns how many questions were asked.
    private func compare(_ scripts: ScriptServer, seed: UInt64, answers: inout [String: Int]) throws -> Int {
        var world = RandomWorld(seed: seed)
        var machine = LimiterState(authority: .shared)
        var asked = 0
        for _ in 0..<Self.stepsPerRun / Self.stepsPerBatch {
            var steps: [Step] = []
            for _ in 0..<Self.stepsPerBatch {
                let step = world.next()
                if case .admit(let admission) = step {
                    let call = LimiterView.call(
                        scripts.encoder.keys,
                        scopes: admission.scopes,
                        candidates: admission.candidates
                    )
                    scripts.add(call, now: world.now)
                }
                if case .admission(let decision)? = machine.perform(step, now: world.now),
                    case .admit(let admission) = step
                {
                    world.note(admission, decision)
                }
                scripts.add(step, now: world.now)
                steps.append(step)
            }
            var replies = try scripts.send()[...]
            for step in steps {
                var view: LimiterView?
                if case .admit(let admission) = step {
                    _ = replies.popFirst()
                    let answer = replies.popFirst()
                    let reply = try #require(answer)
                    view = LimiterView(reply, scopes: admission.scopes, candidates: admission.candidates)
                    guard view != nil else { throw Unexpected("a look at the limiter: \(reply)") }
                }
                _ = replies.popFirst()
                let answer = replies.popFirst()
                let reply = try #require(answer)
                guard case .admit(let admission) = step, let view else { continue }
                let decided = Answer.admission(try ScriptDecoder.decision(admission, reply))
                // An operator's question is about a request that has not been made.
                guard decided != .admission(.duplicate) else { continue }
                let foretold = Answer.admission(view.decision(on: admission))
                guard foretold == decided else {
                    Issue.record("seed \(seed), \(admission): foretold \(foretold), decided \(decided)")
                    return asked
                }
                for name in decided.names { answers[name, default: 0] += 1 }
                asked += 1
            }
        }
        return asked
    }
}
