import Coordination
import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// What recording costs, of a release build: `make record-cost`.
@Suite("The cost of a record", .enabled(if: ProcessInfo.processInfo.environment["SLUICE_RECORD_COST"] != nil))
struct RecordCostTests {
    private static let exchanges = 200_000
    private static let rounds = 7

    /// Microseconds of CPU time for each call: the median of a few rounds.
    private static func cost(_ body: (Int) -> Void) -> Double {
        func now() -> Int {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec
        }
        let costs = (0..<rounds).map { _ in
            let start = now()
            for number in 0..<exchanges { body(number) }
            return Double(now() - start) / Double(exchanges) / 1000
        }
        return costs.sorted()[rounds / 2]
    }

    private static func exchange(_ number: Int) -> ExchangeRecord {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var record = ExchangeRecord(
            id: ExchangeID(process: 1, count: UInt64(number)),
            start: start,
            end: start + .milliseconds(Int64(1_000 + number % 997))
        )
        record.method = "POST"
        record.path = "/openai/v1/chat/completions"
        record.client = number % 20
        record.clientName = "team-a"
        record.model = number % 5
        record.modelName = "gpt-4o"
        record.endpoint = 0
        record.deployment = "gpt-4o"
        record.status = 200
        record.attempts = 1
        record.operation = .chat
        record.isStream = number % 2 == 0
        record.firstByte = start + .milliseconds(Int64(100 + number % 97))
        record.usage = TokenUsage(input: 1_000, output: 200, total: 1_200, cached: 512)
        record.estimate = 2_000
        record.requestBytes = 4_000
        record.responseBytes = 1_500
        record.upstreamRequestID = "55327416-1bbf-4475-ad5b-ca4696b343b3"
        return record
    }

    @Test("is printed")
    func cost() async throws {
        let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
        let writer = LogWriter(descriptor: nothing)
        let lines = Self.costs(writer)
        try await writer.shutdown()
        close(nothing)
        for (name, cost) in lines { print("\(name): \((cost * 1000).rounded() / 1000) us") }
        let perRequest = lines["metrics"]! + lines["access log"]!
        #expect(perRequest <= 5, "metrics and access log cost \(perRequest) us of CPU for each request")
    }

    private static func costs(_ writer: LogWriter) -> KeyValuePairs<String, Double> {
        let reservation = Reservation(
            candidate: 0,
            isProbe: false,
            time: 0,
            authority: .local,
            levels: [],
            deployment: Levels(requests: 0, tokens: 0),
            cooldowns: []
        )
        let made = cost { blackHole(exchange($0).end) }
        var shard = MetricsShard(clients: 100, models: 20, endpoints: 10)
        let metrics = cost { number in
            let record = exchange(number)
            shard.admission.count(.admitted(reservation), after: .zero)
            shard.countAttempt(endpoint: 0, status: 200)
            shard.count(record)
        }
        blackHole(shard.generation.tokens)
        let log = AccessLog(GatewayConfiguration.Log(), writer: writer, eventLoop: EmbeddedEventLoop())
        let line = cost { log.write(exchange($0), endpointName: "sweden") }
        log.flush()
        var sampler = TraceSampler(ratio: 0.01, followsCallers: true, seed: 1)
        var sampled = 0
        let draw = cost { _ in if sampler.samples(caller: nil) { sampled += 1 } }
        let encoder = SpanEncoder()
        let spans = cost { number in
            let record = exchange(number)
            let context = TraceContext(id: TraceID(high: 1, low: 2), parent: nil, isSampled: true)
            let trace = ExchangeTrace(context: context, span: 3)
            trace.askedForAdmission(span: 4, at: record.start)
            trace.admissionDecided(.admitted(reservation), at: record.start)
            blackHole(encoder.spans(trace, record, epoch: 0))
        }
        return [
            "metrics": max(0, metrics - made), "access log": max(0, line - made), "draw of a trace": draw,
            "spans of a traced exchange": max(0, spans - made),
        ]
    }

    @inline(never)
    private static func blackHole<Value>(_ value: Value) {}
}

extension KeyValuePairs where Key == String {
    fileprivate subscript(key: String) -> Value? { first { $0.key == key }?.value }
}
