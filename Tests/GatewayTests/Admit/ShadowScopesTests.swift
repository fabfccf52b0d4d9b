import Coordination
import Testing

@testable import Gateway

@Suite("Limits in the shadow")
struct ShadowScopesTests {
    private func configuration(_ limits: String, deployment: String = "{endpoint: e}") throws -> GatewayConfiguration {
        let text = """
            models:
              - {name: gpt-4o, deployments: [\(deployment)]}
              - {name: other, deployments: [{endpoint: e}]}
            clients:
              - {name: a, api_keys: [aaaaaaaa], \(limits)}
            """
        return try parseConfiguration(completedConfiguration(text)).get()
    }

    private func scopes(_ limits: String) throws -> ClientScopes {
        ClientScopes(try #require(try configuration(limits).clients.first))
    }

    @Test("are asked about as such, beside those that are enforced")
    func kinds() throws {
        let scopes = try scopes(
            "limits: {requests_per_minute: 5}, model_limits: {gpt-4o: {tokens_per_minute: 9, shadow: true}}"
        )
        #expect(scopes.hasShadow)
        #expect(scopes.scopes(model: "gpt-4o").map(\.limits.isShadow) == [false, true])
        #expect(scopes.scopes(model: "other").map(\.limits.isShadow) == [false])
        #expect(try !self.scopes("limits: {requests_per_minute: 5}").hasShadow)
    }

    @Test("of 0 block nothing, and would refuse every request")
    func zero() throws {
        let scopes = try scopes("limits: {tokens_per_minute: 0, requests_per_minute: 7, shadow: true}")
        #expect(!scopes.isBlocked(model: "gpt-4o"))
        #expect(scopes.scopes(model: "gpt-4o").map { $0.limits.requests?.perMinute } == [7])
        #expect(scopes.scopes(model: "gpt-4o").map { $0.limits.tokens } == [nil])
        #expect(
            scopes.shadowFinding(ShadowRefusals(), [], model: "gpt-4o")
                == ShadowFindings.OfClient(kind: .tokens, isOfModel: false)
        )
        let allZero = try self.scopes(
            "limits: {requests_per_minute: 0, tokens_per_minute: 0, concurrent_requests: 0, tokens_per_day: 0, tokens_per_month: 0, shadow: true}"
        )
        #expect(allZero.scopes(model: "gpt-4o").isEmpty)
        #expect(!allZero.isBlocked(model: nil))
    }

    @Test("of 0 of a model, or of every other one, would refuse requests for that")
    func zeroOfModel() throws {
        let scopes = try scopes("model_limits: {gpt-4o: {concurrent_requests: 0, shadow: true}}")
        let finding = ShadowFindings.OfClient(kind: .concurrency, isOfModel: true)
        #expect(scopes.shadowFinding(ShadowRefusals(), [], model: "gpt-4o") == finding)
        #expect(scopes.shadowFinding(ShadowRefusals(), [], model: "other") == nil)
        let others = try self.scopes(
            "model_limits: {gpt-4o: {tokens_per_minute: 1}, \"*\": {tokens_per_day: 0, shadow: true}}"
        )
        #expect(others.hasShadow)
        #expect(others.shadowFinding(ShadowRefusals(), [], model: "gpt-4o") == nil)
        #expect(others.shadowFinding(ShadowRefusals(), [], model: "other")?.kind == .tokensPerDay)
    }

    @Test("of 0 of a deployment leave it in its place")
    func zeroOfDeployment() throws {
        let shadow = try configuration(
            "priority: 5",
            deployment: "{endpoint: e, limits: {tokens_per_minute: 0, shadow: true}}"
        )
        var roster = Roster()
        roster.add(shadow)
        let route = ModelRoute(shadow.models[0], roster: roster)
        #expect(route.deployments.map(\.shadowBlock) == [.tokens])
        #expect(route.candidates.map(\.limits) == [DeploymentLimits(isShadow: true)])
        let enforced = try configuration("priority: 5", deployment: "{endpoint: e, limits: {tokens_per_minute: 0}}")
        #expect(ModelRoute(enforced.models[0], roster: roster).deployments.isEmpty)
    }

    @Test("give an answer no fields of its own")
    func fields() throws {
        let scopes = try scopes("limits: {requests_per_minute: 5, shadow: true}").scopes(model: nil)
        #expect(RateLimitFields(scopes, [Levels(requests: 0, tokens: 0)]) == nil)
    }

    @Test("are counted by client and limit, and the counts of event loops add up")
    func counts() {
        var metrics = AdmissionMetrics(clients: 1, endpoints: 1)
        metrics.countShadow(.tokensPerMonth, client: 0)
        metrics.countShadow(.tokensPerMonth, client: 0)
        metrics.countShadow(.requests, client: nil)
        var sum = AdmissionMetrics(clients: 2, endpoints: 1)
        sum.add(metrics)
        sum.add(metrics)
        #expect(sum.shadowRefusals[sum.index(client: 0, limit: 3)] == 4)
        #expect(sum.shadowRefusals[sum.index(client: 2, limit: 0)] == 2)
        #expect(sum.shadowRefusals.reduce(0, +) == 6)
        #expect(sum.refusals.allSatisfy { $0 == 0 })
        var tally = DeploymentTally()
        var other = DeploymentTally()
        other.noteShadow(.concurrency)
        tally.add(other)
        tally.add(other)
        tally.add(DeploymentTally())
        #expect(tally.shadow == [0, 0, 0, 0, 2])
    }

    @Test("are explained by 'config check' and 'config diff' as such")
    func words() throws {
        let shadow = try configuration("limits: {tokens_per_minute: 9k, requests_per_minute: 0, shadow: true}")
        let text = "In all at most 0 requests a minute and 9,000 tokens a minute (shadow: counted, never refused)."
        #expect(shadow.summary().contains(text), "\(shadow.summary())")
        let enforced = try configuration("limits: {tokens_per_minute: 9k, requests_per_minute: 0}")
        #expect(shadow.changes(to: enforced) == "clients:\n  a: limits shadow -> enforced\n")
        #expect(enforced.changes(to: shadow) == "clients:\n  a: limits enforced -> shadow\n")
    }
}
