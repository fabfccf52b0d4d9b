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
            clients:
              - {name: team-a, api_keys: [aaaaaaaa, bbbbbbbb], models: [gpt-4o, embeddings]}
              - {name: team-b, api_keys: [cccccccc]}
            endpoints:
              - {name: sweden, url: "https://sweden.openai.azure.com/", api_key: "${KEY}"}
              - {name: local, url: "http://[::1]:8000", proxy: "http://p:3128", forward_headers: [x-a, x-b], \
            connections: {max: 1}}
            models:
              - {name: gpt-4o, deployments: [{endpoint: sweden, deployment: gpt-4o-ptu}]}
              - {name: embeddings, deployments: [{endpoint: local, deployment: ada}]}
            """
        ).get()
        #expect(
            configuration.summary() == """
                Listens on 0.0.0.0:8443 with TLS; admin on 127.0.0.1:9090.
                Serves at most 10,000 requests at once on 1 event loop.

                Clients:
                  team-a (2 API keys) may use gpt-4o, embeddings.
                  team-b (1 API key) may use every model.

                Models:
                  gpt-4o goes to deployment gpt-4o-ptu of sweden.
                  embeddings goes to deployment ada of local.

                Endpoints:
                  sweden is https://sweden.openai.azure.com, with its API key, at most 256 connections.
                  local is http://[::1]:8000, without a credential, at most 1 connection, through http://p:3128, \
                also forwarding x-a, x-b.

                """
        )
    }

    @Test("says when no models are declared")
    func saysNone() throws {
        let summary = try parseConfiguration(completedConfiguration("")).get().summary()
        #expect(summary.contains("on one event loop per core.\n"))
        #expect(summary.contains("Models:\n  none declared.\n"))
    }
}
