import NIOCore
import TestSupport
import Testing

@testable import Transport

extension EngineTests {
    @Suite("Connecting and time limits")
    struct TimeoutTests {
        /// Runs one request that must fail, and tells how long it took.
        private func failure(
            _ base: String,
            timeouts: TransferTimeouts = .generous,
            _ adjust: (inout OriginConfiguration) -> Void = { _ in }
        ) async throws -> (error: TransferError?, took: TimeAmount) {
            var result: (TransferError?, TimeAmount) = (nil, .zero)
            try await withEngine { engine in
                let start = NIODeadline.now()
                let client = engine.client(base, timeouts: timeouts, adjust)
                let record = try await client.send("POST", body: .text("b"))
                result = (record.error, .now() - start)
                #expect(record.ends == 1)
                #expect(record.heads == 0)
                #expect(!record.heardAfterEnd)
                #expect(try await client.running() == 0)
            }
            return result
        }

        @Test("A refused connection is connect_failed at once")
        func refused() async throws {
            let port = LoopbackPort.refusing()
            let (error, took) = try await failure("http://127.0.0.1:\(port.port)")
            #expect(error?.code == .connect)
            #expect(error?.blame == .upstream)
            #expect(error?.mayHaveReachedServer == false)
            #expect(took < .seconds(5))
        }

        @Test("A name that does not exist is resolve_failed")
        func unresolvable() async throws {
            let (error, _) = try await failure("http://name.invalid")
            #expect(error?.code == .resolve)
            #expect(error?.mayHaveReachedServer == false)
        }

        @Test("A server that lets nobody in is connect_timeout after the connect time")
        func connectTimeout() async throws {
            let port = LoopbackPort.unanswering()
            let timeouts = TransferTimeouts.short(connect: .milliseconds(120))
            let (error, took) = try await failure("http://127.0.0.1:\(port.port)", timeouts: timeouts)
            #expect(error?.code == .connectTimeout)
            #expect(error?.blame == .upstream)
            #expect(error?.mayHaveReachedServer == false)
            #expect(took >= .milliseconds(110))
            #expect(took < .seconds(5))
        }

        @Test("A TLS handshake that never comes counts as connecting")
        func silentHandshake() async throws {
            try await withServer { server in
                let timeouts = TransferTimeouts.short(connect: .milliseconds(120))
                let (error, took) = try await failure("https://127.0.0.1:\(server.port)", timeouts: timeouts)
                #expect(error?.code == .connectTimeout)
                #expect(error?.mayHaveReachedServer == false)
                #expect(took < .seconds(5))
            }
        }

        @Test("A connect time beyond what libcurl can count is no limit, and traps nobody")
        func endlessConnect() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in connection.send("HTTP/1.1 204 No\r\n\r\n") }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(connect: .hours(24 * 365))
                    let record = try await engine.client(server.base, timeouts: timeouts).send()
                    #expect(record.error == nil)
                }
            }
        }

        @Test("A server that never answers is first_byte_timeout, and it may have acted")
        func firstByte() async throws {
            try await withServer { server in
                let timeouts = TransferTimeouts.short(firstByte: .milliseconds(100))
                let (error, took) = try await failure(server.base, timeouts: timeouts)
                #expect(error?.code == .firstByteTimeout)
                #expect(error?.blame == .upstream)
                #expect(error?.mayHaveReachedServer == true)
                #expect(took >= .milliseconds(100))
                #expect(took < .seconds(5))
                try await server.connection().ended()
            }
        }

        @Test("A head that trickles without end is still first_byte_timeout")
        func tricklingHead() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(firstByte: .milliseconds(150))
                    let probe = try await engine.client(server.base, timeouts: timeouts).start()
                    let connection = try await server.connection()
                    connection.send("HTTP/1.1 200 OK\r\n")
                    try await eventually("the transfer ends") {
                        connection.send("a: b\r\n")
                        return probe.now.ends > 0
                    }
                    let code = try await probe.end().error?.code
                    // A server that is fast enough reaches the limit of fields before.
                    #expect(code == .firstByteTimeout || code == .headTooLarge)
                }
            }
        }

        @Test("Silence in the middle of a body is idle_timeout, although the first-byte time is far longer")
        func idle() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(firstByte: .seconds(30), idle: .milliseconds(100))
                    let client = engine.client(server.base, timeouts: timeouts)
                    let probe = try await client.start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
                    let start = NIODeadline.now()
                    let record = try await probe.end()
                    #expect(record.error?.code == .idleTimeout)
                    #expect(record.error?.blame == .upstream)
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect(record.text == "12345")
                    #expect(.now() - start < .seconds(5))
                    try await connection.ended()
                }
            }
        }

        @Test("A body that moves slower than it might, but moves, does not end by the idle time")
        func slowButAlive() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(idle: .seconds(1))
                    let client = engine.client(server.base, timeouts: timeouts)
                    let probe = try await client.start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n")
                    for _ in 0..<12 {
                        try await client.loop.eventLoop.scheduleTask(in: .milliseconds(120)) {}.futureResult.get()
                        connection.send("x")
                    }
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.body.count == 12)
                }
            }
        }

        @Test("The total time ends a transfer that lives, in its head and in its body", arguments: [false, true])
        func total(_ hasHead: Bool) async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(total: .seconds(1))
                    let probe = try await engine.client(server.base, timeouts: timeouts).start()
                    let connection = try await server.connection()
                    try await connection.receive()
                    if hasHead { connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n") }
                    try await eventually("the transfer ends") {
                        if hasHead { connection.send("1\r\nx\r\n") }
                        return probe.now.ends > 0
                    }
                    let record = try await probe.end()
                    #expect(record.error?.code == .totalTimeout)
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect(record.heads == (hasHead ? 1 : 0))
                }
            }
        }

        @Test("A reader that pauses longer than the idle time does not trip it; silence after the resume does")
        func pausedReader() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let timeouts = TransferTimeouts.short(idle: .milliseconds(80))
                    let client = engine.client(server.base, timeouts: timeouts)
                    let isOpen = Mutex(false)
                    let probe = Probe(onBody: { _, _ in isOpen.withLock { $0 } ? .taken : .pause })
                    try await client.start("GET", "/", probe)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
                    try await probe.until("the reader pauses") { $0.pieces == 1 }
                    try await client.loop.eventLoop.scheduleTask(in: .milliseconds(300)) {}.futureResult.get()
                    #expect(probe.now.ends == 0)
                    isOpen.withLock { $0 = true }
                    try await probe.resume(client)
                    try await probe.until("the held bytes come") { $0.text == "12345" }
                    let record = try await probe.end()
                    #expect(record.error?.code == .idleTimeout)
                    #expect(record.text == "12345")
                }
            }
        }
    }
}
