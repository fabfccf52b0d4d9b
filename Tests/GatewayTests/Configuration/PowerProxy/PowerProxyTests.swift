import Testing

@testable import Gateway

@Suite("A PowerProxy file")
struct PowerProxyTests {
    private static let id = "11111111-1111-1111-1111-111111111111"

    @Test("names clients by their keys, spaces and all")
    func keys() throws {
        let file = PowerProxyFile(
            clients: "[{name: Team 1, description: x, key: 12345678}, {name: 'R&D / EU', key: '$a{bcdefg'}]"
        )
        let loaded = try file.load().get()
        #expect(loaded.isPowerProxy)
        #expect(loaded.configuration.clients.map(\.name) == ["Team 1", "R-D - EU"])
        #expect(
            loaded.configuration.clients.map(\.apiKeys) == [
                [.plain(Secret("12345678"))], [.plain(Secret("$a{bcdefg"))],
            ]
        )
        #expect(loaded.configuration.clients.allSatisfy { $0.models == .all && $0.modelLimits.isEmpty })
        #expect(
            loaded.notes.map(\.message).contains(
                "the client is 'R-D - EU' in logs, metrics and usage: names hold letters, digits, '.', '_', '-' and spaces"
            )
        )
    }

    @Test("lets one client come with any bearer token, and recommends validation")
    func anyBearer() throws {
        let loaded = try PowerProxyFile(clients: "[{name: a, uses_entra_id_auth: True}, {name: b, key: 12345678}]")
            .load().get()
        #expect(loaded.configuration.clients.map(\.takesAnyBearerToken) == [true, false])
        #expect(loaded.notes.contains { $0.message.contains("'entra' validates tokens here") })
    }

    @Test(
        "takes allowed deployments as a text with commas or as a list, when the plugin is listed",
        arguments: ["' gpt-4o , mini'", "[gpt-4o, mini]", "'gpt-4o,mini,gpt-4o'"]
    )
    func allowed(deployments: String) throws {
        let clients = "[{name: a, key: 12345678, deployments_allowed: \(deployments)}]"
        let with = try PowerProxyFile(clients: clients, plugins: "[{name: AllowDeployments}]").load().get()
        #expect(with.configuration.clients.first?.models == .only(["gpt-4o", "mini"]))
        #expect(with.configuration.server.modelRefusalStatus == .unauthorized)

        let without = try PowerProxyFile(clients: clients).load().get()
        #expect(without.configuration.clients.first?.models == .all)
        #expect(without.configuration.server.modelRefusalStatus == .forbidden)
        #expect(without.notes.contains { $0.message.contains("the plugin AllowDeployments is not listed") })
    }

    @Test(
        "limits tokens for each model by itself, when the plugin is listed",
        arguments: [("20", 20_000), ("0.5", 500), ("0", 0), ("1.5", 1_500)]
    )
    func numberLimit(text: String, tokens: Int) throws {
        let clients = "[{name: a, key: 12345678, max_tokens_per_minute_in_k: \(text)}]"
        let with = try PowerProxyFile(clients: clients, plugins: "[{name: LimitUsage}]").load().get()
        #expect(with.configuration.clients.first?.modelLimits == ["*": .init(tokensPerMinute: tokens)])
        #expect(with.configuration.clients.first?.limits.isEmpty == true)
        #expect(with.configuration.coordination == nil)

        let without = try PowerProxyFile(clients: clients).load().get()
        #expect(without.configuration.clients.first?.modelLimits.isEmpty == true)
        #expect(without.notes.contains { $0.message.contains("the plugin LimitUsage is not listed") })
    }

    @Test("lets only models with a limit be used when limits are a map")
    func mapLimit() throws {
        let clients =
            "[{name: a, key: 12345678, deployments_allowed: [b, c], max_tokens_per_minute_in_k: {d: 5, c: 20}}]"
        let limited = try PowerProxyFile(clients: clients, plugins: "[{name: LimitUsage}]").load().get().configuration
        #expect(limited.clients.first?.models == .only(["c", "d"]))
        #expect(
            limited.clients.first?.modelLimits == [
                "d": .init(tokensPerMinute: 5_000), "c": .init(tokensPerMinute: 20_000),
            ]
        )
        let both = PowerProxyFile(clients: clients, plugins: "[{name: LimitUsage}, {name: AllowDeployments}]")
        let client = try #require(try both.load().get().configuration.clients.first)
        #expect(client.models == .only(["c"]))
        #expect(client.modelLimits == ["c": .init(tokensPerMinute: 20_000)])
    }

    @Test(
        "coordinates through the plugin's Redis with TLS",
        arguments: [("cache.redis.cache.windows.net", 6_380), ("cache.westeurope.redis.azure.net:10000", 10_000)]
    )
    func redis(host: String, port: Int) throws {
        let plugins = "[{name: LimitUsage, redis: {redis_host: '\(host)', redis_password: pass}}]"
        let clients = "[{name: a, key: 12345678, max_tokens_per_minute_in_k: 1}]"
        let coordination = try PowerProxyFile(clients: clients, plugins: plugins).load().get().configuration
            .coordination
        let name = try #require(host.split(separator: ":").first)
        #expect(
            coordination
                == .init(
                    redis: RedisURL(host: String(name), port: port, usesTLS: true),
                    credential: .password(username: nil, Secret("pass"))
                )
        )
    }

    @Test("writes usage where its plugins do")
    func sinks() throws {
        let plugins = """
            [{name: LogUsageToConsole}, {name: LogUsageToCsvFile}, {name: LogUsageToLogAnalytics, \
            log_ingestion_endpoint: https://x.ingest.monitor.azure.com, \
            data_collection_rule_id: dcr-00000000000000000000000000000000}]
            """
        let file = PowerProxyFile(plugins: plugins, more: "user_assigned_managed_identity_client_id: \(Self.id)")
        #expect(
            try file.load().get().configuration.sinks == [
                .console, .csv(directory: "/etc/sluice/../logs"),
                .logAnalytics(
                    .init(
                        endpoint: EndpointURL(scheme: .https, host: "x.ingest.monitor.azure.com"),
                        rule: "dcr-00000000000000000000000000000000",
                        stream: "Custom-AzureOpenAIUsage_PP_CL",
                        identity: .managed(clientID: Self.id)
                    )
                ),
            ]
        )
    }

    @Test("writes to Log Analytics as the service principal that the file names, where it names all of it")
    func servicePrincipal() throws {
        func file(_ principal: String) -> PowerProxyFile {
            PowerProxyFile(
                plugins: """
                    [{name: LogUsageToLogAnalytics, log_ingestion_endpoint: https://x.ingest.monitor.azure.com, \
                    data_collection_rule_id: dcr-00000000000000000000000000000000\(principal)}]
                    """,
                more: "user_assigned_managed_identity_client_id: \(Self.id)"
            )
        }
        let whole = file(
            ", credential_tenant_id: \(Self.id), credential_client_id: \(Self.id), credential_client_secret: topsecretkey"
        )
        guard case .logAnalytics(let table)? = try whole.load().get().configuration.sinks.first else {
            Issue.record("no table")
            return
        }
        #expect(
            table.identity
                == .application(.init(tenant: Self.id, clientID: Self.id, secret: Secret("topsecretkey")))
        )
        let error = #expect(throws: ConfigurationErrors.self) {
            try file(", credential_client_id: \(Self.id)").load().get()
        }
        #expect(
            "\(try #require(error))".contains(
                "'credential_client_id' needs 'credential_tenant_id' and 'credential_client_secret'"
            )
        )
    }

    @Test("tries endpoints in order, each a tier, under the name asked for")
    func endpoints() throws {
        let file = PowerProxyFile(
            endpoints:
                "[{name: A 1, url: https://a/, key: 12345678, non_streaming_fraction: 0.7}, {name: b, url: https://b/}]",
            more: "user_assigned_managed_identity_client_id: \(Self.id)"
        )
        let configuration = try file.load().get().configuration
        #expect(configuration.endpoints.map(\.name) == ["A 1", "b"])
        #expect(configuration.endpoints.map(\.url.host) == ["a", "b"])
        #expect(
            configuration.endpoints.map(\.credential) == [
                .apiKey(Secret("12345678")), .identity(.managed(clientID: Self.id)),
            ]
        )
        #expect(
            configuration.models == [
                .init(
                    name: "*",
                    deployments: [
                        .init(endpoint: "A 1", tier: 1, nonStreamingFraction: 0.7), .init(endpoint: "b", tier: 2),
                    ]
                )
            ]
        )
    }

    @Test("needs no models where all endpoints take everything")
    func noModels() throws {
        #expect(try PowerProxyFile().load().get().configuration.models.isEmpty)
        let two = PowerProxyFile(
            endpoints: "[{name: a, url: https://a/, key: 12345678}, {name: b, url: https://b/, key: 12345678}]"
        )
        #expect(try two.load().get().configuration.models.isEmpty)
        let fraction = PowerProxyFile(
            endpoints: "[{name: a, url: https://a/, key: 12345678, non_streaming_fraction: 0}]"
        )
        #expect(try fraction.load().get().configuration.models.map(\.name) == ["*"])
    }

    @Test("keeps the limits and timeouts of its connections")
    func connections() throws {
        let connections = """
            {limits: {max_connections: 500, keepalive_expiry: 5}, timeouts: {connect: 2.5, read: 90, write: 5, pool: 0.25}}
            """
        let loaded = try PowerProxyFile(
            endpoints: "[{name: a, url: https://a/, key: 12345678, connections: \(connections)}]"
        ).load().get()
        let endpoint = try #require(loaded.configuration.endpoints.first)
        #expect(endpoint.connections == .init(max: 500, maxWait: .milliseconds(250)))
        #expect(endpoint.timeouts == .init(connect: .milliseconds(2_500), firstByte: .seconds(90), idle: .seconds(90)))
        let notes = loaded.notes.map(\.message)
        #expect(notes.contains("PowerProxy's 'keepalive_expiry' has no counterpart and no effect"))
        #expect(notes.contains("PowerProxy's 'write' has no counterpart and no effect"))
    }

    @Test("makes models of virtual deployments, with the fractions of both levels")
    func virtualDeployments() throws {
        let file = PowerProxyFile(
            endpoints: """
                [{name: a, url: https://a/, key: 12345678, non_streaming_fraction: 0.9, virtual_deployments: [
                  {name: m, standins: [{name: ptu, non_streaming_fraction: 0.2}, {name: payg}]},
                  {name: n, standins: [{name: n-1}]}]},
                 {name: b, url: https://b/, key: 12345678},
                 {name: c, url: https://c/, key: 12345678, virtual_deployments: [{name: m, standins: [{name: m-c}]}]}]
                """
        )
        #expect(
            try file.load().get().configuration.models == [
                .init(
                    name: "m",
                    deployments: [
                        .init(endpoint: "a", deployment: "ptu", tier: 1, nonStreamingFraction: 0.2),
                        .init(endpoint: "a", deployment: "payg", tier: 2, nonStreamingFraction: 0.9),
                        .init(endpoint: "b", deployment: "m", tier: 3),
                        .init(endpoint: "c", deployment: "m-c", tier: 4),
                    ]
                ),
                .init(
                    name: "n",
                    deployments: [
                        .init(endpoint: "a", deployment: "n-1", tier: 1, nonStreamingFraction: 0.9),
                        .init(endpoint: "b", deployment: "n", tier: 2),
                    ]
                ), .init(name: "*", deployments: [.init(endpoint: "b", tier: 1)]),
            ]
        )
    }

    @Test("answers with its mock response, typed as YAML types it")
    func mock() throws {
        let file = PowerProxyFile(
            azure: """
                mock_response:
                    ms_to_wait_before_return: 1000
                    json: {"id": "1", "n": 1.5e3, "t": true, "f": "true", "z": ~, "list": [01, {}], plain: Été "a"}
                """
        )
        let configuration = try file.load().get().configuration
        let body = #"{"id":"1","n":1.5e3,"t":true,"f":"true","z":null,"list":["01",{}],"plain":"Été \"a\""}"#
        #expect(configuration.mock == .init(delay: .seconds(1), body: body))
        #expect(configuration.endpoints.isEmpty)
    }

    @Test("forwards headers by the same regular expression")
    func headers() throws {
        let file = PowerProxyFile(
            azure:
                "forward_http_header_only_if_name_matches: ^(?!x-).*\n  endpoints: [{name: a, url: https://a/, key: 12345678}]"
        )
        #expect(try file.load().get().configuration.endpoints.map(\.forwardHeadersMatching) == ["^(?!x-).*"])
    }

    @Test("may hold keys that nobody knows, which are noted")
    func unknownKeys() throws {
        let loaded = try PowerProxyFile(clients: "[{name: a, key: 12345678, colour: red}]", more: "colour: red").load()
            .get()
        #expect(loaded.notes.filter { $0.message == "PowerProxy's key 'colour' is not known and ignored" }.count == 2)
    }

    @Test("may misspell a key, which is suggested")
    func misspelledKey() throws {
        let loaded = try PowerProxyFile(clients: "[{name: a, key: 12345678, deployment_allowed: b}]").load().get()
        let note = "PowerProxy's key 'deployment_allowed' is not known and ignored; did you mean 'deployments_allowed'?"
        #expect(loaded.notes.contains { $0.message == note })
    }

    @Test("may have no plugins, written or not", arguments: ["", "[]", "~"])
    func noPlugins(text: String) throws {
        #expect(try PowerProxyFile(plugins: text).load().get().configuration.sinks.isEmpty)
    }

    @Test("says where it listens, as PowerProxy does elsewhere")
    func port() throws {
        let notes = try PowerProxyFile().load().get().notes
        #expect(notes.first?.message.contains("PowerProxy listens on port 80") == true)
        #expect(notes.first?.description.hasPrefix("powerproxy.yaml:1:1: note: ") == true)
    }

    @Test("may say of its connections what holds for all endpoints")
    func sharedConnections() throws {
        let file = PowerProxyFile(
            azure: """
                connections: {timeouts: {connect: 1, read: 10}}
                  endpoints: [{name: a, url: https://a/, key: 12345678}, {name: b, url: https://b/, key: 12345678, \
                connections: {timeouts: {connect: 2}}}]
                """
        )
        let timeouts = try file.load().get().configuration.endpoints.map(\.timeouts)
        #expect(timeouts.map(\.connect) == [.seconds(1), .seconds(2)])
        #expect(timeouts.map(\.firstByte) == [.seconds(10), .seconds(10)])
    }

    @Test("may be JSON, as a variable often is")
    func json() throws {
        let text =
            #"{"clients": [{"name": "a", "key": "12345678"}], "aoai": {"endpoints": [{"name": "e", "url": "https://e", "key": "12345678"}]}}"#
        #expect(try loadPowerProxy(text).get().configuration.clients.map(\.name) == ["a"])
    }

    @Test("cannot be slow with many names", .timeLimit(.minutes(1)))
    func many() throws {
        let names = (0..<10_000).map { "m\($0)" }
        let allowed = names.joined(separator: ", ")
        let standins = names.map { "{name: \($0), standins: [{name: s}]}" }.joined(separator: ", ")
        let limits = names.map { "\($0): 1" }.joined(separator: ", ")
        let file = PowerProxyFile(
            clients:
                "[{name: a, key: 12345678, deployments_allowed: [\(allowed)], max_tokens_per_minute_in_k: {\(limits)}}]",
            plugins: "[{name: LimitUsage}, {name: AllowDeployments}]",
            endpoints: "[{name: a, url: https://a/, key: 12345678, virtual_deployments: [\(standins)]}]"
        )
        let loaded = try file.load().get()
        #expect(loaded.configuration.models.count == 10_000)
        #expect(loaded.configuration.clients.first?.modelLimits.count == 10_000)
        #expect(loaded.nativeText().utf8.count > 1_000_000)
        var other = loaded.configuration
        other.models.removeFirst()
        #expect(loaded.configuration.changes(to: other) == "models:\n  m0: removed\n")
    }
}
