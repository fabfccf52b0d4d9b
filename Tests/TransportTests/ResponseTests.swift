import NIOCore
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("A response as it comes")
    struct ResponseTests {
        @Test("Head and each piece of the body are heard as soon as the server has sent them")
        func atOnce() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let probe = try await engine.client(server.base).start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nX-A: b\r\n\r\n")
                    try await probe.until("the head is heard") { $0.heads == 1 }
                    #expect(probe.now.fields == ["transfer-encoding: chunked", "X-A: b"])
                    #expect(probe.now.body.isEmpty)
                    for piece in ["d", "ata: 1", "\n\n"] {
                        let before = probe.now.text
                        connection.send("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
                        try await probe.until("a piece is heard") { $0.text == before + piece }
                    }
                    try await probe.until("each piece ends a turn") { $0.turns >= 3 }
                    #expect(probe.now.ends == 0)
                    connection.send("0\r\n\r\n")
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.text == "data: 1\n\n")
                    #expect(record.ends == 1)
                }
            }
        }

        @Test("A body byte that comes with half a chunk is not held back")
        func halfChunk() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let probe = try await engine.client(server.base).start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA\r\n12345")
                    try await probe.until("half a chunk is heard") { $0.text == "12345" }
                    connection.send("67890\r\n0\r\n\r\n")
                    #expect(try await probe.end().text == "1234567890")
                }
            }
        }

        @Test("A response that comes byte by byte is the same as one that comes at once")
        func byteByByte() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    let response =
                        "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                        + "a: b\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
                    for byte in response.utf8 {
                        connection.send([byte])
                        // The next byte only when this one is on its way: pieces of one byte each.
                        try await connection.channel.eventLoop.submit {}.get()
                    }
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.heads == 1)
                    #expect(record.status == 200)
                    #expect(record.fields == ["Transfer-Encoding: chunked", "a: b"])
                    #expect(record.text == "hello world")
                }
            }
        }

        @Test("Bodies are not decoded")
        func notDecoded() async throws {
            try await withNginx { nginx, engine in
                let body = [0x1F, 0x8B, 0x08, 0x00] + patternBytes(count: 500)
                try nginx.write("z.gz", body)
                let record = try await engine.client("http://127.0.0.1:\(nginx.plain)").send(
                    "GET",
                    "/zipped/z.gz",
                    headers: [("Accept-Encoding", "gzip")]
                )
                #expect(record.error == nil)
                #expect(record.fields.contains { $0.lowercased() == "content-encoding: gzip" })
                #expect(record.body == body)
            }
        }

        @Test("Redirects are passed on, not followed", arguments: ["301", "302", "303", "307", "308"])
        func notFollowed(_ status: String) async throws {
            let answer: ScriptedServer.Answer = { connection, _ in
                connection.send("HTTP/1.1 \(status) Moved\r\nLocation: /elsewhere\r\ncontent-length: 2\r\n\r\nno")
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send("POST", body: .text("x"))
                    #expect(record.error == nil)
                    #expect(String(record.status) == status)
                    #expect(record.text == "no")
                    #expect(!(try await server.connection().received.contains("/elsewhere")))
                }
            }
        }

        @Test(
            "Responses without a body end with their head",
            arguments: [
                "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            ]
        )
        func noBody(_ response: String) async throws {
            let answer: ScriptedServer.Answer = { connection, _ in connection.send(response) }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    for _ in 0..<2 {
                        let record = try await client.send()
                        #expect(record.error == nil)
                        #expect(record.heads == 1)
                        #expect(record.body.isEmpty)
                    }
                    #expect(server.connectionCount == 1)
                }
            }
        }

        @Test("A body without length ends with its connection")
        func untilClose() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in
                connection.send("HTTP/1.0 200 OK\r\n\r\nall of it")
                connection.close()
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send()
                    #expect(record.error == nil)
                    #expect(record.text == "all of it")
                }
            }
        }
    }
}

extension EngineTests {
    @Suite("Pause and resume")
    struct PauseTests {
        /// Pauses before every piece and asks to go on at the end of the turn, or from outside.
        private final class Stop: Sendable {
            private let held = Mutex(false)

            /// Every second call says pause: the piece that was not taken comes again and is taken then.
            func disposition() -> BodyDisposition {
                held.withLock {
                    $0.toggle()
                    return $0 ? .pause : .taken
                }
            }
        }

        @Test("Paused at every piece and resumed from outside, nothing is lost, doubled or reordered")
        func fromOutside() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let stop = Stop()
                    let probe = Probe(onBody: { _, _ in stop.disposition() })
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    let body = patternBytes(count: 300_000)
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(body.count)\r\n\r\n")
                    connection.send(body)
                    var paused = 0
                    while probe.now.ends == 0 {
                        try await probe.until("the body pauses or ends") { $0.pieces > paused || $0.ends > 0 }
                        paused = probe.now.pieces
                        try await probe.resume(client)
                    }
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.body == body)
                    #expect(record.pieces > 20)
                }
            }
        }

        @Test("A body of megabytes that is paused at every piece and resumed at once arrives whole, on every protocol")
        func largeOnEveryProtocol() async throws {
            try await withNginx { nginx, engine in
                let body = patternBytes(count: 6_000_011)
                try nginx.write("large", body)
                for base in [
                    "http://127.0.0.1:\(nginx.plain)", "https://127.0.0.1:\(nginx.tls)",
                    "https://127.0.0.1:\(nginx.http2)",
                ] {
                    let client = engine.client(base) {
                        $0.caFile = nginx.caFile
                        $0.http2 = true
                    }
                    let stop = Stop()
                    let probe = Probe(
                        onBody: { _, _ in stop.disposition() },
                        onTurnEnded: { transfer in
                            let eventLoop = transfer.origin.loop.eventLoop
                            let bound = NIOLoopBound(transfer, eventLoop: eventLoop)
                            eventLoop.execute { bound.value.resumeReceiving() }
                        }
                    )
                    let record = try await client.send("GET", "/large", probe)
                    #expect(record.error == nil, "\(base)")
                    #expect(record.body == body, "\(base)")
                    #expect(record.pieces > 300, "\(base)")
                }
            }
        }

        @Test("A reader that resumes in the very turn in which it paused makes progress without growing the stack")
        func withinTheTurn() async throws {
            try await withNginx { nginx, engine in
                let body = patternBytes(count: 8_000_000)
                try nginx.write("large", body)
                let stop = Stop()
                let depth = Mutex((now: 0, most: 0))
                let probe = Probe(
                    onBody: { _, _ in stop.disposition() },
                    onTurnEnded: { transfer in
                        depth.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        transfer.resumeReceiving()
                        depth.withLock { $0.now -= 1 }
                    }
                )
                let record = try await engine.client("http://127.0.0.1:\(nginx.plain)").send("GET", "/large", probe)
                #expect(record.error == nil)
                #expect(record.body == body)
                #expect(depth.withLock { $0.most } <= 2)
            }
        }

        @Test("Resuming what is not paused, or has ended, does nothing")
        func needless() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start()
                    try await probe.resume(client)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
                    try await probe.until("the first half is heard") { $0.text == "ab" }
                    try await probe.resume(client)
                    connection.send("cd")
                    #expect(try await probe.end().text == "abcd")
                    try await probe.resume(client)
                    #expect(probe.now.ends == 1)
                    #expect(!probe.now.heardAfterEnd)
                }
            }
        }

        @Test("A paused transfer does not stop the others of its loop")
        func othersGoOn() async throws {
            let answer: ScriptedServer.Answer = { connection, request in
                connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + (request.target == "/slow" ? "lo" : "ok")
                )
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let isOpen = Mutex(false)
                    let slow = Probe(onBody: { _, _ in isOpen.withLock { $0 } ? .taken : .pause })
                    try await client.start("GET", "/slow", slow)
                    try await slow.until("the slow one is paused") { $0.pieces == 1 }
                    for _ in 0..<20 { #expect(try await client.send("GET", "/fast").text == "ok") }
                    #expect(slow.now.ends == 0)
                    isOpen.withLock { $0 = true }
                    try await slow.resume(client)
                    #expect(try await slow.end().text == "lo")
                    #expect(server.connectionCount == 2)
                }
            }
        }
    }
}
