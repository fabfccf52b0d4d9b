import NIOCore
import TestSupport
import Testing

@testable import Transport

private let answering: ScriptedServer.Answer = { connection, request in
    connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(request.target.utf8.count)\r\n\r\n\(request.target)")
}

extension EngineTests {
    @Suite("The pool of connections to an origin")
    struct PoolTests {
        @Test("Requests after each other share one connection")
        func reuse() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    for index in 0..<50 {
                        let record = try await client.send("POST", "/\(index)", body: .text("b"))
                        #expect(record.text == "/\(index)")
                        #expect(record.error == nil)
                    }
                    #expect(server.connectionCount == 1)
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("`Connection: close` is honoured: the next request has a connection of its own")
        func connectionClose() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in
                connection.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                connection.close()
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    for _ in 0..<3 {
                        let record = try await client.send()
                        #expect(record.error == nil)
                    }
                    #expect(server.connectionCount == 3)
                }
            }
        }

        @Test("No more transfers run than there may be connections; the others wait and are served in their order")
        func order() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 1 }
                    let heard = Mutex<[Int]>([])
                    var probes: [Probe] = []
                    for index in 0..<6 {
                        let probe = Probe(onHead: { _ in heard.withLock { $0.append(index) } })
                        probes.append(try await client.start("GET", "/\(index)", probe))
                    }
                    #expect(try await client.running() == 1)
                    #expect(try await client.waiting() == 5)
                    let connection = try await server.connection()
                    for index in 0..<6 {
                        try await connection.receive("GET /\(index) ")
                        #expect(!connection.received.contains("GET /\(index + 1) "))
                        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    }
                    for probe in probes { #expect(try await probe.end().isComplete) }
                    #expect(heard.withLock { $0 } == Array(0..<6))
                    #expect(server.connectionCount == 1)
                    #expect(try await client.waiting() == 0)
                }
            }
        }

        @Test("Several connections are used at once, but not more than allowed")
        func severalConnections() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 3 }
                    var probes: [Probe] = []
                    for index in 0..<5 { probes.append(try await client.start("GET", "/\(index)")) }
                    for index in 0..<3 { try await server.connection(index).receive() }
                    #expect(try await client.running() == 3)
                    #expect(try await client.waiting() == 2)
                    #expect(server.connectionCount == 3)
                    for index in 0..<3 {
                        try await server.connection(index).send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    }
                    for index in 3..<5 {
                        try await eventually("request \(index) comes on a connection that was there") {
                            for connection in 0..<3 where serverHas(server, connection, "GET /\(index) ") {
                                return true
                            }
                            return false
                        }
                    }
                    #expect(server.connectionCount == 3)
                    for probe in probes { try await probe.cancel(client) }
                    for probe in probes { #expect(try await probe.end().ends == 1) }
                }
            }
        }

        private func serverHas(_ server: ScriptedServer, _ index: Int, _ text: String) -> Bool {
            server.accepted(index)?.received.contains(text) ?? false
        }

        @Test("Who waits longer than `maxWait` gets pool_timeout, and its place in line is free again")
        func maxWait() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) {
                        $0.maxConnections = 1
                        $0.maxWait = .milliseconds(50)
                    }
                    let first = try await client.start()
                    let record = try await client.send()
                    #expect(record.error?.code == .poolTimeout)
                    #expect(record.error?.mayHaveReachedServer == false)
                    #expect(record.ends == 1)
                    #expect(try await client.waiting() == 0)
                    #expect(try await client.running() == 1)
                    let connection = try await server.connection()
                    try await connection.receive()
                    connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    #expect(try await first.end().isComplete)
                    try await eventually("nothing runs") { try await client.loop.eventLoop.submit { true }.get() }
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("The total time runs while a transfer waits")
        func totalWhileWaiting() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base, timeouts: .short(total: .milliseconds(80))) {
                        $0.maxConnections = 1
                    }
                    let first = try await client.start()
                    let second = try await client.start()
                    for probe in [first, second] {
                        let record = try await probe.end()
                        #expect(record.error?.code == .totalTimeout)
                        #expect(record.ends == 1)
                    }
                }
            }
        }

        @Test("When enough wait, the next is refused with pool_full, after `start` has returned")
        func maxWaiting() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) {
                        $0.maxConnections = 1
                        $0.maxWaiting = 2
                    }
                    var probes: [Probe] = []
                    for _ in 0..<3 { probes.append(try await client.start()) }
                    let startedFirst = Mutex(false)
                    let refused = Probe()
                    let observed = Probe(onEnd: { _ in startedFirst.withLock { $0 = refused.now.isStarted } })
                    try await client.onLoop { _ in
                        client.startOnLoop("GET", "/", observed)
                        client.startOnLoop("GET", "/", refused)
                    }
                    let record = try await observed.end()
                    #expect(record.error?.code == .poolFull)
                    #expect(record.error?.blame == .gateway)
                    #expect(record.error?.mayHaveReachedServer == false)
                    #expect(startedFirst.withLock { $0 }, "the end is heard in a later turn")
                    #expect(try await refused.end().error?.code == .poolFull)
                    #expect(try await client.waiting() == 2)
                    for probe in probes { try await probe.cancel(client) }
                    for probe in probes { #expect(try await probe.end().error?.code == .cancelled) }
                    #expect(try await client.waiting() == 0)
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("A refused transfer that is cancelled before it hears of it is told so once")
        func cancelRefused() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) {
                        $0.maxConnections = 1
                        $0.maxWaiting = 0
                    }
                    let first = try await client.start()
                    let refused = Probe()
                    try await client.onLoop { _ in
                        client.startOnLoop("GET", "/", refused)
                        refused.transfer?.cancel()
                    }
                    let record = try await refused.end()
                    #expect(record.error?.code == .cancelled)
                    #expect(record.error?.mayHaveReachedServer == false)
                    try await first.cancel(client)
                    _ = try await first.end()
                    #expect(refused.now.ends == 1)
                    #expect(!refused.now.heardAfterEnd)
                }
            }
        }

        @Test("A failed transfer gives its place to the next in line")
        func failureFreesThePlace() async throws {
            let answer: ScriptedServer.Answer = { connection, request in
                if request.target == "/bad" { return connection.reset() }
                answering(connection, request)
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 1 }
                    var probes: [(Bool, Probe)] = []
                    for index in 0..<10 {
                        let isBad = index % 3 == 0
                        probes.append((isBad, try await client.start("GET", isBad ? "/bad" : "/good")))
                    }
                    for (isBad, probe) in probes {
                        let record = try await probe.end()
                        #expect((record.error != nil) == isBad)
                        #expect(record.ends == 1)
                    }
                    #expect(try await client.running() == 0)
                }
            }
        }

        @Test("A thousand that wait for a server that refuses all are told one after the other")
        func manyRefused() async throws {
            let port = LoopbackPort.refusing()
            let base = "http://127.0.0.1:\(port.port)"
            try await withEngine { engine in
                let client = engine.client(base) { $0.maxConnections = 1 }
                var probes: [Probe] = []
                for _ in 0..<1000 { probes.append(try await client.start()) }
                for probe in probes {
                    let record = try await probe.end()
                    #expect(record.error?.code == .connect)
                    #expect(record.ends == 1)
                }
                #expect(try await client.running() == 0)
                #expect(try await client.waiting() == 0)
            }
        }

        @Test("A new transfer can be started from inside the end of another")
        func startFromEnd() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base) { $0.maxConnections = 1 }
                    let second = Probe()
                    let first = Probe(onEnd: { _ in client.startOnLoop("GET", "/second", second) })
                    let before = try await client.send("GET", "/first", first)
                    #expect(before.text == "/first")
                    let after = try await second.end()
                    #expect(after.text == "/second")
                    #expect(server.connectionCount == 1)
                }
            }
        }

        @Test("A kept connection that the server closed is replaced unnoticed", arguments: ["GET", "POST"])
        func closedWhileIdle(_ method: String) async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    #expect(try await client.send(method, "/1", body: .text("b")).isComplete)
                    let first = try await server.connection()
                    first.close()
                    try await first.channel.closeFuture.get()
                    // What is known of an idle connection is what the loop's last wait told (decisions/0007): one must follow.
                    try await client.loop.eventLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
                    let record = try await client.send(method, "/2", body: .text("b"))
                    #expect(record.error == nil)
                    #expect(record.text == "/2")
                    #expect(server.connectionCount == 2)
                    #expect(!first.received.contains("/2"))
                }
            }
        }

        /// RFC 9110 section 9.2.2; libcurl by itself would send any request again, up to five times.
        @Test("A request that a kept connection took and then closed without a byte is sent again only if it is safe")
        func closedOnSecondRequest() async throws {
            let answer: ScriptedServer.Answer = { connection, request in
                if request.index == 1 { return connection.close() }
                answering(connection, request)
            }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    #expect(try await client.send("POST", "/1", body: .text("b")).isComplete)
                    let refused = try await client.send("POST", "/2", body: .text("b"))
                    #expect(refused.error?.code == .closedEarly)
                    #expect(refused.error?.blame == .upstream)
                    #expect(refused.error?.mayHaveReachedServer == true)
                    #expect(try await server.connection(0).received.contains("POST /2 "))
                    #expect(try await client.send("POST", "/3", body: .text("b")).isComplete)
                    let repeated = try await client.send("GET", "/4")
                    #expect(repeated.error == nil)
                    #expect(repeated.text == "/4")
                    // libcurl had a second connection ready for the request that was not sent again.
                    #expect(try await server.connection(1).received == "")
                    #expect(try await server.connection(2).received.contains("GET /4 "))
                    #expect(try await server.connection(3).received.contains("GET /4 "))
                    #expect(server.connectionCount == 4)
                }
            }
        }

        @Test("On a fresh connection a request is not sent again")
        func closedOnFirstRequest() async throws {
            let answer: ScriptedServer.Answer = { connection, _ in connection.close() }
            try await withServer(answer: answer) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send("POST", "/1", body: .text("b"))
                    #expect(record.error?.code == .closedEarly)
                    #expect(record.error?.blame == .upstream)
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect(server.connectionCount == 1)
                }
            }
        }
    }
}
