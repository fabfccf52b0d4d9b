internal import Glibc
internal import Testing

extension Integration {
    @Suite("The heartbeat")
    struct HeartbeatTests {
        private static let ping = ": ping\n\n"
        private static let interval = Duration.milliseconds(200)

        private func gateway(_ upstream: ScriptedUpstream) throws -> Gateway {
            var configuration = GatewayConfigurationText()
            configuration.server = ["heartbeat: 200ms"]
            return try Gateway(configuration, upstream: upstream)
        }

        @Test("comes between events while the upstream is silent, and changes no event")
        func betweenEvents() throws {
            let events = ["data: {\"a\":1}\n\n", "event: x\r\ndata: {\"b\":2}\r\n\r\n", "data: [DONE]\n\n"]
            let goOn = [Flag(), Flag(), Flag()]
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                for (event, flag) in zip(events, goOn) {
                    try flag.await("the client's word")
                    try connection.send(event)
                }
            }
            let gateway = try gateway(upstream)
            let client = try gateway.connect()
            try client.request("GET", "/openai/stream")
            var body = try BodyReader(client)
            var received: [UInt8] = []
            for (index, flag) in goOn.enumerated() {
                // Before the first event and between any two: two comments each, then the upstream may go on.
                let pings = try body.read(atLeast: 2 * Self.ping.utf8.count)
                #expect(String(decoding: pings, as: UTF8.self) == Self.ping + Self.ping)
                flag.raise()
                var event: [UInt8] = []
                while event.count < events[index].utf8.count, let more = try body.next() { event += more }
                received += event
            }
            #expect(String(decoding: received, as: UTF8.self).replacing(Self.ping) == events.joined())
            #expect(try body.readToEnd().isEmpty)
            #expect(try gateway.metric("sluice_heartbeats_total") >= 6)
        }

        @Test(
            "never comes inside an event",
            arguments: [
                "data: {\"a\"", "data: {\"a\":1}", "data: {\"a\":1}\n", "data: {\"a\":1}\r", "data: {\"a\":1}\r\n",
                "event: x\n",
            ]
        )
        func insideAnEvent(start: String) throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 0\n\n\(start)")
                // The silence itself is what is tested: three times the interval.
                usleep(600_000)
                try connection.send("\n\ndata: 2\n\n")
            }
            let client = try gateway(upstream).connect()
            try client.request("GET", "/openai/stream")
            #expect(try client.response().text == "data: 0\n\n\(start)\n\ndata: 2\n\n")
        }

        @Test("never comes in an answer that is no event stream")
        func noStream() throws {
            let upstream = try ScriptedUpstream { connection in
                _ = try connection.readRequest()
                try connection.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
                usleep(600_000)
                try connection.send("{}")
            }
            let client = try gateway(upstream).connect()
            try client.request("GET", "/openai/json")
            #expect(try client.response().text == "{}")
        }
    }
}

extension String {
    /// Without every occurrence of a text.
    fileprivate func replacing(_ text: String) -> String { replacing(text, with: "") }
}
