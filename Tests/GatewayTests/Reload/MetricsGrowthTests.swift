internal import Coordination
internal import NIOCore
internal import Testing

@testable import Gateway

@Suite("Counters that grow")
struct MetricsGrowthTests {
    private static func record(client: Int?, model: Int?) -> ExchangeRecord {
        var record = ExchangeRecord(id: ExchangeID(process: 1, count: 1), start: .now(), end: .now())
        record.client = client
        record.model = model
        record.status = 200
        record.usage.input = 7
        record.usage.total = 7
        return record
    }

    /// Requests with status 2xx of a client and a model; `nil` for those without a number.
    private static func count(_ shard: MetricsShard, _ client: Int?, _ model: Int?) -> Int {
        shard.requests[
            shard.index(client: client ?? shard.clients, model: model ?? shard.models, statusClass: 1)
        ]
    }

    @Test("keep every count under its number, and those without a number apart")
    func grow() {
        var shard = MetricsShard(clients: 2, models: 1, endpoints: 1)
        shard.count(Self.record(client: 1, model: 0))
        shard.count(Self.record(client: nil, model: nil))
        shard.count(Self.record(client: 0, model: nil))
        shard.countAttempt(endpoint: 0, status: 200)
        shard.inFlight = 3
        shard.grow(clients: 4, models: 3, endpoints: 2)
        shard.count(Self.record(client: 3, model: 2))
        shard.count(Self.record(client: nil, model: nil))
        shard.countAttempt(endpoint: 1, status: 200)
        #expect(Self.count(shard, 1, 0) == 1)
        #expect(Self.count(shard, 0, nil) == 1)
        #expect(Self.count(shard, nil, nil) == 2)
        #expect(Self.count(shard, 3, 2) == 1)
        #expect(shard.requests.reduce(0, +) == 5)
        #expect(shard.inFlight == 3)
        #expect(shard.attempts.map { $0.answered[1] } == [1, 1])
        let tokens = shard.generation.tokens
        #expect(tokens[shard.generation.index(client: 1, model: 0, kind: 0)] == 7)
        #expect(tokens[shard.generation.index(client: 4, model: 3, kind: 0)] == 14)
    }

    @Test("add up those of event loops that have grown and those that have not yet")
    func add() {
        var small = MetricsShard(clients: 1, models: 1, endpoints: 1)
        small.count(Self.record(client: nil, model: 0))
        small.admission.count(.unavailable, after: .zero)
        var large = MetricsShard(clients: 3, models: 2, endpoints: 2)
        large.count(Self.record(client: nil, model: 0))
        large.add(small)
        #expect(Self.count(large, nil, 0) == 2)
        #expect(large.requests.reduce(0, +) == 2)
        #expect(large.admission.unavailable == 1)
    }

    @Test("never shrink")
    func noShrinking() {
        var shard = MetricsShard(clients: 3, models: 3, endpoints: 3)
        shard.grow(clients: 1, models: 4, endpoints: 1)
        #expect(shard.clients == 3)
        #expect(shard.models == 4)
        #expect(shard.attempts.count == 3)
    }
}
