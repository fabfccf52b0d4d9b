import Testing

@testable import Gateway

@Suite("A summary")
struct ConfigurationSummaryTests {
    @Test("says who may do what and where it goes")
    func says() throws {
        let configuration = try parseConfiguration(
            """
            listen: 0.0.0.0:8443
            tls: {certificate: a.crt, key: a.key}
            server: {threads: 1}
            coordination: {redis: "rediss://h", password: "${KEY}", deadline: 50ms, when_unavailable: closed}
            entra: [{tenant: 00000000-0000-0000-0000-000000000000, audiences: [a, b]}]
            clients:
              - name: team-a
                api_keys: [aaaaaaaa, bbbbbbbb]
                models: [gpt-4o, embeddings]
                priority: 0
                limits: {requests_per_minute: 600, tokens_per_minute: 100k, concurrent_requests: 1}
                burst: {tokens: 1k}
                model_limits: {gpt-4o: {tokens_per_day: 1M, shadow: true}, embeddings: {tokens_per_minute: 0}}
              - {name: Team B, entra: {roles: [b], groups: [00000000-0000-0000-0000-000000000000]}}
            endpoints:
              - {name: sweden, url: "https://sweden.openai.azure.com/", api_key: "${KEY}"}
              - {name: local, url: "http://[::1]:8000", proxy: "http://p:3128", forward_headers: [x-a, x-b], \
            connections: {max: 1}, managed_identity: {}}
              - {name: oslo, url: "https://o", client_secret: {tenant: 00000000-0000-0000-0000-000000000000, client_id: \
            10000000-0000-0000-0000-000000000000, secret: "${KEY}"}}
            models:
              - name: gpt-4o
                default_output_tokens: 1
                deployments:
                  - {endpoint: local, tier: 2, limits: {tokens_per_minute: 450k}, weight: 3}
                  - {endpoint: sweden, deployment: ptu, kind: provisioned, non_streaming_fraction: 0.2, open_to_priority: 3}
                queue: {max_wait: 2s}
              - {name: embeddings, deployments: [{endpoint: local, deployment: ada}]}
              - {name: "*", deployments: [{endpoint: local}]}
            usage: {sinks: [{type: console}, {type: csv, directory: /var/usage}]}
            """
        ).get()
        #expect(
            configuration.summary() == """
                Listens on 0.0.0.0:8443 with TLS; admin on 127.0.0.1:9090.
                Serves at most 10,000 requests at once on 1 event loop.
                Shares limits through rediss://h:6379 with a password; without an answer in 50ms a replica refuses everything.
                Validates access tokens of tenant 00000000-0000-0000-0000-000000000000 for a or b.
                Writes usage to standard output.
                Writes usage to CSV files in /var/usage.

                Clients:
                  team-a (2 API keys) may use gpt-4o and embeddings at priority 0.
                    In all at most 600 requests a minute, 100,000 tokens a minute and 1 request at the same time, \
                up to 1,000 tokens at once.
                    embeddings: nothing, as a limit is 0.
                    gpt-4o: at most 1,000,000 tokens a day (shadow: counted, never refused).
                  Team B (tokens of 1 role or 1 group) may use every model at priority 5.
                    Without limits.

                Models:
                  gpt-4o reserves 1 token for an answer without a maximum, waits up to 2s for room, and goes to:
                    tier 1: ptu of sweden, provisioned, 0.2 of the requests without streaming, for priorities 0 to 3.
                    tier 2: gpt-4o of local, weight 3, at most 450,000 tokens a minute.
                  embeddings reserves 1,024 tokens for an answer without a maximum, and goes to:
                    tier 1: ada of local.
                  every other model reserves 1,024 tokens for an answer without a maximum, and goes to:
                    tier 1: the same name of local.

                Endpoints:
                  sweden is https://sweden.openai.azure.com, with its API key, at most 256 connections.
                  local is http://[::1]:8000, as managed identity, at most 1 connection, through http://p:3128, \
                also forwarding x-a, x-b.
                  oslo is https://o, as application 10000000-0000-0000-0000-000000000000 of tenant \
                00000000-0000-0000-0000-000000000000, at most 256 connections.

                """
        )
    }

    @Test("says when no models are declared, and when a replica is alone")
    func saysNone() throws {
        let summary = try parseConfiguration(completedConfiguration("")).get().summary()
        #expect(summary.contains("on one event loop per core.\n"))
        #expect(summary.contains("\nHolds its limits alone: run a single replica, or configure 'coordination'.\n"))
        #expect(summary.contains("Models:\n  none declared: any model goes to e under its own name.\n"))
    }

    @Test("warns of a model that a client may use and cannot reach")
    func warns() throws {
        let summary = try parseConfiguration(
            """
            clients:
              - {name: a, api_keys: [aaaaaaaa], priority: 4}
              - {name: b, api_keys: [bbbbbbbb], priority: 3}
              - {name: c, api_keys: [cccccccc], models: [other]}
            endpoints: [{name: e, url: "https://h"}]
            models:
              - {name: gpt-4o, deployments: [{endpoint: e, open_to_priority: 3}, {endpoint: e, deployment: f, open_to_priority: 0}]}
              - {name: other, deployments: [{endpoint: e}]}
            """
        ).get().summary()
        let warnings = summary.split(separator: "\n").filter { $0.contains("Beware") }
        #expect(warnings == ["    Beware: no deployment of gpt-4o is open to priority 4."])
    }
}
