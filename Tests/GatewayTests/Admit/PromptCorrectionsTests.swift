import Testing

@testable import Gateway

@Suite("The correction of a client's prompts", .timeLimit(.minutes(5)))
struct PromptCorrectionsTests {
    @Test("is 1 where nothing is known, and moves to what the prompts really have")
    func learning() {
        var corrections = PromptCorrections()
        #expect(corrections.factor(client: 0, model: 0) == 1)
        corrections.learn(client: 0, model: 0, estimated: 100, actual: 50)
        #expect(corrections.factor(client: 0, model: 0) == 0.75, "the plain estimate counts as one prompt")
        for _ in 0..<100 { corrections.learn(client: 0, model: 0, estimated: 100, actual: 140) }
        #expect(abs(corrections.factor(client: 0, model: 0) - 1.4) < 0.01)
        corrections.learn(client: 0, model: 0, estimated: 100, actual: 140 + 160)
        #expect(abs(corrections.factor(client: 0, model: 0) - 1.5) < 0.01, "a single prompt counts for a sixteenth")
    }

    @Test("belongs to one client with one model")
    func pairs() {
        var corrections = PromptCorrections()
        corrections.learn(client: 1, model: 2, estimated: 100, actual: 200)
        for (client, model) in [(2, 1), (1, 1), (2, 2), (0, 0), (1, -1), (-1, 2)] {
            #expect(corrections.factor(client: client, model: model) == 1)
        }
        corrections.learn(client: 1, model: -1, estimated: 100, actual: 50)
        #expect(corrections.factor(client: 1, model: 2) == 1.5)
        #expect(corrections.factor(client: 1, model: -1) == 0.75)
    }

    @Test("leaves its bounds for nobody")
    func bounds() {
        var corrections = PromptCorrections()
        for _ in 0..<1_000 { corrections.learn(client: 0, model: 0, estimated: 1, actual: .max) }
        #expect(corrections.factor(client: 0, model: 0) > 2.99 && corrections.factor(client: 0, model: 0) <= 3)
        for _ in 0..<1_000 { corrections.learn(client: 0, model: 0, estimated: .max, actual: 1) }
        #expect(corrections.factor(client: 0, model: 0) < 0.51 && corrections.factor(client: 0, model: 0) >= 0.5)
    }

    @Test("learns nothing from a prompt of which one number is not known")
    func unknown() {
        var corrections = PromptCorrections()
        for (estimated, actual) in [(0, 5), (5, 0), (-1, 5), (5, -1), (0, 0)] {
            corrections.learn(client: 0, model: 0, estimated: estimated, actual: actual)
        }
        #expect(corrections.factor(client: 0, model: 0) == 1)
    }

    @Test("starts anew where another pair took its place, and never gives one pair's to the other")
    func collisions() {
        var corrections = PromptCorrections(capacity: 1)
        corrections.learn(client: 1, model: 1, estimated: 100, actual: 200)
        corrections.learn(client: 2, model: 1, estimated: 100, actual: 50)
        #expect(corrections.factor(client: 1, model: 1) == 1)
        #expect(corrections.factor(client: 2, model: 1) == 0.75)
    }

    @Test("finds room for a hundred clients with eight models each, nearly all of them")
    func room() {
        var corrections = PromptCorrections()
        for client in 0..<100 {
            for model in 0..<8 { corrections.learn(client: client, model: model, estimated: 100, actual: 200) }
        }
        let kept = (0..<800).count { corrections.factor(client: $0 / 8, model: $0 % 8) == 1.5 }
        #expect(kept > 600)
    }
}
