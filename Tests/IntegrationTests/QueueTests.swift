internal import Foundation
internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    /// Requests that wait for capacity, at a deployment that takes one at a time.
    @Suite("Waiting for capacity")
    struct QueueTests {
        /// A stand-in whose answers wait until they are let go, in whatever order they came.
        private final class Slow: Sendable {
            let upstream: ScriptedUpstream
            private let permits = Mutex(0)

            init() throws {
                let permits = permits
                upstream = try ScriptedUpstream { connection in
                    while true {
                        let request = try connection.readRequest()
                        try wait(for: "a permit", until: .in(.seconds(60))) {
                            permits.withLock { count in
                                guard count > 0 else { return false }
                                count -= 1
                                return true
                            }
                        }
                        let text = "{\"echo\":\(request.body.count)}"
                        try connection.send(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
                        )
                    }
                }
            }

            func letGo(_ count: Int) { permits.withLock { $0 += count } }
        }

        private static func file(_ port: Int, queue: String, grace: String = "25s") -> String {
            """
            listen: 127.0.0.1:0
            admin: 127.0.0.1:0
            server: {threads: 1, drain: {lame_duck: 0s, grace: \(grace)}}
            clients:
              - {name: team-a, api_keys: [\(GatewayConfigurationText.key)], priority: 7}
              - {name: team-b, api_keys: [\(GatewayConfigurationText.otherKey)], priority: 1}
            endpoints:
              - {name: west, url: "http://127.0.0.1:\(port)", api_key: \(GatewayConfigurationText.upstreamKey)}
            models:
              - name: gpt-4o
                deployments: [{endpoint: west, deployment: gpt-4o, limits: {concurrent_requests: 1}}]
                queue: \(queue)

            """
        }

        /// Sends one, whose body tells it apart.
        private static func ask(
            _ gateway: Gateway,
            _ size: Int,
            key: String = GatewayConfigurationText.key
        ) throws -> Client {
            let client = try gateway.connect()
            let body = #"{"model":"gpt-4o","x":"\#(String(repeating: "x", count: size))"}"#
            try client.request("POST", "/openai/v1/chat/completions", body: Array(body.utf8), key: key)
            return client
        }

        private static func awaitWaiting(_ gateway: Gateway, _ count: Int) throws {
            try wait(for: "\(count) to wait") { try gateway.metric("sluice_queue_waiting") == count }
        }

        @Test("admits them by priority, then by age, each as soon as the one before it is done")
        func order() throws {
            let slow = try Slow()
            let gateway = try Gateway(
                file: Self.file(slow.upstream.port, queue: "{max_wait: 1m}"),
                upstream: slow.upstream
            )
            let first = try Self.ask(gateway, 1)
            try wait(for: "the first to run") { slow.upstream.requests.count == 1 }
            var others: [Client] = []
            for (size, key) in [
                (2, GatewayConfigurationText.key), (3, GatewayConfigurationText.key),
                (4, GatewayConfigurationText.otherKey), (5, GatewayConfigurationText.otherKey),
            ] {
                others.append(try Self.ask(gateway, size, key: key))
                try Self.awaitWaiting(gateway, others.count)
            }
            #expect(try gateway.admin("/status").text.contains("\"waiting\":4"))
            slow.letGo(5)
            for client in [first] + others { #expect(try client.response().status == 200) }
            let sizes = slow.upstream.requests.map { request in request.body.count { $0 == UInt8(ascii: "x") } - 1 }
            #expect(sizes == [1, 4, 5, 2, 3])
            #expect(try gateway.metric("sluice_queue_total", "outcome=\"admitted\"") == 4)
            #expect(try gateway.metric("sluice_queue_waiting") == 0)
        }

        @Test("refuses those whose time is over, with a wait in both fields, and no later")
        func expiry() throws {
            let slow = try Slow()
            let gateway = try Gateway(
                file: Self.file(slow.upstream.port, queue: "{max_wait: 400ms}"),
                upstream: slow.upstream
            )
            let first = try Self.ask(gateway, 1)
            try wait(for: "the first to run") { slow.upstream.requests.count == 1 }
            let start = ContinuousClock.now
            let response = try Self.ask(gateway, 2).response()
            let waited = ContinuousClock.now - start
            #expect(response.status == 429)
            #expect(response.errorCode == "429")
            #expect(response.text.contains("DeploymentsBusy"))
            #expect(response.header("retry-after") == "1")
            #expect(try #require(response.header("retry-after-ms").flatMap { Int($0) }) > 0)
            #expect(waited >= .milliseconds(390))
            slow.letGo(1)
            #expect(try first.response().status == 200)
            #expect(slow.upstream.requests.count == 1)
            #expect(try gateway.metric("sluice_queue_total", "outcome=\"expired\"") == 1)
        }

        @Test("forgets a client that leaves, and holds no more than its bound")
        func bounds() throws {
            let slow = try Slow()
            let gateway = try Gateway(
                file: Self.file(slow.upstream.port, queue: "{max_wait: 1m, max_waiting: 2}"),
                upstream: slow.upstream
            )
            let first = try Self.ask(gateway, 1)
            try wait(for: "the first to run") { slow.upstream.requests.count == 1 }
            let leaver = try Self.ask(gateway, 2)
            try Self.awaitWaiting(gateway, 1)
            let stayer = try Self.ask(gateway, 3)
            try Self.awaitWaiting(gateway, 2)
            #expect(try Self.ask(gateway, 4).response().status == 429, "no room")
            // One of a higher priority has the place of the youngest of the lowest.
            let high = try Self.ask(gateway, 5, key: GatewayConfigurationText.otherKey)
            #expect(try stayer.response().status == 429)
            leaver.socket.close()
            try Self.awaitWaiting(gateway, 1)
            slow.letGo(2)
            for client in [first, high] { #expect(try client.response().status == 200) }
            #expect(slow.upstream.requests.count == 2)
            for outcome in ["left", "full", "displaced", "admitted"] {
                #expect(try gateway.metric("sluice_queue_total", "outcome=\"\(outcome)\"") == 1, "\(outcome)")
            }
            try gateway.awaitIdle()
        }

        @Test("ends with a shutdown, and what runs may finish")
        func drain() throws {
            let slow = try Slow()
            let gateway = try Gateway(
                file: Self.file(slow.upstream.port, queue: "{max_wait: 1m}"),
                upstream: slow.upstream
            )
            let first = try Self.ask(gateway, 1)
            try wait(for: "the first to run") { slow.upstream.requests.count == 1 }
            let waiting = try Self.ask(gateway, 2)
            try Self.awaitWaiting(gateway, 1)
            gateway.process.signal(SIGTERM)
            let response = try waiting.response()
            #expect(response.status == 503)
            #expect(response.errorCode == "GatewayShuttingDown")
            slow.letGo(1)
            #expect(try first.response().status == 200)
            try wait(for: "the end") { gateway.process.exitStatus != nil }
        }
    }
}
