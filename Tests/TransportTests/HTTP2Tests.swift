import NIOCore
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("HTTP/2")
    struct HTTP2Tests {
        private func client(
            _ nginx: Nginx,
            _ engine: Engine,
            _ adjust: (inout OriginConfiguration) -> Void = { _ in }
        ) -> Client {
            engine.client("https://127.0.0.1:\(nginx.http2)") {
                $0.caFile = nginx.caFile
                $0.http2 = true
                adjust(&$0)
            }
        }

        @Test("It is spoken when configured and offered, and only then")
        func negotiation() async throws {
            try await withNginx { nginx, engine in
                let both = client(nginx, engine)
                let configured = try await both.send("GET", "/protocol")
                #expect(configured.text == "HTTP/2.0")
                let notConfigured = client(nginx, engine) { $0.http2 = false }
                let unconfigured = try await notConfigured.send("GET", "/protocol")
                #expect(unconfigured.text == "HTTP/1.1")
                let notOffered = engine.client("https://127.0.0.1:\(nginx.tls)") {
                    $0.caFile = nginx.caFile
                    $0.http2 = true
                }
                let unoffered = try await notOffered.send("GET", "/protocol")
                #expect(unoffered.text == "HTTP/1.1")
            }
        }

        @Test("Transfers after each other share one connection")
        func multiplex() async throws {
            try await withNginx { nginx, engine in
                let client = client(nginx, engine) { $0.maxConnections = 1 }
                let first = try await client.send("GET", "/connection")
                #expect(first.error == nil)
                var probes: [Probe] = []
                for _ in 0..<60 { probes.append(try await client.start("GET", "/connection")) }
                for probe in probes {
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.text == first.text, "another connection served it")
                }
            }
        }

        @Test("A burst uses no more connections than allowed, with one stream on each at a time")
        func burst() async throws {
            try await withNginx { nginx, engine in
                let client = client(nginx, engine) { $0.maxConnections = 4 }
                var probes: [Probe] = []
                for _ in 0..<40 { probes.append(try await client.start("GET", "/connection")) }
                #expect(try await client.running() <= 4)
                var connections: Set<String> = []
                for probe in probes {
                    let record = try await probe.end()
                    #expect(record.isComplete)
                    connections.insert(record.text)
                }
                #expect((1...4).contains(connections.count))
            }
        }

        @Test("Bodies go up from memory and as streams with pauses, whole")
        func upload() async throws {
            try await withNginx { nginx, engine in
                let client = client(nginx, engine)
                let body = patternBytes(count: 1_000_003)
                let fromMemory = try await client.send("PUT", "/uploads/memory", body: .memory(body))
                #expect(fromMemory.error == nil)
                #expect(try nginx.uploaded("memory") == body)
                for length in [body.count, nil] as [Int?] {
                    let name = length == nil ? "unknown" : "known"
                    let probe = try await client.start("PUT", "/uploads/\(name)", body: .stream(length: length))
                    for start in stride(from: 0, to: body.count, by: 250_001) {
                        try await probe.until("the body is paused") { $0.uploadPauses > start / 250_001 }
                        try await probe.feed(Array(body[start..<min(start + 250_001, body.count)]), client)
                    }
                    try await probe.finishUpload(client)
                    #expect(try await probe.end().isComplete)
                    #expect(try nginx.uploaded(name) == body)
                }
            }
        }

        @Test("Cancelling one transfer leaves the others alone")
        func cancelOne() async throws {
            try await withNginx { nginx, engine in
                try nginx.write("slow", patternBytes(count: 400_000))
                let client = client(nginx, engine)
                let victim = try await client.start("GET", "/slow/slow")
                let other = try await client.start("GET", "/slow/slow")
                try await victim.until("its body begins") { !$0.body.isEmpty }
                try await other.until("its body begins") { !$0.body.isEmpty }
                try await victim.cancel(client)
                #expect(try await victim.end().error?.code == .cancelled)
                let had = other.now.body.count
                try await other.until("its body goes on") { $0.body.count > had }
                try await other.cancel(client)
            }
        }

        @Test("Paused transfers get their own bytes, each once")
        func sharedPauses() async throws {
            try await withNginx { nginx, engine in
                let body = patternBytes(count: 200_003)
                try nginx.write("file", body)
                let client = client(nginx, engine) { $0.maxConnections = 8 }
                var probes: [Probe] = []
                for _ in 0..<150 {
                    let pieces = Mutex(0)
                    let probe = Probe(onBody: { transfer, _ in
                        let count = pieces.withLock {
                            $0 += 1
                            return $0
                        }
                        guard count % 3 == 0 else { return .taken }
                        let bound = NIOLoopBound(transfer, eventLoop: client.loop.eventLoop)
                        client.loop.eventLoop.execute { bound.value.resumeReceiving() }
                        return .pause
                    })
                    probes.append(try await client.start("GET", "/file", probe))
                }
                for probe in probes {
                    let record = try await probe.end()
                    #expect(record.isComplete)
                    let isWhole = record.body == body
                    #expect(isWhole, "\(record.body.count) bytes instead of \(body.count)")
                }
            }
        }

        @Test(
            "A paused transfer keeps its connection to itself, so it cannot hold up the others",
            arguments: [8_000_000, 80_000_000]
        )
        func headOfLine(_ size: Int) async throws {
            try await withNginx { nginx, engine in
                try nginx.write("large", [UInt8](repeating: 0x61, count: size))
                let client = client(nginx, engine)
                let connection = try await client.send("GET", "/connection").text
                let isOpen = Mutex(false)
                let paused = Probe(onBody: { _, _ in isOpen.withLock { $0 } ? .taken : .pause })
                try await client.start("GET", "/large", paused)
                try await paused.until("it is paused") { $0.pieces == 1 }

                var served = 0
                for _ in 0..<5 {
                    let probe = try await client.start("GET", "/connection")
                    do {
                        try await eventually("served beside a paused transfer", within: 5) { probe.now.ends > 0 }
                        if probe.now.isComplete, probe.now.text != connection { served += 1 }
                    } catch is TimedOut {
                        try await probe.cancel(client)
                    }
                }
                #expect(served == 5, "served on another connection while one transfer was paused")

                isOpen.withLock { $0 = true }
                try await paused.resume(client)
                let record = try await paused.end()
                #expect(record.error == nil)
                #expect(record.body.count == size)
            }
        }
    }
}
