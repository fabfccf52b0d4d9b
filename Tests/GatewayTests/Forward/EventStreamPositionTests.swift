import TestSupport
import Testing

@testable import Gateway

/// Where a stream stands, by the standard's words and from the start each time.
private struct SlowPosition {
    let isBetweenEvents: Bool
    let completion: String?

    init(_ stream: ArraySlice<UInt8>) {
        // Every line end becomes one LF.
        var lines: [UInt8] = []
        var index = stream.startIndex
        while index < stream.endIndex {
            let isPair = stream[index] == 0x0D && index + 1 < stream.endIndex && stream[index + 1] == 0x0A
            lines.append(stream[index] == 0x0D ? 0x0A : stream[index])
            index += isPair ? 2 : 1
        }
        let isAtLineStart = lines.last.map { $0 == 0x0A } ?? true
        isBetweenEvents = isAtLineStart && (lines.count < 2 || lines[lines.count - 2] == 0x0A)
        if isBetweenEvents {
            completion = ""
        } else if isAtLineStart {
            completion = stream.last == 0x0D ? "\r" : "\n"
        } else {
            completion = nil
        }
    }
}

@Suite("The place in an event stream", .timeLimit(.minutes(5)))
struct EventStreamPositionTests {
    static let streams = [
        "",
        "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n",
        "data: 1\r\n\r\ndata: 2\r\n\r\n",
        "data: 1\r\rdata: 2\r\r",
        "data: 1\n\r\ndata: 2\r\n\ndata: 3\r\r\ndata: 4\n\rdata: 5\r\n\r",
        ": a comment\n\n: another\ndata: 1\n\n:\n\n",
        "event: delta\nid: 7\nretry: 10\ndata: one\ndata: two\ndata:\ndata: three\n\n",
        "event: keepalive\r\ndata: {}\r\n\r\n: ping\r\n\r\n",
        "\n\n\n\r\r\r\n\r\n\r\n\n\r",
        "data\n\ndata\r\rdata\r\n\r\n",
        "\u{FEFF}data: höhe 日本\n\n",
        "data: no end",
        "\r\n\n\rx\n\r\n\rx\r\n\r\n\r\r\n\nx",
    ]

    private func expect(_ position: EventStreamPosition, at prefix: ArraySlice<UInt8>, _ split: String) {
        let slow = SlowPosition(prefix)
        let isRight =
            position.isBetweenEvents == slow.isBetweenEvents && position.completion.map { "\($0)" } == slow.completion
        if !isRight {
            let stream = String(decoding: prefix, as: UTF8.self).debugDescription
            Issue.record("\(position) behind \(stream), fed \(split); expected \(slow)")
        }
    }

    private func feed(_ position: inout EventStreamPosition, _ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { position.advance(over: $0) }
    }

    @Test("is right behind every byte of a stream that comes byte by byte", arguments: streams)
    func byteByByte(stream: String) {
        let bytes = Array(stream.utf8)
        var position = EventStreamPosition()
        expect(position, at: [], "nothing")
        for index in bytes.indices {
            feed(&position, bytes[index...index])
            expect(position, at: bytes[...index], "byte by byte")
        }
    }

    @Test("is right behind every beginning of a stream, in one piece and split at every place", arguments: streams)
    func splits(stream: String) {
        let bytes = Array(stream.utf8)
        for end in 0...bytes.count {
            for split in 0...end {
                var position = EventStreamPosition()
                feed(&position, bytes[..<split])
                feed(&position, bytes[split..<end])
                expect(position, at: bytes[..<end], "in two, split at \(split)")
            }
        }
    }

    @Test("is right for streams of nothing but line ends and single letters", arguments: [21, 22, 23])
    func randomStreams(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<2_000 {
            var position = EventStreamPosition()
            var stream: [UInt8] = []
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let piece = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    [0x0A, 0x0D, 0x0A, 0x0D, 0x78].randomElement(using: &random)! as UInt8
                }
                stream += piece
                feed(&position, piece[...])
                expect(position, at: stream[...], "in pieces, the last one \(piece)")
            }
        }
    }

    @Test("with its completion always comes to stand between two events", arguments: streams)
    func completion(stream: String) {
        let bytes = Array(stream.utf8)
        for end in 0...bytes.count {
            var position = EventStreamPosition()
            feed(&position, bytes[..<end])
            guard let completion = position.completion else { continue }
            feed(&position, Array("\(completion)".utf8)[...])
            #expect(position.isBetweenEvents)
        }
    }
}
