import Testing

@testable import Gateway

@Suite("An imported PowerProxy file")
struct PowerProxyImportTests {
    private static let example = repositoryFile("config/powerproxy.example.yaml")

    private static let files: [String] = [
        example, PowerProxyFile().text,
        PowerProxyFile(clients: "[{name: 'Team ${1}', key: 'a${b}$${c'}]").text,
        PowerProxyFile(
            clients: "[{name: a, key: 12345678, deployments_allowed: m, max_tokens_per_minute_in_k: {m: 0}}]",
            plugins: "[{name: LimitUsage}, {name: AllowDeployments}, {name: LogUsageToCsvFile}]"
        ).text,
        PowerProxyFile(azure: "mock_response: {ms_to_wait_before_return: 5, json: {a: \"x\\ty\", b: [1, ~]}}").text,
    ]

    @Test("means the same in the gateway's own format", arguments: files)
    func roundTrip(text: String) throws {
        let loaded = try loadPowerProxy(text).get()
        let native = try ConfigurationLoader.parse(
            text: loaded.nativeText(),
            file: "sluice.yaml",
            directory: "/elsewhere",
            environment: [:],
            readFile: readConfigurationFile
        ).get()
        #expect(native.configuration == loaded.configuration)
        #expect(!native.isPowerProxy)
        #expect(native.notes.isEmpty)
    }

    @Test("says in comments where the gateway does otherwise")
    func comments() throws {
        let text = try loadPowerProxy(Self.example).get().nativeText()
        #expect(
            text.hasPrefix(
                """
                # Made from PowerProxy's configuration.
                # PowerProxy listens on port 80 unless told otherwise, this on 0.0.0.0:8080; --listen chooses another
                # tokens are reserved before a request and settled after it; PowerProxy counts them afterwards, and admits more
                """
            )
        )
        #expect(
            text.contains(
                """
                  - name: "Team 2"
                    api_keys: [1113456789abcdef0123456789abcdef]
                    models: [gpt-4o, text-embedding-3-small]
                    # this limit holds for each model by itself, as in PowerProxy; 'limits' holds for all together
                    model_limits:
                      "*": {tokens_per_minute: 30k}
                """
            )
        )
    }
}

@Suite("A broken PowerProxy file")
struct BrokenPowerProxyTests {
    @Test(
        "names every mistake with its place",
        arguments: [
            (
                PowerProxyFile(clients: "[{name: a}]"),
                "1:11: missing key 'key' or 'uses_entra_id_auth': every client needs one of them"
            ),
            (
                PowerProxyFile(clients: "[{name: a, uses_entra_id_auth: true}, {name: b, uses_entra_id_auth: true}]"),
                "1:58: 'uses_entra_id_auth' is already true on line 1; only one client can take every token"
            ),
            (
                PowerProxyFile(clients: "[{name: a, key: 12345678}, {name: a, key: 12345678}]"),
                """
                1:44: the client 'a' is already declared on line 1; names must be unique
                1:52: this API key is already given on line 1; a key belongs to one client, once
                """
            ),
            (
                PowerProxyFile(plugins: "[{name: MyPlugin}]"),
                """
                2:18: 'name' must be one of AllowDeployments, LimitUsage, LogUsageToConsole, LogUsageToCsvFile, \
                LogUsageToLogAnalytics; found 'MyPlugin'
                """
            ),
            (
                PowerProxyFile(plugins: "[{name: AllowDeployments}, {name: LimitUsage, redis: {}}]"),
                """
                1:11: missing key 'deployments_allowed': with the plugin AllowDeployments every client needs it
                1:11: missing key 'max_tokens_per_minute_in_k': with the plugin LimitUsage every client needs it
                2:63: missing key 'redis_host': every redis section needs it
                2:63: missing key 'redis_password': every redis section needs it
                """
            ),
            (
                PowerProxyFile(
                    clients: "[{name: a, key: 12345678, max_tokens_per_minute_in_k: -1}]",
                    plugins: "[{name: LimitUsage, redis: {redis_host: 'a b', redis_password: topsecret}}]"
                ),
                """
                1:64: 'max_tokens_per_minute_in_k' must be a number of thousands of tokens, such as 20 or 0.5; found '-1'
                2:50: 'redis_host' must hold a host name or address, and perhaps a port from 1 to 65535, as in \
                rediss://host:10000
                """
            ),
            (
                PowerProxyFile(azure: "endpoints: []", more: "fixed_client: a"),
                """
                3:14: 'endpoints' is an empty list; give it an entry or remove the key
                4:1: 'fixed_client' is not supported; set 'uses_entra_id_auth: true' for the client
                """
            ),
            (
                PowerProxyFile(azure: "region: x"),
                "3:3: missing key 'endpoints' or 'mock_response': the aoai section needs one of them"
            ),
            (
                PowerProxyFile(
                    clients: "[{name: a, key: 12345678, deployments_allowed: [n]}]",
                    plugins: "[{name: AllowDeployments}]",
                    endpoints: "[{name: a, url: 'a', key: 12345678, virtual_deployments: [{name: m, standins: []}]}]"
                ),
                """
                4:30: 'url' must be a URL that begins with https:// or http://
                4:92: 'standins' is an empty list; give it an entry or remove the key
                """
            ),
            (
                PowerProxyFile(
                    clients: "[{name: a, key: 12345678, deployments_allowed: [n]}]",
                    plugins: "[{name: AllowDeployments}]",
                    endpoints:
                        "[{name: a, url: https://a, key: 12345678, virtual_deployments: [{name: m, standins: [{name: s}]}]}]"
                ), "1:57: 'deployments_allowed' names no deployment that an endpoint has"
            ),
        ]
    )
    func errors(file: PowerProxyFile, expected: String) {
        self.expect(expected, of: file.text)
    }

    @Test("needs clients, and shows what it needs")
    func missing() {
        self.expect("1:1: missing key 'clients': every configuration needs it", of: "aoai: {mock_response: {json: {}}}")
        self.expect(
            "1:1: missing key 'clients': every configuration needs it\n1:7: missing key 'endpoints' or "
                + "'mock_response': the aoai section needs one of them",
            of: "aoai: {}"
        )
    }

    private func expect(_ expected: String, of text: String) {
        guard case .failure(let errors) = loadPowerProxy(text) else {
            Issue.record("the file is accepted")
            return
        }
        #expect(errors.errors.map { "\($0.line):\($0.column): \($0.message)" }.joined(separator: "\n") == expected)
        #expect(!errors.description.contains("12345678"))
        #expect(!errors.description.contains("topsecret"))
    }
}
