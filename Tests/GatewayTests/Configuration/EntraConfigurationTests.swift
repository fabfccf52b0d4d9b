import Testing

@testable import Gateway

@Suite("A configuration of identities and reports")
struct EntraConfigurationTests {
    private static let id = "0000000a-0000-0000-0000-00000000000f"

    @Test("reads whose tokens are validated, and whom they identify")
    func tokens() throws {
        let text = """
            front_door: {ids: [0000000A-0000-0000-0000-00000000000F]}
            entra:
              - tenant: 0000000A-0000-0000-0000-00000000000F
                audiences: [api://sluice, 0000000A-0000-0000-0000-00000000000F]
                cloud: usgov
                clock_skew: 5s
              - {tenant: 11111111-0000-0000-0000-000000000000, audiences: [b], authority: "http://127.0.0.1:8000"}
            clients:
              - name: Team A
                entra: {users: [], applications: [0000000A-0000-0000-0000-00000000000F], roles: [Sluice.A], groups: []}
              - {name: b, api_keys: [aaaaaaaa], entra: {users: [0000000a-0000-0000-0000-00000000000f], groups: [\
            0000000a-0000-0000-0000-00000000000f]}}
            """
        let configuration = try parseConfiguration(completedConfiguration(text)).get()
        #expect(configuration.frontDoor == .init(ids: [Self.id]))
        #expect(
            configuration.entra == [
                .init(
                    tenant: Self.id,
                    audiences: ["api://sluice", "0000000A-0000-0000-0000-00000000000F"],
                    cloud: .usgov,
                    clockSkew: .seconds(5)
                ),
                .init(
                    tenant: "11111111-0000-0000-0000-000000000000",
                    audiences: ["b"],
                    authority: EndpointURL(scheme: .http, host: "127.0.0.1", port: 8_000)
                ),
            ]
        )
        #expect(configuration.entra.last?.cloud == .public)
        #expect(configuration.entra.last?.clockSkew == .seconds(60))
        #expect(configuration.clients.map(\.name) == ["Team A", "b"])
        #expect(configuration.clients.first?.apiKeys == [])
        #expect(configuration.clients.first?.entra == .init(applications: [Self.id], roles: ["Sluice.A"]))
        #expect(configuration.clients.last?.entra == .init(users: [Self.id], groups: [Self.id]))
    }

    @Test("may let one client come with any bearer token")
    func anyBearer() throws {
        let text = "clients: [{name: a, any_bearer_token: true}, {name: b, api_keys: [aaaaaaaa]}]"
        let clients = try parseConfiguration(completedConfiguration(text)).get().clients
        #expect(clients.map(\.takesAnyBearerToken) == [true, false])
    }

    @Test("reads the credentials of endpoints")
    func credentials() throws {
        let text = """
            endpoints:
              - {name: a, url: "https://h", api_key: "${KEY}"}
              - {name: b, url: "https://h", managed_identity: {}}
              - {name: c, url: "https://h", managed_identity: 0000000A-0000-0000-0000-00000000000F}
              - {name: d, url: "https://h", workload_identity: {}}
              - {name: West Europe, url: "https://h", pass_through: true, forward_headers_matching: "^x-(?!ms)"}
              - {name: f, url: "https://h", pass_through: false}
              - name: g
                url: https://h
                client_secret: {tenant: 0000000A-0000-0000-0000-00000000000F, client_id: \
            1000000A-0000-0000-0000-00000000000F, secret: "${KEY}", cloud: usgov}
              - name: h
                url: https://h
                client_secret:
                  tenant: 0000000A-0000-0000-0000-00000000000F
                  client_id: 0000000A-0000-0000-0000-00000000000F
                  secret: topsecretkey
                  authority: http://127.0.0.1:8000
            """
        let endpoints = try parseConfiguration(completedConfiguration(text)).get().endpoints
        #expect(
            endpoints.map(\.credential) == [
                .apiKey(Secret("from-the-environment")), .identity(.managed(clientID: nil)),
                .identity(.managed(clientID: Self.id)), .identity(.workload), .passThrough, nil,
                .identity(
                    .application(
                        .init(
                            tenant: Self.id,
                            clientID: "1" + Self.id.dropFirst(),
                            secret: Secret("from-the-environment"),
                            cloud: .usgov
                        )
                    )
                ),
                .identity(
                    .application(
                        .init(
                            tenant: Self.id,
                            clientID: Self.id,
                            secret: Secret("topsecretkey"),
                            authority: EndpointURL(scheme: .http, host: "127.0.0.1", port: 8_000)
                        )
                    )
                ),
            ]
        )
        #expect(endpoints.compactMap(\.apiKey) == [Secret("from-the-environment")])
        #expect(endpoints[4].name == "West Europe")
        #expect(endpoints[4].forwardHeadersMatching == "^x-(?!ms)")
    }

    @Test("reads where usage and spans go")
    func reports() throws {
        let text = """
            usage:
              sinks:
                - {type: console}
                - {type: csv, directory: usage}
                - {type: jsonl, directory: /var/lib/sluice}
                - type: log_analytics
                  endpoint: https://x.ingest.monitor.azure.com
                  rule: dcr-00000000000000000000000000000000
                  stream: Custom-AzureOpenAIUsage_PP_CL
                  managed_identity: {}
            tracing: {otlp: "http://127.0.0.1:4318"}
            server: {model_refusal_status: 401}
            """
        let configuration = try parseConfiguration(completedConfiguration(text)).get()
        #expect(
            configuration.sinks == [
                .console, .csv(directory: "/etc/sluice/usage"), .jsonl(directory: "/var/lib/sluice"),
                .logAnalytics(
                    .init(
                        endpoint: EndpointURL(scheme: .https, host: "x.ingest.monitor.azure.com"),
                        rule: "dcr-00000000000000000000000000000000",
                        stream: "Custom-AzureOpenAIUsage_PP_CL",
                        identity: .managed(clientID: nil)
                    )
                ),
            ]
        )
        #expect(configuration.tracing == .init(otlp: EndpointURL(scheme: .http, host: "127.0.0.1", port: 4_318)))
        #expect(configuration.server.modelRefusalStatus == .unauthorized)
    }

    @Test("may answer everything itself")
    func mock() throws {
        let configuration = try parseConfiguration(completedConfiguration("mock: {delay: 1s, body: '{\"a\": 1}'}"))
            .get()
        #expect(configuration.mock == .init(delay: .seconds(1), body: "{\"a\": 1}"))
        #expect(configuration.endpoints.isEmpty)
    }

    @Test("may have a model for every other name, and limits for every other model")
    func others() throws {
        let text = """
            models:
              - {name: gpt-4o, deployments: [{endpoint: e}]}
              - {name: "*", deployments: [{endpoint: e}]}
            clients:
              - name: a
                api_keys: [aaaaaaaa]
                models: [gpt-4o, anything]
                limits: {tokens_per_minute: 1k, shadow: true}
                model_limits: {gpt-4o: {tokens_per_minute: 20k}, "*": {tokens_per_minute: 30k, shadow: true}}
            """
        let configuration = try parseConfiguration(completedConfiguration(text)).get()
        #expect(configuration.models.map { $0.deployments.map(\.deployment) } == [["gpt-4o"], [nil]])
        let client = try #require(configuration.clients.first)
        #expect(client.limits == .init(tokensPerMinute: 1_000, isShadow: true))
        #expect(client.limits(of: "gpt-4o") == .init(tokensPerMinute: 20_000))
        #expect(client.limits(of: "anything") == .init(tokensPerMinute: 30_000, isShadow: true))
    }
}
