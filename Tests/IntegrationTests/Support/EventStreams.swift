internal import TestSupport

/// Event streams as Azure sends them, and as it might.
enum EventStreams {
    struct Sample: Sendable {
        let name: String
        let bytes: [UInt8]

        init(_ name: String, _ text: String) {
            self.name = name
            bytes = Array(text.utf8)
        }
    }

    static let small: [Sample] = [
        Sample(
            "chat chunks",
            """
            data: {"choices":[],"prompt_filter_results":[]}\n\n\
            data: {"choices":[{"delta":{"content":"Hi"},"index":0}]}\n\ndata: [DONE]\n\n
            """
        ),
        Sample("CRLF", "data: {\"a\":1}\r\n\r\ndata: {\"b\":2}\r\n\r\ndata: [DONE]\r\n\r\n"),
        Sample("CR", "data: {\"a\":1}\r\rdata: [DONE]\r\r"),
        Sample(
            "Responses events",
            """
            event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n\
            event: response.output_text.delta\ndata: {"delta":"x","sequence_number":1}\n\n\
            event: response.completed\ndata: {"sequence_number":2}\n\n
            """
        ),
        Sample(
            "keepalive events",
            "event: keepalive\ndata: {\"sequence_number\":3}\n\ndata: 1\n\nevent: keepalive\ndata: {}\n\n"
        ),
        Sample(
            "comments",
            ": first\n\n:\n\ndata: {\"a\":1}\n: inside\ndata: {\"b\":2}\n\n: PROCESSING\n\ndata: [DONE]\n\n"
        ),
        Sample("UTF-8 and emoji", "data: {\"c\":\"é ü 漢字 🚀👩‍👩‍👧 \u{0} \u{FEFF}\"}\n\ndata: [DONE]\n\n"),
        Sample("no [DONE]", "data: {\"a\":1}\n\ndata: {\"b\":2}\n\n"),
        Sample("no end of the last event", "data: {\"a\":1}\n\ndata: {\"b\":2}"),
        Sample("empty lines", "\n\n\ndata: 1\n\n\n\n\r\n\r\ndata: 2\n\n\n"),
        Sample("fields of all kinds", "id: 1\nretry: 1000\nevent:x\ndata:1\ndata: 2\nunknown: 3\ndata\n\n"),
        Sample("bytes that are no UTF-8", "data: "),
    ].map { sample in
        guard sample.name == "bytes that are no UTF-8" else { return sample }
        return Sample(sample.name, bytes: sample.bytes + [0xFF, 0xFE, 0x80, 0x0A, 0x0A])
    }

    static let large: [Sample] = [
        Sample(
            "an event of 200 kB",
            "data: {\"b64\":\"" + String(repeating: "QUJD", count: 50_000) + "\"}\n\ndata: [DONE]\n\n"
        ),
        Sample(
            "1,000 chunks",
            (0..<1_000).map { "data: {\"choices\":[{\"delta\":{\"content\":\" word\($0) é🚀\"},\"index\":0}]}\n\n" }
                .joined()
                + "data: [DONE]\n\n"
        ),
        Sample("a megabyte of line ends", String(repeating: "\r\n\n\r", count: 250_000)),
    ]
}

extension EventStreams.Sample {
    init(_ name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

extension Collection where Element == UInt8, Index == Int {
    /// Cuts them into pieces of 1 to `most` bytes.
    func pieces(ofAtMost most: Int, seed: UInt64) -> [[UInt8]] {
        var random = SplitMix(seed: seed)
        var pieces: [[UInt8]] = []
        var start = startIndex
        while start < endIndex {
            let end = Swift.min(endIndex, start + Int.random(in: 1...most, using: &random))
            pieces.append(Array(self[start..<end]))
            start = end
        }
        return pieces
    }
}
