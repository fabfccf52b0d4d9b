import Coordination
import NIOCore
import Testing

@testable import Gateway

@Suite("What models were asked for, as an event loop counts it")
struct GenerationMetricsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func record(_ usage: TokenUsage, change: (inout ExchangeRecord) -> Void = { _ in }) -> ExchangeRecord {
        var record = ExchangeRecord(
            id: ExchangeID(process: 1, count: 1),
            start: start,
            end: start + .milliseconds(1_100)
        )
        record.client = 1
        record.model = 0
        record.operation = .responses
        record.status = 200
        record.usage = usage
        change(&record)
        return record
    }

    private let usage = TokenUsage(
        input: 100,
        output: 21,
        total: 121,
        cached: 64,
        reasoning: 8,
        inputAudio: 3,
        outputAudio: 2,
        inputImages: 5,
        outputImages: 1
    )

    @Test("puts every kind of token at its place, beside its client and model")
    func tokens() {
        var metrics = GenerationMetrics(clients: 2, models: 1)
        metrics.count(record(usage))
        let counts = GenerationMetrics.kinds.indices.map {
            metrics.tokens[metrics.index(client: 1, model: 0, kind: $0)]
        }
        #expect(counts == [100, 21, 64, 8, 3, 2, 5, 1])
        #expect(metrics.tokens.reduce(0, +) == counts.reduce(0, +))
        let place = GenerationMetrics.index(model: 0, operation: .chat)
        #expect(metrics.inputTokens[place].sum == 100)
        #expect(metrics.outputTokens[place].sum == 21)
    }

    @Test("gives every client, model and kind a place of its own")
    func places() {
        let metrics = GenerationMetrics(clients: 2, models: 3)
        var places: Set<Int> = []
        for client in 0...2 {
            for model in 0...3 {
                for kind in GenerationMetrics.kinds.indices {
                    places.insert(metrics.index(client: client, model: model, kind: kind))
                }
            }
        }
        #expect(places == Set(metrics.tokens.indices))
    }

    @Test("times the first token of streams that succeed, and each of the others")
    func streams() {
        var metrics = GenerationMetrics(clients: 2, models: 1)
        let first = start + .milliseconds(100)
        metrics.count(record(usage) { $0.firstByte = first })
        metrics.count(record(usage) { ($0.firstByte, $0.isStream, $0.status) = (first, true, 429) })
        let place = GenerationMetrics.index(model: 0, operation: .chat)
        #expect(metrics.firstToken[place].total == 0)
        metrics.count(record(usage) { ($0.firstByte, $0.isStream) = (first, true) })
        #expect(metrics.firstToken[place].sum == 100_000_000)
        #expect(metrics.perOutputToken[place].sum == 50_000_000)
        metrics.count(record(TokenUsage(input: 5, output: 1, total: 6)) { ($0.firstByte, $0.isStream) = (first, true) })
        #expect(metrics.firstToken[place].total == 2)
        #expect(metrics.perOutputToken[place].total == 1)
        #expect(metrics.duration[place].total == 4)
    }

    @Test("compares what was reserved with what Azure reported, and with nothing else")
    func reservation() {
        var metrics = GenerationMetrics(clients: 2, models: 1)
        metrics.count(record(usage) { $0.estimate = 242 })
        metrics.count(record(.estimated(prompt: 10, textBytes: 10)) { $0.estimate = 99 })
        metrics.count(record(TokenUsage()) { $0.estimate = 99 })
        #expect(metrics.reservation[0].total == 1)
        #expect(metrics.reservation[0].sum == 2_000)
        #expect(metrics.estimated == [1, 0])
    }

    @Test("counts sound by its length where that is what is billed")
    func sound() {
        var metrics = GenerationMetrics(clients: 2, models: 1)
        metrics.count(record(TokenUsage(seconds: 2.5)))
        #expect(metrics.soundMilliseconds == [2_500, 0])
        #expect(metrics.tokens.allSatisfy { $0 == 0 })
    }

    @Test("takes the largest numbers that an answer can claim")
    func largest() {
        var metrics = GenerationMetrics(clients: 2, models: 1)
        let most = TokenUsage.mostTokens
        let usage = TokenUsage(input: most, output: most, total: most)
        for _ in 0..<3 { metrics.count(record(usage) { $0.estimate = most }) }
        #expect(metrics.tokens[metrics.index(client: 1, model: 0, kind: 0)] == 3 * most)
    }

    @Test("adds up with another loop's, every number of it")
    func add() {
        func filled(_ times: Int) -> GenerationMetrics {
            var metrics = GenerationMetrics(clients: 2, models: 1)
            for _ in 0..<times {
                metrics.count(
                    record(usage) { ($0.firstByte, $0.isStream, $0.estimate) = (start + .milliseconds(7), true, 300) }
                )
                metrics.count(record(.estimated(prompt: 10, textBytes: 10)))
                metrics.count(record(TokenUsage(seconds: 1)))
            }
            return metrics
        }
        var total = filled(2)
        total.add(filled(3))
        let expected = filled(5)
        #expect(total.tokens == expected.tokens)
        #expect(total.estimated == expected.estimated)
        #expect(total.soundMilliseconds == expected.soundMilliseconds)
        #expect(total.duration == expected.duration)
        #expect(total.firstToken == expected.firstToken)
        #expect(total.perOutputToken == expected.perOutputToken)
        #expect(total.inputTokens == expected.inputTokens)
        #expect(total.outputTokens == expected.outputTokens)
        #expect(total.reservation == expected.reservation)
    }
}
