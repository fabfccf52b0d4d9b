internal import Coordination
import Testing

@testable import Gateway

@Suite("A configuration of limits and routes")
struct LimitsConfigurationTests {
    @Test("reads how replicas find each other")
    func coordination() throws {
        let text = """
            coordination:
              redis: rediss://Name.region.redis.azure.net:10000
              username: default
              password: ${KEY}
              cluster: true
              deadline: 50ms
              when_unavailable: closed
              assumed_replicas: 1k
              namespace: blue
              ca_file: ca.pem
            """
        let configuration = try parseConfiguration(completedConfiguration(text)).get()
        #expect(
            configuration.coordination
                == .init(
                    redis: RedisURL(host: "name.region.redis.azure.net", port: 10_000, usesTLS: true),
                    credential: .password(username: "default", Secret("from-the-environment")),
                    cluster: true,
                    deadline: .milliseconds(50),
                    whenUnavailable: .closed,
                    assumedReplicas: 1_000,
                    namespace: "blue",
                    caFile: "/etc/sluice/ca.pem"
                )
        )
    }

    @Test("needs only an address for coordination")
    func coordinationDefaults() throws {
        let text = completedConfiguration("coordination: {redis: \"redis://[::1]/3\"}")
        let coordination = try #require(try parseConfiguration(text).get().coordination)
        #expect(coordination == .init(redis: RedisURL(host: "::1", usesTLS: false, database: 3)))
        #expect(coordination.redis.description == "redis://[::1]:6379/3")
        #expect(coordination.credential == nil)
        #expect(!coordination.cluster)
        #expect(coordination.deadline == .milliseconds(75))
        #expect(coordination.whenUnavailable == .share)
        #expect(coordination.assumedReplicas == 10)
        #expect(coordination.namespace == "0")
        #expect(try parseConfiguration(completedConfiguration("")).get().coordination == nil)
    }

    @Test(
        "takes a token for Redis from an identity, with its client id in either form",
        arguments: [
            ("{managed_identity: 0000000A-0000-0000-0000-00000000000f}", .managed(clientID: identity)),
            ("{managed_identity: {client_id: 0000000a-0000-0000-0000-00000000000F}}", .managed(clientID: identity)),
            ("{managed_identity: {}}", .managed(clientID: nil)),
            ("{workload_identity: {}}", .workload),
            (
                "{client_secret: {tenant: \(identity), client_id: \(identity), secret: topsecretkey, cloud: china}}",
                .application(
                    .init(tenant: identity, clientID: identity, secret: Secret("topsecretkey"), cloud: .china)
                )
            ),
        ] as [(String, GatewayConfiguration.AzureIdentity)]
    )
    func identities(text: String, identity: GatewayConfiguration.AzureIdentity) throws {
        let configuration = try parseConfiguration(
            completedConfiguration("coordination: {redis: \"rediss://h\", username: object-id, entra: \(text)}")
        ).get()
        #expect(configuration.coordination?.credential == .entra(username: "object-id", identity))
    }

    private static let identity = "0000000a-0000-0000-0000-00000000000f"

    @Test("reads the limits of clients as whole numbers, zero included")
    func clientLimits() throws {
        let text = """
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                priority: 0
                limits:
                  requests_per_minute: 600
                  tokens_per_minute: 1.5M
                  concurrent_requests: 50
                  tokens_per_day: 1000000G
                  tokens_per_month: 0
                burst: {requests: 1, tokens: 20k}
                model_limits:
                  gpt-4o: {tokens_per_minute: 20k}
                  embeddings: {requests_per_minute: 0}
            """
        let client = try #require(try parseConfiguration(completedConfiguration(text)).get().clients.first)
        #expect(client.priority == 0)
        #expect(
            client.limits
                == .init(
                    requestsPerMinute: 600,
                    tokensPerMinute: 1_500_000,
                    concurrentRequests: 50,
                    tokensPerDay: 1_000_000_000_000_000,
                    tokensPerMonth: 0
                )
        )
        #expect(client.limits.isBlocked)
        #expect(client.burst == .init(requests: 1, tokens: 20_000))
        #expect(
            client.modelLimits == [
                "gpt-4o": .init(tokensPerMinute: 20_000), "embeddings": .init(requestsPerMinute: 0),
            ]
        )
        #expect(client.modelLimits["gpt-4o"]?.isBlocked == false)
    }

    @Test("leaves a client without limits at the middle priority")
    func clientDefaults() throws {
        let client = try #require(try parseConfiguration(completedConfiguration("")).get().clients.first)
        #expect(client.priority == 5)
        #expect(client.limits.isEmpty)
        #expect(!client.limits.isBlocked)
        #expect(client.modelLimits.isEmpty)
        #expect(client.burst == .init())
    }

    @Test("reads several deployments of a model")
    func deployments() throws {
        let text = """
            models:
              - name: gpt-4o
                default_output_tokens: 2k
                deployments:
                  - endpoint: e
                    deployment: ptu
                    kind: provisioned
                    tier: 1
                    weight: 3
                    non_streaming_fraction: 0.2
                    open_to_priority: 3
                    limits: {tokens_per_minute: 450k, requests_per_minute: 2700, concurrent_requests: 0}
                    probe: false
                  - {endpoint: e, deployment: standard}
                queue: {max_wait: 2s}
            """
        let model = try #require(try parseConfiguration(completedConfiguration(text)).get().models.first)
        #expect(model.defaultOutputTokens == 2_000)
        #expect(model.queue.maxWait == .seconds(2))
        #expect(
            model.deployments == [
                .init(
                    endpoint: "e",
                    deployment: "ptu",
                    kind: .provisioned,
                    tier: 1,
                    weight: 3,
                    nonStreamingFraction: 0.2,
                    openToPriority: 3,
                    limits: .init(requestsPerMinute: 2_700, tokensPerMinute: 450_000, concurrentRequests: 0),
                    probe: false
                ),
                .init(endpoint: "e", deployment: "standard"),
            ]
        )
        let standard = try #require(model.deployments.last)
        #expect(standard.kind == .standard)
        #expect(standard.tier == 1)
        #expect(standard.weight == 1)
        #expect(standard.nonStreamingFraction == 1)
        #expect(standard.openToPriority == 9)
        #expect(standard.limits.isEmpty)
        #expect(standard.probe)
    }

    @Test("reserves 1,024 tokens for an answer unless told otherwise, and holds nothing back")
    func modelDefaults() throws {
        let text = completedConfiguration("models: [{name: m, deployments: [{endpoint: e, deployment: d}]}]")
        let model = try #require(try parseConfiguration(text).get().models.first)
        #expect(model.defaultOutputTokens == 1_024)
        #expect(model.queue.maxWait == .zero)
    }

    @Test("has the bounds of the limiter")
    func bounds() {
        #expect(GatewayConfiguration.Limits.mostPerMinute == Rate.most)
        #expect(GatewayConfiguration.Burst.most == Rate.mostBurst)
        #expect(GatewayConfiguration.Model.mostDeployments == Admission.mostCandidates)
        for most in [GatewayConfiguration.Limits.mostPerMinute, 1] {
            #expect(Rate(perMinute: Int64(most)) != nil)
        }
        #expect(Rate(perMinute: 1, burst: Int64(GatewayConfiguration.Burst.most)) != nil)
        // Days and months are counted in Lua's doubles, with room for a token count on top.
        #expect(Double(GatewayConfiguration.Limits.mostPerPeriod) + Double(Admission.mostTokens) < 0x1p53)
    }

    @Test(
        "takes only addresses of Redis that the client takes, and means the same",
        arguments: ["redis://h", "rediss://h:10000", "redis://[::1]:1/16383", "REDISS://Name.example:65535/"]
    )
    func redisAddress(text: String) throws {
        let url = try RedisURL.parse(text)
        let address = try RedisAddress(url: url.description)
        #expect(address.host == url.host)
        #expect(address.port == url.port)
        #expect(address.usesTLS == url.usesTLS)
        #expect(address.database == url.database)
    }
}
