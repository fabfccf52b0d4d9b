import Coordination
import NIOCore
import Testing

@testable import Gateway

@Suite("The counters of an event loop")
struct MetricsShardTests {
    private func record(
        client: Int? = nil,
        model: Int? = nil,
        status: Int,
        firstByte: Int64? = nil,
        milliseconds: Int64 = 7
    ) -> ExchangeRecord {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var record = ExchangeRecord(
            id: ExchangeID(process: 1, count: 1),
            start: start,
            end: start + .milliseconds(milliseconds)
        )
        record.client = client
        record.model = model
        record.status = status
        record.firstByte = firstByte.map { start + .milliseconds($0) }
        record.requestBytes = 10
        record.responseBytes = 100
        return record
    }

    @Test(
        "count every status in a class, odd ones too",
        arguments: [
            (100, "1xx"), (199, "1xx"), (200, "2xx"), (299, "2xx"), (301, "3xx"), (400, "4xx"), (498, "4xx"),
            (499, "499"),
            (429, "4xx"), (500, "5xx"), (599, "5xx"), (600, "5xx"), (999, "5xx"), (0, "1xx"), (99, "1xx"), (-1, "1xx"),
            (Int.max, "5xx"), (Int.min, "1xx"),
        ]
    )
    func statusClasses(status: Int, name: String) throws {
        var shard = MetricsShard(clients: 1, models: 1, endpoints: 1)
        shard.count(record(client: 0, model: 0, status: status))
        let place = try #require(MetricsShard.classes.firstIndex(of: name))
        #expect(shard.requests[shard.index(client: 0, model: 0, statusClass: place)] == 1)
        #expect(shard.requests.reduce(0, +) == 1)
    }

    @Test("keep a place for unknown clients and unlisted models")
    func unknown() {
        var shard = MetricsShard(clients: 2, models: 3, endpoints: 0)
        #expect(shard.requests.count == 3 * 4 * MetricsShard.classes.count)
        shard.count(record(status: 401))
        shard.count(record(client: 1, status: 404))
        shard.count(record(client: 1, model: 2, status: 200))
        #expect(shard.requests[shard.index(client: 2, model: 3, statusClass: 3)] == 1)
        #expect(shard.requests[shard.index(client: 1, model: 3, statusClass: 3)] == 1)
        #expect(shard.requests[shard.index(client: 1, model: 2, statusClass: 1)] == 1)
        #expect(shard.requests.reduce(0, +) == 3)
    }

    @Test("give every client, model and class a place of its own")
    func places() {
        let shard = MetricsShard(clients: 2, models: 3, endpoints: 0)
        var places: Set<Int> = []
        for client in 0...2 {
            for model in 0...3 {
                for statusClass in MetricsShard.classes.indices {
                    places.insert(shard.index(client: client, model: model, statusClass: statusClass))
                }
            }
        }
        #expect(places == Set(shard.requests.indices))
    }

    @Test("time by model, and first bytes only where there was one")
    func times() {
        var shard = MetricsShard(clients: 1, models: 2, endpoints: 0)
        shard.count(record(client: 0, model: 1, status: 200, firstByte: 3, milliseconds: 7))
        shard.count(record(client: 0, model: 1, status: 502, milliseconds: 9))
        shard.count(record(status: 401, milliseconds: 1))
        let duration = (0...2).map { shard.generation.duration[GenerationMetrics.index(model: $0, operation: .other)] }
        #expect(duration.map(\.total) == [0, 2, 1])
        #expect(duration[1].sum == 16_000_000)
        #expect(shard.firstByte.map(\.total) == [0, 1, 0])
        #expect(shard.firstByte[1].sum == 3_000_000)
        #expect(shard.receivedBytes == 30)
        #expect(shard.sentBytes == 300)
    }

    @Test("count attempts by what Azure answered, odd statuses too")
    func attempts() {
        var shard = MetricsShard(clients: 0, models: 0, endpoints: 2)
        for status in [0, 1, 99, 100, 200, 201, 302, 404, 499, 500, 600, 999, -5] {
            shard.countAttempt(endpoint: 1, status: status)
        }
        shard.countCancelled(endpoint: 1)
        #expect(shard.attempts[1].answered == [4, 2, 1, 2, 3])
        #expect(shard.attempts[1].failed == 1)
        #expect(shard.attempts[1].cancelled == 1)
        #expect(shard.attempts[0].answered == [0, 0, 0, 0, 0])
    }

    @Test("add up with those of another loop, every one of them")
    func add() {
        let refusal = Refusal(reason: .deployments, wait: 1, time: 0, levels: [], cooldowns: [])
        func filled(_ times: Int) -> MetricsShard {
            var shard = MetricsShard(clients: 1, models: 1, endpoints: 1)
            for _ in 0..<times {
                shard.count(record(client: 0, model: 0, status: 200, firstByte: 2))
                shard.countAttempt(endpoint: 0, status: 200)
                shard.countAttempt(endpoint: 0, status: 0)
                shard.countCancelled(endpoint: 0)
                shard.admission.count(.refused(refusal), after: .zero)
                shard.admission.countRefusal(refusal.reason, client: 0)
                shard.inFlight += 1
                shard.connections += 2
                shard.acceptedConnections += 3
                shard.heartbeats += 5
                shard.lag.observe(.milliseconds(1))
            }
            return shard
        }
        var total = filled(2)
        total.add(filled(3))
        let expected = filled(5)
        #expect(total.requests == expected.requests)
        #expect(total.firstByte == expected.firstByte)
        #expect(total.generation.duration == expected.generation.duration)
        #expect(total.generation.tokens == expected.generation.tokens)
        #expect(total.admission.refusals == expected.admission.refusals)
        #expect(total.admission.admitted == expected.admission.admitted)
        #expect(total.attempts.map(\.answered) == expected.attempts.map(\.answered))
        #expect(total.attempts.map(\.failed) == [5])
        #expect(total.attempts.map(\.cancelled) == [5])
        #expect([total.receivedBytes, total.sentBytes, total.inFlight, total.connections] == [50, 500, 5, 10])
        #expect([total.acceptedConnections, total.heartbeats] == [15, 25])
        #expect(total.lag == expected.lag)
    }
}
