internal import TestSupport
internal import Testing

extension Integration {
    @Suite("A client that leaves")
    struct ClientLeavesTests {
        private static let event = "data: {\"a\":1}\n\n"

        @Test("in the middle of a stream has its upstream connection closed within 100 ms")
        func midStream() throws { try measure(streaming: true) }

        @Test("before the first byte has its upstream connection closed within 100 ms")
        func beforeTheFirstByte() throws { try measure(streaming: false) }

        private func measure(streaming: Bool) throws {
            let closed = Shared<[ContinuousClock.Instant]>([])
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                if streaming {
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\(Self.event)")
                }
                try connection.awaitClose()
                closed.change { $0.append(.now) }
            }
            let gateway = try Gateway(upstream: upstream)
            var latencies: [Duration] = []
            for number in 0..<5 {
                let client = try gateway.connect()
                try client.request("GET", "/openai/left/\(number)")
                if streaming {
                    var body = try BodyReader(client)
                    #expect(try body.read(atLeast: Self.event.utf8.count) == Array(Self.event.utf8))
                }
                try wait(for: "the request") { upstream.requests.count == number + 1 }
                let left = ContinuousClock.now
                // Two ways to leave; a reset must be noticed as well as an orderly end.
                if number % 2 == 0 { client.socket.close() } else { client.socket.reset() }
                try wait(for: "the end of the upstream connection") { closed.current.count == number + 1 }
                latencies.append(left.duration(to: closed.current[number]))
                let line = try gateway.accessLogLine(path: "/openai/left/\(number)")
                #expect(line["status"] as? Int == 499)
                #expect(line["error"] as? String == "client_left")
            }
            latencies.sort()
            print("client left \(streaming ? "mid-stream" : "before the first byte"): cancelled after \(latencies)")
            #expect(latencies[2] < .milliseconds(100), "median of \(latencies)")
            #expect(try gateway.metric("sluice_requests_total", "status=\"499\"") == 5)
            let (counted, not) = streaming ? ("2xx", "cancelled") : ("cancelled", "2xx")
            #expect(try gateway.metric("sluice_upstream_attempts_total", "result=\"\(counted)\"") == 5)
            #expect(try gateway.metric("sluice_upstream_attempts_total", "result=\"\(not)\"") == 0)
            try gateway.awaitIdle()
        }

        @Test(
            "in the middle of its own upload ends the upstream request too",
            arguments: ["application/json", "audio/wav"]
        )
        func midUpload(type: String) throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readHead()
                try connection.awaitClose()
            }
            let gateway = try Gateway(upstream: upstream)
            let client = try gateway.connect()
            try client.request("POST", "/openai/upload", headers: ["content-type: \(type)", "content-length: 1000"])
            try client.send(String(repeating: " ", count: 500))
            if type == "audio/wav" { try wait(for: "the upstream request") { upstream.openConnections == 1 } }
            client.socket.close()
            #expect(try gateway.accessLogLine(path: "/openai/upload")["status"] as? Int == 499)
            try wait(for: "no upstream connection") { upstream.openConnections == 0 }
            try gateway.awaitIdle()
        }
    }
}
