internal import Glibc
internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Backpressure")
    struct BackpressureTests {
        private static let clients = 20
        private static let answerBytes = 50_000_000

        @Test("holds up the upstream of a client that reads nothing, and its stream costs less than 256 KiB")
        func unreadStreams() throws {
            let sent = Shared([Int](repeating: 0, count: Self.clients))
            let isOver = Flag()
            let upstream = try ScriptedUpstream { connection in
                let number = Int(try connection.readRequest().target.split(separator: "/").last ?? "") ?? 0
                try connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: \(Self.answerBytes)\r\n\r\n"
                )
                let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 64_000)
                while sent.current[number] < Self.answerBytes, !isOver.isUp {
                    // Nothing is taken for a while when it is held up; the test's end raises the flag.
                    let count = try piece.withUnsafeBytes { bytes in
                        do {
                            return try connection.socket.trySend(bytes, until: .in(.milliseconds(100)))
                        } catch is TimedOut {
                            return 0
                        }
                    }
                    sent.change { $0[number] += count }
                }
            }
            var configuration = GatewayConfigurationText()
            configuration.server = ["heartbeat: 5m"]
            let gateway = try Gateway(configuration, upstream: upstream)
            let warmUp = try gateway.connect()
            try warmUp.request("GET", "/openai/models", key: "nobody")
            #expect(try warmUp.response().status == 401)
            let rest = gateway.process.residentBytes

            let clients = try (0..<Self.clients).map { _ in try gateway.connect(receiveBuffer: 4_096) }
            for (number, client) in clients.enumerated() { try client.request("GET", "/openai/stream/\(number)") }
            // Held up: half a second without a byte, which is more than any pause of a busy machine.
            var before: [Int] = []
            var since = ContinuousClock.now
            try wait(for: "the upstreams to be held up", until: .in(.seconds(30))) {
                let now = sent.current
                if now != before { (before, since) = (now, .now) }
                return now.allSatisfy { $0 > 0 } && since.duration(to: .now) > .milliseconds(500)
            }
            let growth = (gateway.process.residentBytes - rest) / Self.clients
            print(
                "client that reads nothing: \(growth) bytes each; \(before.max() ?? 0) bytes left the upstream at most"
            )
            // What left is in the kernel's buffers of two connections.
            #expect(before.allSatisfy { $0 < Self.answerBytes / 2 })
            if Build.kind != .sanitized { #expect(growth < 256 << 10) }

            // Whoever reads again gets everything.
            let response = try clients[0].response(until: .in(.seconds(60)))
            #expect(response.body.count == Self.answerBytes)
            isOver.raise()
            for client in clients { client.socket.close() }
            try gateway.awaitIdle()
        }

        @Test("lets a client that reads slowly have every byte in order")
        func slowReader() throws {
            let upstream = try PiecewiseUpstream()
            var random = SplitMix(seed: 8)
            let bytes = (0..<400_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            upstream.set(.init(pieces: bytes.pieces(ofAtMost: 30_000, seed: 9), framing: .chunked))
            let client = try Gateway(upstream: upstream.server).connect(receiveBuffer: 4_096)
            try client.request("GET", "/openai/stream")
            let isSame = try client.response(until: .in(.seconds(60))).body == bytes
            #expect(isSame)
        }
    }
}
