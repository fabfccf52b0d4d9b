import Testing

@testable import Gateway

@Suite("A configuration")
struct GatewayConfigurationTests {
    @Test("needs only a client with a key and an endpoint; the rest has defaults")
    func defaults() throws {
        let configuration = try parseConfiguration(completedConfiguration("")).get()

        #expect(configuration.listen == ListenAddress(host: "0.0.0.0", port: 8080))
        #expect(configuration.admin == ListenAddress(host: "127.0.0.1", port: 9090))
        #expect(configuration.tls == nil)
        #expect(configuration.server == GatewayConfiguration.Server())
        #expect(configuration.server.maxHeaderBytes == 65_536)
        #expect(configuration.server.maxHeaderCount == 100)
        #expect(configuration.server.maxTargetBytes == 8_192)
        #expect(configuration.server.maxBodyBytes == 67_108_864)
        #expect(configuration.server.idleTimeout == .seconds(120))
        #expect(configuration.server.requestHeadTimeout == .seconds(15))
        #expect(configuration.server.heartbeat == .seconds(15))
        #expect(configuration.server.drain == .init(lameDuck: .seconds(5), grace: .seconds(25)))
        #expect(configuration.server.maxInFlight == 10_000)
        #expect(configuration.server.threads == nil)
        #expect(configuration.clients == [.init(name: "a", apiKeys: [.plain(Secret("aaaaaaaa"))], models: .all)])
        #expect(configuration.models.isEmpty)
        #expect(configuration.log == .init(level: .info, format: .json, access: true))

        let endpoint = try #require(configuration.endpoints.first)
        #expect(configuration.endpoints.count == 1)
        #expect(endpoint.name == "e")
        #expect(endpoint.url == EndpointURL(scheme: .https, host: "h"))
        #expect(endpoint.apiKey == nil)
        #expect(
            endpoint.timeouts
                == .init(connect: .seconds(5), firstByte: .seconds(120), idle: .seconds(300), total: .seconds(1_800))
        )
        #expect(endpoint.connections == .init(max: 256, http2: false, maxWait: .seconds(5), maxWaiting: 1_000))
        #expect(endpoint.forwardHeaders.isEmpty)
        #expect(endpoint.caFile == nil)
        #expect(endpoint.proxy == nil)
    }

    @Test("may set everything")
    func everything() throws {
        let configuration = try parseConfiguration(
            """
            models:
              - {name: gpt-4o, deployments: [{endpoint: west, deployment: gpt_4.o}]}
            log: {level: trace, format: text, access: false}
            endpoints:
              - name: west
                url: http://[::1]:8000/
                api_key: ${KEY}
                timeouts: {connect: 75ms, first_byte: 1h, idle: 2m, total: 24h}
                connections: {max: 1k, http2: false, max_wait: 0s, max_waiting: 0}
                forward_headers: [X-Request-Id, x-ms-client-request-id]
                ca_file: ca.pem
                proxy: http://proxy:3128/
            clients:
              - name: team-a
                api_keys:
                  - ${file:/run/secrets/key}
                  - sha256:00FF0000000000000000000000000000000000000000000000000000000000a1
                models: [gpt-4o, gpt-4o]
              - {name: team-b, api_keys: [aaaaaaaa], models: ["*"]}
            server:
              max_header_bytes: 1M
              max_header_count: 1k
              max_target_bytes: 0.5k
              max_body_bytes: 1.5M
              idle_timeout: 1h
              request_head_timeout: 100ms
              heartbeat: 5m
              drain: {lame_duck: 0s, grace: 0ms}
              max_in_flight: 1M
              threads: 4
            tls: {certificate: tls/tls.crt, key: /run/tls.key}
            admin: localhost:0
            listen: "[::1]:8080"
            """
        ).get()

        #expect(configuration.listen == ListenAddress(host: "::1", port: 8080))
        #expect(configuration.admin == ListenAddress(host: "localhost", port: 0))
        #expect(configuration.tls == .init(certificate: "/etc/sluice/tls/tls.crt", key: "/run/tls.key"))
        #expect(configuration.server.maxHeaderBytes == 1_048_576)
        #expect(configuration.server.maxHeaderCount == 1_000)
        #expect(configuration.server.maxTargetBytes == 512)
        #expect(configuration.server.maxBodyBytes == 1_572_864)
        #expect(configuration.server.idleTimeout == .seconds(3_600))
        #expect(configuration.server.requestHeadTimeout == .milliseconds(100))
        #expect(configuration.server.heartbeat == .seconds(300))
        #expect(configuration.server.drain == .init(lameDuck: .zero, grace: .zero))
        #expect(configuration.server.maxInFlight == 1_000_000)
        #expect(configuration.server.threads == 4)

        let digest: [UInt8] = [0x00, 0xFF] + [UInt8](repeating: 0, count: 29) + [0xA1]
        #expect(
            configuration.clients == [
                .init(
                    name: "team-a",
                    apiKeys: [.plain(Secret("from-a-file")), .sha256(digest)],
                    models: .only(["gpt-4o"])
                ),
                .init(name: "team-b", apiKeys: [.plain(Secret("aaaaaaaa"))], models: .all),
            ]
        )
        #expect(
            configuration.endpoints == [
                .init(
                    name: "west",
                    url: EndpointURL(scheme: .http, host: "::1", port: 8000),
                    credential: .apiKey(Secret("from-the-environment")),
                    timeouts: .init(
                        connect: .milliseconds(75),
                        firstByte: .seconds(3_600),
                        idle: .seconds(120),
                        total: .seconds(86_400)
                    ),
                    connections: .init(max: 1_000, http2: false, maxWait: .zero, maxWaiting: 0),
                    forwardHeaders: ["x-request-id", "x-ms-client-request-id"],
                    caFile: "/etc/sluice/ca.pem",
                    proxy: "http://proxy:3128"
                )
            ]
        )
        let deployment = GatewayConfiguration.Deployment(endpoint: "west", deployment: "gpt_4.o")
        #expect(configuration.models == [.init(name: "gpt-4o", deployments: [deployment])])
        #expect(configuration.log == .init(level: .trace, format: .text, access: false))
    }

    @Test("may share a value through an anchor")
    func anchors() throws {
        let configuration = try parseConfiguration(
            completedConfiguration("server: {heartbeat: &short 2s, idle_timeout: *short, drain: {grace: *short}}")
        ).get()
        #expect(configuration.server.heartbeat == .seconds(2))
        #expect(configuration.server.idleTimeout == .seconds(2))
        #expect(configuration.server.drain.grace == .seconds(2))
    }

    @Test("keeps a star that is not alone or is quoted")
    func stars() throws {
        let text = "clients: [{name: a, api_keys: [\"*aaaaaaa\", b*bbbbbb, '********'], models: \"*\"}]  # ***"
        let configuration = try parseConfiguration(completedConfiguration(text)).get()
        let keys = ["*aaaaaaa", "b*bbbbbb", "********"].map { GatewayConfiguration.APIKey.plain(Secret($0)) }
        #expect(configuration.clients.first?.apiKeys == keys)
        #expect(configuration.clients.first?.models == .all)
    }

    @Test("may begin with a byte order mark and end its lines as Windows does")
    func byteOrderMark() throws {
        let lines = completedConfiguration("listen: 0.0.0.0:1\nlog: {level: debug}").split(separator: "\n")
        let text = "\u{FEFF}" + lines.joined(separator: "\r\n")
        let configuration = try parseConfiguration(text).get()
        #expect(configuration.listen.port == 1)
        #expect(configuration.log.level == .debug)
        #expect(configurationErrors(of: text + "\r\nlag: 1") == "5:1: unknown key 'lag'; did you mean 'log'?")
    }
}
