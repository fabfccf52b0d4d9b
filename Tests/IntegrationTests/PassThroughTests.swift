internal import TestSupport
internal import Testing

extension Integration {
    @Suite("Bytes out equal bytes in")
    struct PassThroughTests {
        private let upstream: PiecewiseUpstream
        private let gateway: Gateway

        init() throws {
            upstream = try PiecewiseUpstream()
            gateway = try Gateway(upstream: upstream.server)
        }

        /// The first piece is at the client before the second one leaves the upstream: behind the first event, which proves
        /// that the stream is no error, nothing is held back.
        @Test("for every place to cut a small stream in two", arguments: PiecewiseUpstream.Framing.allCases)
        func everySplit(framing: PiecewiseUpstream.Framing) throws {
            let client = try gateway.connect()
            for sample in EventStreams.small {
                let bytes = Array("data: 1\n\n".utf8) + sample.bytes
                for split in 9...bytes.count {
                    let goOn = Flag()
                    upstream.set(
                        .init(
                            pieces: [Array(bytes[..<split]), Array(bytes[split...])],
                            framing: framing,
                            goOn: goOn
                        )
                    )
                    try client.request("GET", "/openai/stream")
                    var body = try BodyReader(client)
                    let first = try body.read(atLeast: split)
                    goOn.raise()
                    let received = try first + body.readToEnd()
                    guard first.count == split, received == bytes else {
                        Issue.record("\(sample.name), cut at \(split): \(String(decoding: received, as: UTF8.self))")
                        return
                    }
                }
            }
        }

        @Test("for small streams byte by byte", arguments: PiecewiseUpstream.Framing.allCases)
        func byteByByte(framing: PiecewiseUpstream.Framing) throws {
            let client = try gateway.connect()
            for sample in EventStreams.small {
                upstream.set(.init(pieces: sample.bytes.map { [$0] }, framing: framing))
                try client.request("GET", "/openai/stream")
                #expect(try client.response().body == sample.bytes, "\(sample.name)")
            }
        }

        @Test("for large streams in random pieces", arguments: PiecewiseUpstream.Framing.allCases)
        func randomPieces(framing: PiecewiseUpstream.Framing) throws {
            let client = try gateway.connect()
            for sample in EventStreams.large {
                for (seed, most) in [(UInt64(1), 100_000), (2, 20_000), (3, 4_000), (4, 1_000)] {
                    upstream.set(.init(pieces: sample.bytes.pieces(ofAtMost: most, seed: seed), framing: framing))
                    try client.request("GET", "/openai/stream")
                    let body = try client.response().body
                    // Not in one expectation: a failure would print both.
                    let isSame = body == sample.bytes
                    #expect(isSame, "\(sample.name), seed \(seed)")
                }
            }
        }

        @Test("for JSON answers, wherever they are cut", arguments: PiecewiseUpstream.Framing.allCases)
        func json(framing: PiecewiseUpstream.Framing) throws {
            let client = try gateway.connect()
            let answer = Array("{\"choices\":[{\"message\":{\"content\":\"é 🚀 \\u00e9\"}}]  }\r\n".utf8)
            for split in 0...answer.count {
                upstream.set(
                    .init(
                        pieces: [Array(answer[..<split]), Array(answer[split...])],
                        framing: framing,
                        contentType: "application/json"
                    )
                )
                try client.request("GET", "/openai/json")
                let response = try client.response()
                #expect(response.body == answer)
                #expect(response.framing == (framing == .length ? .length(answer.count) : .chunked))
            }
        }

        @Test("for a megabyte of binary data, with its length as it was announced")
        func binary() throws {
            let client = try gateway.connect()
            var random = SplitMix(seed: 5)
            let bytes = (0..<1_000_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            upstream.set(
                .init(pieces: bytes.pieces(ofAtMost: 70_000, seed: 6), framing: .length, contentType: "audio/mpeg")
            )
            try client.request("GET", "/openai/speech")
            let response = try client.response()
            let isSame = response.body == bytes
            #expect(isSame)
            #expect(response.header("content-length") == "1000000")
        }

        @Test("for an HTTP/1.0 client, whose stream ends with the connection")
        func version1_0() throws {
            for sample in EventStreams.small {
                let client = try gateway.connect()
                upstream.set(.init(pieces: sample.bytes.pieces(ofAtMost: 20, seed: 7), framing: .chunked))
                try client.send("GET /openai/stream HTTP/1.0\r\napi-key: \(GatewayConfigurationText.key)\r\n\r\n")
                let response = try client.response()
                #expect(response.framing == .untilClose)
                #expect(response.body == sample.bytes, "\(sample.name)")
            }
        }
    }
}
