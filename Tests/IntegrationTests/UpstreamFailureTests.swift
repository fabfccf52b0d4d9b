internal import TestSupport
internal import Testing

extension Integration {
    @Suite("An upstream that fails")
    struct UpstreamFailureTests {
        private static func configuration() -> GatewayConfigurationText {
            var configuration = GatewayConfigurationText()
            configuration.endpoint = ["timeouts: {connect: 2s, first_byte: 400ms, idle: 400ms}"]
            return configuration
        }

        /// An upstream that fails in that way on `/openai/bad` and is well on every other path.
        private static func upstream(_ script: @escaping ScriptedUpstream.Script) throws -> ScriptedUpstream {
            try ScriptedUpstream { connection in
                while true {
                    if try connection.readRequest().target == "/openai/bad" { return try script(connection) }
                    try connection.send(UpstreamFailure.ok + "content-length: 2\r\n\r\n{}")
                }
            }
        }

        /// Performs the exchange with the failing upstream and expects the gateway to be none the worse for it.
        private func withFailing(
            _ script: @escaping ScriptedUpstream.Script,
            exchange: (Client) throws -> Void
        ) throws {
            let gateway = try Gateway(Self.configuration(), upstream: Self.upstream(script))
            func expectGood() throws {
                let client = try gateway.connect()
                try client.request("GET", "/openai/good")
                #expect(try client.response().status == 200)
                client.socket.close()
            }
            // Once per event loop, so that each has a connection to keep and everything lazy is there.
            for _ in 0..<4 { try expectGood() }
            try wait(for: "the good clients' connections to close") { try gateway.metric("sluice_connections") == 0 }
            let rest = gateway.process.openDescriptors

            let client = try gateway.connect()
            try client.request("GET", "/openai/bad")
            try exchange(client)
            client.socket.close()

            try expectGood()
            try gateway.awaitIdle()
            try wait(for: "descriptors: \(rest) at rest, now \(gateway.process.openDescriptors)") {
                gateway.process.openDescriptors <= rest
            }
            #expect(gateway.process.exitStatus == nil)
        }

        @Test(
            "before the client has got anything is 502 or 504 in Azure's shape",
            arguments: UpstreamFailure.beforeTheHead
        )
        func beforeTheHead(failure: UpstreamFailure) throws {
            try withFailing(failure.script) { client in
                let response = try client.response()
                #expect(response.status == failure.status)
                #expect(response.errorCode == failure.code)
                #expect(response.header("x-request-id") != nil)
                // The connection is as good as before.
                #expect(!response.closes)
                try client.request("GET", "/openai/good")
                #expect(try client.response().status == 200)
            }
        }

        @Test("to listen is 502 in Azure's shape")
        func connectionRefused() throws {
            let client = try Gateway(Self.configuration(), upstream: NoUpstream()).connect()
            for _ in 0..<3 {
                try client.request("GET", "/openai/models")
                let response = try client.response()
                #expect(response.status == 502)
                #expect(response.errorCode == "upstream_connect_failed")
                #expect(!response.text.contains("127.0.0.1"), "the answer tells what is behind the gateway")
            }
        }

        /// Ways to break off a body that the client is already reading.
        private static let endings: [(name: String, script: ScriptedUpstream.Script)] = [
            ("closes", { _ in }),
            ("resets", { $0.socket.reset() }),
            ("is silent", { try $0.awaitClose() }),
            ("sends a chunk size that is no number", { try $0.send("zz\r\nno chunk\r\n") }),
            ("sends a chunk without line end", { try $0.send("5\r\nabcdefgh\r\n") }),
        ]

        @Test("between the events of a stream makes its last event an error", arguments: endings.indices)
        func betweenEvents(_ index: Int) throws {
            let event = "data: {\"a\":1}\n\n"
            // Behind the half line of the last ending there is no clean place any more.
            guard Self.endings[index].name != "sends a chunk without line end" else { return }
            try withFailing { connection in
                try connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                        + "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n"
                )
                try Self.endings[index].script(connection)
            } exchange: { client in
                let response = try client.response()
                #expect(response.status == 200)
                let text = response.text
                #expect(text.hasPrefix(event))
                let last = text.dropFirst(event.utf8.count)
                #expect(last.hasPrefix("data: {\"error\":{\"code\":\"upstream_"), "\(last)")
                #expect(last.hasSuffix("}}\n\n"))
                // The answer ended well, so the connection is kept.
                try client.request("GET", "/openai/good")
                #expect(try client.response().status == 200)
            }
        }

        @Test("before the first event of a stream is the answer's status", arguments: endings.indices)
        func beforeTheFirstEvent(_ index: Int) throws {
            try withFailing { connection in
                try connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n"
                )
                try Self.endings[index].script(connection)
            } exchange: { client in
                let response = try client.response()
                #expect([502, 504].contains(response.status))
                #expect(response.errorCode?.hasPrefix("upstream_") == true)
            }
        }

        @Test("inside an event, or in a body that is no stream, cuts the connection", arguments: endings.indices)
        func insideAnEvent(_ index: Int) throws {
            for type in ["text/event-stream", "application/json"] {
                try withFailing { connection in
                    try connection.send(
                        "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n\r\n"
                            + "f\r\ndata: 1\n\ndata: \r\n"
                    )
                    try Self.endings[index].script(connection)
                } exchange: { client in
                    var body = try BodyReader(client)
                    #expect(throws: Unexpected.self, "the body ended as if it were whole") { try body.readToEnd() }
                    #expect(client.isAtEnd)
                }
            }
        }

        @Test(
            "short of the length that it announced cuts the connection",
            arguments: ["text/event-stream", "application/json"]
        )
        func shortBody(type: String) throws {
            try withFailing { connection in
                try connection.send(
                    "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ncontent-length: 100\r\n\r\ndata: 1\n\n"
                )
            } exchange: { client in
                let body = try BodyReader(client)
                #expect(body.head.header("content-length") == "100")
                #expect(String(decoding: try client.drain(), as: UTF8.self) == "data: 1\n\n")
            }
        }

        @Test("with bytes behind its answer does not put them into the next one")
        func extraBytes() throws {
            let upstream = try ScriptedUpstream { connection in
                while true {
                    let target = try connection.readRequest().target
                    try connection.send(
                        "HTTP/1.1 200 OK\r\ncontent-length: \(target.utf8.count)\r\n\r\n\(target)HTTP/1.1 418 Extra\r\n\r\n"
                    )
                }
            }
            let gateway = try Gateway(upstream: upstream)
            let client = try gateway.connect()
            for number in 0..<10 {
                try client.request("GET", "/openai/\(number)")
                let response = try client.response()
                #expect(response.status == 200)
                #expect(response.text == "/openai/\(number)")
            }
        }

        @Test("with an interim answer or a redirect is taken at its last word")
        func interimAnswers() throws {
            let upstream = try ScriptedUpstream.answering(
                """
                HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
                HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n
                """
            )
            let client = try Gateway(upstream: upstream).connect()
            try client.request("GET", "/openai/models")
            let response = try client.response()
            #expect(response.status == 307)
            #expect(response.interim.isEmpty)
            #expect(response.header("location") == "http://127.0.0.1:1/")
        }
    }
}
