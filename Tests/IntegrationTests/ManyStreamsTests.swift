internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Many streams")
    struct ManyStreamsTests {
        /// Sanitizers slow everything down many times; what they look for shows with fewer streams, too.
        private static let streams = Build.kind == .sanitized ? 300 : 2_000
        /// Prompt filter, role, words, finish; `[DONE]` comes on top.
        private static let events = 100

        /// KiB over rest that an open stream may cost. The bar is for what is shipped: a debug build keeps more on its
        /// unoptimised frames and in boxes that the optimiser removes. Sanitizers keep shadows and freed memory besides.
        private static var bound: Int? {
            switch Build.kind {
            case .release: 32
            case .debug: 96
            case .sanitized: nil
            }
        }

        @Test("run at once, each with its own 100 events in order")
        func manyStreams() throws {
            try OpenDescriptors.raiseLimit(to: 8_192)
            let mock = try MockAzure()
            var configuration = GatewayConfigurationText()
            configuration.endpoint = ["connections: {max: 4096}"]
            configuration.top = ["log: {access: false}"]
            let gateway = try Gateway(configuration, upstream: mock)

            let reference = try Self.referenceBody(gateway)
            let pattern = try StreamPattern(reference: reference, events: Self.events)
            try gateway.awaitIdle()
            let rest = gateway.process.residentBytes

            // The first words wait until all streams are open.
            let request = Self.request(faults: "first-token=5000,interval=20")
            let clients = ParallelClients(
                try (0..<Self.streams).map { _ in try TCPSocket.connect(port: gateway.port) }
            )
            try clients.sendToAll(request)
            var most = 0
            try clients.run(until: .in(.seconds(120))) {
                if clients.begun == Self.streams { most = max(most, gateway.process.residentBytes - rest) }
            }
            #expect(clients.begun == Self.streams)
            #expect(try gateway.metric("sluice_requests_total", "status=\"2xx\"") == Self.streams + 1)

            var wrong: [String] = []
            for number in 0..<Self.streams {
                let client = Client(try TCPSocket.replaying(clients.received(number)))
                let response = try client.response()
                if response.status != 200 { wrong.append("stream \(number): status \(response.status)") }
                if let difference = pattern.difference(response.body) {
                    wrong.append("stream \(number): \(difference)")
                }
            }
            #expect(wrong.isEmpty, "\(wrong.count) streams: \(wrong.prefix(5))")

            let perStream = most / Self.streams
            print(
                "2,000 open streams: \(perStream) bytes each over a rest of \(rest / 1_024) KiB (\(Build.kind) build)"
            )
            if let bound = Self.bound { #expect(perStream <= bound * 1_024) }
            try gateway.awaitIdle()
        }

        private static func request(faults: String) -> [UInt8] {
            // Without the three events that are no words.
            let body = """
                {"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Say a lot."}],\
                "user":"mock:tokens=\(events - 3),\(faults)"}
                """
            return Client.bytes(
                "POST",
                "/openai/v1/chat/completions",
                headers: ["connection: close"],
                body: Array(body.utf8)
            )
        }

        private static func referenceBody(_ gateway: Gateway) throws -> [UInt8] {
            let client = try gateway.connect()
            try client.send(request(faults: "interval=0"))
            return try client.response().body
        }
    }
}
