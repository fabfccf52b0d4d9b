import NIOCore
import TestSupport
import Testing

@testable import Transport

/// An answer that keeps the connection.
private func respond(_ body: String = "ok", extra: String = "") -> String {
    "HTTP/1.1 200 OK\r\n\(extra)content-length: \(body.utf8.count)\r\n\r\n\(body)"
}

private let answering: ScriptedServer.Answer = { connection, request in
    connection.send(request.line.hasPrefix("HEAD ") ? "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" : respond())
}

extension EngineTests {
    @Suite("A request on the wire")
    struct RequestTests {
        @Test(
            "Request line and fields arrive exactly as given, and nothing else does",
            arguments: ["GET", "HEAD", "DELETE", "OPTIONS"]
        )
        func withoutBody(_ method: String) async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let record = try await client.send(
                        method,
                        "/openai/v1/x?api-version=1&q=a%20b",
                        headers: [("api-key", "k"), ("X-Mixed-Case", "V a l")]
                    )
                    #expect(record.error == nil)
                    #expect(record.status == 200)
                    #expect(record.text == (method == "HEAD" ? "" : "ok"))
                    let received = try await server.connection().received
                    #expect(
                        received == "\(method) /openai/v1/x?api-version=1&q=a%20b HTTP/1.1\r\n"
                            + "Host: 127.0.0.1:\(server.port)\r\napi-key: k\r\nX-Mixed-Case: V a l\r\n\r\n"
                    )
                }
            }
        }

        @Test(
            "A body from memory arrives whole, with its length",
            arguments: ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        )
        func memoryBody(_ method: String) async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let record = try await client.send(
                        method,
                        "/p",
                        headers: [("Content-Type", "application/json")],
                        body: .text(#"{"a":1}"#)
                    )
                    #expect(record.error == nil)
                    #expect(record.text == "ok")
                    let received = try await server.connection().received
                    #expect(
                        received == "\(method) /p HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"
                            + "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n" + #"{"a":1}"#
                    )
                }
            }
        }

        @Test("A large body from memory arrives without damage", arguments: [1 << 20, 5_000_001])
        func largeMemoryBody(_ size: Int) async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let body = patternBytes(count: size)
                    let record = try await engine.client(server.base).send("POST", body: .memory(body))
                    #expect(record.error == nil)
                    let received = try await server.connection().receivedBytes
                    #expect(Array(received.suffix(size)) == body)
                    let head = String(decoding: received.dropLast(size), as: UTF8.self).lowercased()
                    #expect(head.contains("content-length: \(size)\r\n"))
                    #expect(!head.contains("expect:"))
                }
            }
        }

        @Test("An empty body from memory is sent with length 0")
        func emptyBody() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send("POST", body: .memory([]))
                    #expect(record.error == nil)
                    let received = try await server.connection().received
                    #expect(received.hasPrefix("POST / HTTP/1.1\r\n"))
                    #expect(received.hasSuffix("Content-Length: 0\r\n\r\n"))
                }
            }
        }

        @Test("A field with an empty value is sent")
        func emptyField() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    try await engine.client(server.base).send(headers: [("X-Empty", ""), ("X-Next", "n")])
                    let received = try await server.connection().received.lowercased()
                    #expect(received.contains("\r\nx-empty:"))
                    #expect(received.contains("\r\nx-next: n\r\n"))
                }
            }
        }

        @Test(
            "The target stays as it is, dot segments and odd characters included",
            arguments: [
                "/a/../b/./c", "/../../etc", "/%2e%2e/x?y=../z", "//double//slash", "/a?b#c", "/a|b{c}", "/?", "*",
            ]
        )
        func target(_ target: String) async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let record = try await engine.client(server.base).send("GET", target)
                    #expect(record.error == nil)
                    let line = try await server.connection().received.split(separator: "\r\n")[0]
                    #expect(line == "GET \(target) HTTP/1.1")
                }
            }
        }

        @Test("Nothing of one request is left in the next on the same handle")
        func nothingIsLeft() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let methods: [(String, TestBody)] = [
                        ("POST", .text("body")), ("GET", .none), ("HEAD", .none), ("PUT", .text("x")), ("HEAD", .none),
                        ("GET", .none), ("DELETE", .none), ("POST", .text("")), ("OPTIONS", .none),
                    ]
                    for (index, (method, body)) in methods.enumerated() {
                        let record = try await client.send(
                            method,
                            "/\(index)",
                            headers: [("x-\(index)", "v")],
                            body: body
                        )
                        #expect(record.error == nil, "\(method)")
                        #expect(record.text == (method == "HEAD" ? "" : "ok"), "\(method)")
                    }
                    let host = "Host: 127.0.0.1:\(server.port)\r\n"
                    let expected =
                        "POST /0 HTTP/1.1\r\n\(host)x-0: v\r\nContent-Length: 4\r\n\r\nbody"
                        + "GET /1 HTTP/1.1\r\n\(host)x-1: v\r\n\r\n" + "HEAD /2 HTTP/1.1\r\n\(host)x-2: v\r\n\r\n"
                        + "PUT /3 HTTP/1.1\r\n\(host)x-3: v\r\nContent-Length: 1\r\n\r\nx"
                        + "HEAD /4 HTTP/1.1\r\n\(host)x-4: v\r\n\r\n" + "GET /5 HTTP/1.1\r\n\(host)x-5: v\r\n\r\n"
                        + "DELETE /6 HTTP/1.1\r\n\(host)x-6: v\r\n\r\n"
                        + "POST /7 HTTP/1.1\r\n\(host)x-7: v\r\nContent-Length: 0\r\n\r\n"
                        + "OPTIONS /8 HTTP/1.1\r\n\(host)x-8: v\r\n\r\n"
                    #expect(try await server.connection().received == expected)
                    #expect(server.connectionCount == 1)
                }
            }
        }

        @Test("Proxy variables of the environment are ignored")
        func proxyVariables() async throws {
            await #expect(processExitsWith: .success) {
                let dead = "http://127.0.0.1:\(LoopbackPort.free())"
                for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                    setEnvironment(name, dead)
                }
                try await withServer(answer: answering) { server in
                    try await withEngine { engine in
                        let record = try await engine.client(server.base).send()
                        #expect(record.error == nil)
                        #expect(record.text == "ok")
                    }
                }
                try await withNginx { nginx, engine in
                    let client = engine.client("https://127.0.0.1:\(nginx.tls)") { $0.caFile = nginx.caFile }
                    let record = try await client.send("GET", "/echo")
                    #expect(record.error == nil)
                }
            }
        }
    }
}

extension EngineTests {
    @Suite("A streamed request body")
    struct RequestStreamingTests {
        @Test("With a length it arrives as it is fed, byte for byte, with pauses between")
        func withLength() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start("POST", body: .stream(length: 11))
                    let connection = try await server.connection()
                    try await connection.receive("Content-Length: 11\r\n\r\n")
                    try await probe.until("the body is paused") { $0.uploadPauses == 1 }
                    try await probe.feed(Array("hello".utf8), client)
                    try await connection.receive("\r\n\r\nhello")
                    try await probe.until("the body is paused again") { $0.uploadPauses == 2 }
                    try await probe.feed(Array(" world".utf8), client)
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(record.text == "ok")
                    #expect(connection.received.hasSuffix("\r\n\r\nhello world"))
                    #expect(!connection.received.lowercased().contains("transfer-encoding"))
                }
            }
        }

        @Test("Without a length it arrives in chunks, each as soon as it is fed")
        func chunked() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start("PUT", body: .stream(length: nil))
                    let connection = try await server.connection()
                    try await connection.receive("Transfer-Encoding: chunked\r\n\r\n")
                    try await probe.feed(Array("one".utf8), client)
                    try await connection.receive("\r\n\r\n3\r\none\r\n")
                    try await probe.feed(Array("three".utf8), client)
                    try await connection.receive("\r\n5\r\nthree\r\n")
                    try await probe.finishUpload(client)
                    let record = try await probe.end()
                    #expect(record.error == nil)
                    #expect(connection.received.hasSuffix("3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"))
                    let head = connection.received.lowercased()
                    #expect(!head.contains("content-length") && !head.contains("expect:"))
                }
            }
        }

        @Test("Several megabytes in uneven pieces arrive without damage")
        func large() async throws {
            try await withServer(answer: answering) { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let body = patternBytes(count: 4_000_037)
                    let probe = try await client.start("POST", body: .stream(length: body.count))
                    var generator = SplitMix(seed: 4)
                    var sent = 0
                    while sent < body.count {
                        let count = min(Int.random(in: 1...200_000, using: &generator), body.count - sent)
                        try await probe.feed(Array(body[sent..<(sent + count)]), client)
                        sent += count
                    }
                    #expect(try await probe.end().isComplete)
                    #expect(try await server.connection().receivedBytes.suffix(body.count) == body[...])
                }
            }
        }

        @Test(
            "A server that answers before the body is complete is heard at once, but its transfer lasts while the body is paused",
            arguments: [false, true]
        )
        func earlyAnswer(_ closes: Bool) async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base)
                    let probe = try await client.start("POST", body: .stream(length: 100))
                    try await probe.until("the body is paused") { $0.uploadPauses == 1 }
                    try await probe.feed(Array("start".utf8), client)
                    let connection = try await server.connection()
                    try await connection.receive("start")
                    try await probe.until("the body is paused again") { $0.uploadPauses == 2 }
                    connection.send(
                        "HTTP/1.1 413 Too Large\r\n\(closes ? "connection: close\r\n" : "")content-length: 3\r\n\r\nbig"
                    )
                    try await probe.until("the early answer arrives") { $0.heads == 1 && $0.text == "big" }
                    #expect(probe.now.status == 413)
                    // Who has heard enough may cancel; who waits for the end sends the rest, or meets a time limit.
                    #expect(probe.now.ends == 0)
                    try await probe.feed(Array(repeating: 0x2E, count: 95), client)
                    let record = try await probe.end()
                    #expect(record.error == nil)
                }
            }
        }

        @Test("A body that ends before its length is a failure of the request body, or the server's timeout")
        func tooShort() async throws {
            try await withServer { server in
                try await withEngine { engine in
                    let client = engine.client(server.base, timeouts: .short(firstByte: .milliseconds(500)))
                    let probe = try await client.start("POST", body: .stream(length: 10))
                    try await probe.feed(Array("short".utf8), client)
                    try await probe.finishUpload(client)
                    let record = try await probe.end()
                    #expect(record.error?.mayHaveReachedServer == true)
                    #expect([.requestBody, .closedEarly, .firstByteTimeout].contains(record.error?.code))
                    #expect(record.ends == 1)
                }
            }
        }
    }
}
