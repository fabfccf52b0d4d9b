internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    /// `make reload-load` makes it 100 times in a minute with 200 streams open.
    @Suite("Reload under load")
    struct ReloadUnderLoadTests {
        private static let environment = ProcessInfo.processInfo.environment
        private static let reloads = environment["SLUICE_RELOADS"].flatMap { Int($0) } ?? 12
        private static let streams = environment["SLUICE_RELOAD_STREAMS"].flatMap { Int($0) } ?? 40
        /// Between two reloads, in milliseconds.
        private static let pause = environment["SLUICE_RELOAD_PAUSE"].flatMap { Int($0) } ?? 20
        /// Words of one stream; one comes every 40 ms.
        private static let words = environment["SLUICE_RELOAD_WORDS"].flatMap { Int($0) } ?? 150

        /// Each version has another limit, and another endpoint by name and by address of its connections.
        private static func file(_ upstream: any Upstream, version: Int) -> String {
            let endpoint = "west-\(version % 2)"
            return
                ([
                    "listen: 127.0.0.1:0", "admin: 127.0.0.1:0", "log: {access: false}",
                    "clients:",
                    "  - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], limits: {requests_per_minute: \(100_000 + version)}}",
                    "endpoints:",
                    "  - {name: \(endpoint), url: \"http://127.0.0.1:\(upstream.port)\", api_key: \(GatewayConfigurationText.upstreamKey), connections: {max: \(4096 + version)}}",
                    "models:",
                    "  - {name: gpt-4o, deployments: [{endpoint: \(endpoint), deployment: gpt-4o}]}",
                ]).joined(separator: "\n") + "\n"
        }

        private static func stream(words: Int) -> [UInt8] {
            let body = """
                {"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Say a lot."}],\
                "user":"mock:tokens=\(words),interval=40"}
                """
            return Client.bytes(
                "POST",
                "/openai/v1/chat/completions",
                headers: ["connection: close"],
                body: Array(body.utf8)
            )
        }

        @Test("fails no exchange, loses no count and keeps no memory")
        func reloadUnderLoad() throws {
            try OpenDescriptors.raiseLimit(to: 8_192)
            let upstream = try MockAzure()
            let gateway = try Gateway(file: Self.file(upstream, version: 0), upstream: upstream)
            // Every endpoint has been used once before memory is compared.
            for version in 1...2 { try Self.reload(gateway, upstream, to: version) }
            try Self.run(gateway, streams: Self.streams, words: 5)
            let rest = gateway.process.residentBytes

            let clients = ParallelClients(
                try (0..<Self.streams).map { _ in try TCPSocket.connect(port: gateway.port) }
            )
            try clients.sendToAll(Self.stream(words: Self.words))
            let start = ContinuousClock.now
            var next = start
            var time = Duration.zero
            var done = 0
            try clients.run(until: .in(.seconds(300))) {
                guard done < Self.reloads, ContinuousClock.now >= next else { return }
                next = .now + .milliseconds(Self.pause)
                try Self.reload(gateway, upstream, to: 3 + done)
                // A request that begins between two configurations.
                let client = try gateway.connect()
                try client.send(Self.stream(words: 1))
                #expect(try client.response().status == 200)
                done += 1
                time = ContinuousClock.now - start
            }
            #expect(done == Self.reloads, "the streams were open all the time")
            for number in 0..<Self.streams {
                let response = try Client(try TCPSocket.replaying(clients.received(number))).response()
                #expect(response.status == 200)
                #expect(response.text.hasSuffix("data: [DONE]\n\n"), "stream \(number)")
            }
            try gateway.awaitIdle()
            let all = 2 * Self.streams + done
            #expect(try gateway.metric("sluice_requests_total") == all)
            #expect(try gateway.metric("sluice_requests_total", "status=\"2xx\"") == all)
            #expect(try gateway.metric("sluice_upstream_attempts_total", "result=\"2xx\"") == all)
            #expect(try gateway.metric("sluice_configuration_reloads_total", "taken_up") == Self.reloads + 2)
            try Self.run(gateway, streams: Self.streams, words: 5)
            let growth = gateway.process.residentBytes - rest
            print(
                "\(Self.reloads) reloads in \(time) with \(Self.streams) streams open: memory grew by \(growth / 1024) KiB"
            )
            // Half a snapshot of each reload would be more.
            #expect(growth < 16 << 20)
        }

        private static func reload(_ gateway: Gateway, _ upstream: any Upstream, to version: Int) throws {
            let before = try gateway.metric("sluice_configuration_reloads_total", "taken_up")
            try gateway.rewrite(file(upstream, version: version))
            gateway.process.signal(SIGHUP)
            try wait(for: "version \(version)") {
                try gateway.metric("sluice_configuration_reloads_total", "taken_up") > before
            }
        }

        private static func run(_ gateway: Gateway, streams: Int, words: Int) throws {
            let clients = ParallelClients(try (0..<streams).map { _ in try TCPSocket.connect(port: gateway.port) })
            try clients.sendToAll(stream(words: words))
            try clients.run(until: .in(.seconds(120))) {}
            try gateway.awaitIdle()
        }
    }
}
