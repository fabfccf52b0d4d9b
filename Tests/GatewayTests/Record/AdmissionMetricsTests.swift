import Coordination
import NIOCore
import Testing

@testable import Gateway

@Suite("What was decided, as an event loop counts it")
struct AdmissionMetricsTests {
    private func refusal(_ reason: Refusal.Reason) -> Refusal {
        Refusal(reason: reason, wait: 1, time: 0, levels: [], cooldowns: [])
    }

    @Test("names the limit that refused", arguments: LimitKind.allCases)
    func limits(kind: LimitKind) {
        let names: [LimitKind: String] = [
            .requests: "requests_per_minute", .tokens: "tokens_per_minute", .tokensPerDay: "tokens_per_day",
            .tokensPerMonth: "tokens_per_month", .concurrency: "concurrent_requests",
        ]
        var metrics = AdmissionMetrics(clients: 2, endpoints: 0)
        metrics.countRefusal(.client(scope: 0, kind), client: 1)
        let found = AdmissionMetrics.limits.indices.filter {
            metrics.refusals[metrics.index(client: 1, limit: $0)] == 1
        }
        #expect(found.map { AdmissionMetrics.limits[$0] } == [names[kind]])
        #expect(metrics.refusals.reduce(0, +) == 1)
    }

    @Test("counts every decision once, with its wait")
    func decisions() throws {
        var metrics = AdmissionMetrics(clients: 1, endpoints: 0)
        let reservation = Reservation(
            candidate: 0,
            isProbe: false,
            time: 0,
            authority: .local,
            levels: [],
            deployment: Levels(requests: 0, tokens: 0),
            cooldowns: []
        )
        metrics.count(.admitted(reservation), after: .milliseconds(2))
        metrics.count(.refused(refusal(.deployments)), after: .zero)
        metrics.count(.duplicate, after: .zero)
        metrics.count(.unavailable, after: .zero)
        metrics.countRefusal(.deployments, client: nil)
        #expect([metrics.admitted, metrics.refused, metrics.duplicates, metrics.unavailable] == [1, 1, 1, 1])
        #expect(metrics.wait.total == 4)
        #expect(metrics.wait.sum == 2_000_000)
        let last = try #require(AdmissionMetrics.limits.firstIndex(of: "deployments"))
        #expect(metrics.refusals[metrics.index(client: 1, limit: last)] == 1)
    }

    @Test("counts the failures that cool a deployment, and no others")
    func cooldowns() {
        var metrics = AdmissionMetrics(clients: 1, endpoints: 2)
        for (kind, _) in AdmissionMetrics.kinds {
            metrics.countFailure(Failure(kind: kind, cooldown: 1_000), endpoint: 1)
            metrics.countFailure(Failure(kind: kind, cooldown: nil), endpoint: 1)
            metrics.countFailure(Failure(kind: kind, cooldown: 0), endpoint: 1)
        }
        #expect(Set(AdmissionMetrics.kinds.map(\.kind)) == Set(Failure.Kind.allCases))
        #expect(metrics.cooldowns == [0, 0, 0, 0, 0, 2, 2, 2, 2, 2])
        var total = AdmissionMetrics(clients: 1, endpoints: 2)
        total.add(metrics)
        total.add(metrics)
        #expect(total.cooldowns == [0, 0, 0, 0, 0, 4, 4, 4, 4, 4])
    }
}
