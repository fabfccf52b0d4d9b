import NIOCore
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("Cancelling a transfer")
    struct CancelTests {
        /// Whether the record is that of a transfer that was cancelled once and then heard nothing.
        private func expectCancelled(_ record: Probe.Record, reached: Bool = true) {
            #expect(record.error?.code == .cancelled)
            #expect(record.error?.blame == .caller)
            #expect(record.error?.mayHaveReachedServer == reached)
            #expect(record.ends == 1)
            #expect(!record.heardAfterEnd)
        }

        @Test("Before the head: the end is heard from inside the call, and the connection is closed")
        func beforeHead() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    let endsInside = try await client.onLoop { _ in
                        probe.transfer?.cancel()
                        return probe.now.ends
                    }
                    #expect(endsInside == 1)
                    expectCancelled(probe.now)
                    try await connection.ended()
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("Before anything was sent the server cannot know of it")
        func whileConnecting() async throws {
            let port = LoopbackPort.unanswering()
            let base = "http://127.0.0.1:\(port.port)"
            try await withEngine { engine in
                let client = engine.client(base)
                let probe = try await client.start()
                try await probe.cancel(client)
                expectCancelled(try await probe.end(), reached: false)
            }
        }

        @Test("While it waits for a connection it leaves the line, and those behind it are served")
        func whileWaiting() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 1 }
                    let first = try await client.start("GET", "/first")
                    let second = try await client.start("GET", "/second")
                    let third = try await client.start("GET", "/third")
                    try await second.cancel(client)
                    expectCancelled(try await second.end(), reached: false)
                    #expect(try await client.waiting() == 1)
                    let connection = try await server.connection()
                    for target in ["/first", "/third"] {
                        try await connection.receive("GET \(target) ")
                        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    }
                    #expect(try await first.end().isComplete)
                    #expect(try await third.end().isComplete)
                    #expect(!connection.received.contains("/second"))
                }
            }
        }

        @Test("In the middle of a body the connection is closed at once")
        func inBody() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                    try await probe.until("half is heard") { $0.text == "half" }
                    let start = NIODeadline.now()
                    try await probe.cancel(client)
                    try await connection.ended()
                    #expect(.now() - start < .seconds(2))
                    connection.send("more")
                    expectCancelled(try await probe.end())
                }
            }
        }

        @Test("While it is paused")
        func whilePaused() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start("GET", "/", Probe(onBody: { _, _ in .pause }))
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                    try await probe.until("it is paused") { $0.pieces == 1 }
                    try await probe.cancel(client)
                    expectCancelled(try await probe.end())
                    try await connection.ended()
                }
            }
        }

        @Test("While the request body is paused")
        func whileUploading() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start("POST", body: .stream(length: 100))
                    try await probe.feed(Array("half".utf8), client)
                    let connection = try await server.connection()
                    try await connection.receive("half")
                    try await probe.cancel(client)
                    expectCancelled(try await probe.end())
                    try await connection.ended()
                }
            }
        }

        @Test("From inside the callback for the head")
        func insideHead() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let endsInside = Mutex(-1)
                    let probes = Mutex<[Probe]>([])
                    let probe = Probe(onHead: { transfer in
                        transfer.cancel()
                        transfer.cancel()
                        endsInside.withLock { $0 = probes.withLock { $0[0] }.now.ends }
                    })
                    probes.withLock { $0.append(probe) }
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody")
                    let record = try await probe.end()
                    expectCancelled(record)
                    #expect(record.heads == 1)
                    #expect(record.pieces == 0)
                    #expect(endsInside.withLock { $0 } == 0, "the end comes when libcurl has returned")
                    probes.withLock { $0 = [] }  // the probe's own closure holds them
                    try await connection.ended()
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("From inside the callback for the body", arguments: [BodyDisposition.taken, .pause])
        func insideBody(_ disposition: BodyDisposition) async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = Probe(onBody: { transfer, _ in
                        transfer.cancel()
                        return disposition
                    })
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody")
                    let record = try await probe.end()
                    expectCancelled(record)
                    #expect(record.pieces == 1)
                    try await connection.ended()
                }
            }
        }

        @Test("From inside the callback for the end of a turn")
        func insideTurnEnded() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = Probe(onTurnEnded: { $0.cancel() })
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo")
                    let record = try await probe.end()
                    expectCancelled(record)
                    #expect(record.turns == 1)
                    try await connection.ended()
                }
            }
        }

        @Test("From inside another transfer's callback")
        func insideAnother() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 2 }
                    let running = try await client.start("GET", "/running")
                    try await server.connection(0).receive()
                    let waiting = Probe()
                    let acting = Probe(onHead: { _ in
                        running.transfer?.cancel()
                        waiting.transfer?.cancel()
                    })
                    try await client.start("GET", "/acting", acting)
                    try await client.start("GET", "/waiting", waiting)
                    let connection = try await server.connection(1)
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    #expect(try await acting.end().text == "ok")
                    expectCancelled(try await running.end())
                    expectCancelled(try await waiting.end(), reached: false)
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("From inside its own end, and after it, a cancel does nothing")
        func afterEnd() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in connection.send("HTTP/1.1 204 No Content\r\n\r\n") }
            try await withServer(answer: answer) {
                server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = Probe(onEnd: { $0.cancel() })
                    let record = try await client.send("GET", "/", probe)
                    #expect(record.error == nil)
                    try await probe.cancel(client)
                    #expect(probe.now.ends == 1)
                    #expect(try await client.send().isComplete)
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("A cancelled transfer's place goes to the next in line")
        func freesThePlace() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 1 }
                    let first = try await client.start("GET", "/first")
                    let second = try await client.start("GET", "/second")
                    try await server.connection(0).receive("GET /first ")
                    try await first.cancel(client)
                    let connection = try await server.connection(1)
                    try await connection.receive("GET /second ")
                    connection.send("HTTP/1.1 204 No Content\r\n\r\n")
                    #expect(try await second.end().isComplete)
                    expectCancelled(first.now)
                }
            }
        }

        @Test("A handshake that hangs does not hold up the next transfer, nor does its cancel")
        func hangingHandshake() async throws {
            // With HTTP/2 on offer libcurl could let the second wait until the first knows the protocol.
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client("https://127.0.0.1:\(server.port)") { $0.http2 = true }
                    let first = try await client.start()
                    let second = try await client.start()
                    for index in 0..<2 {
                        try await eventually("handshake \(index) begins") {
                            server.accepted(index)?.receivedBytes.isEmpty == false
                        }
                    }
                    try await first.cancel(client)
                    expectCancelled(try await first.end(), reached: false)
                    #expect(second.now.ends == 0)
                    try await second.cancel(client)
                    expectCancelled(try await second.end(), reached: false)
                }
            }
        }
    }
}
