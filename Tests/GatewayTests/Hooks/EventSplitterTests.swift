import TestSupport
import Testing

@testable import Gateway

@Suite("Events of a stream, for hooks")
struct EventSplitterTests {
    private func events(_ pieces: [[UInt8]]) -> [HookEvent] {
        var splitter = EventSplitter()
        var found: [HookEvent] = []
        for piece in pieces { piece.withUnsafeBytes { splitter.split($0) { found.append($0) } } }
        return found
    }

    private func events(_ text: String) -> [HookEvent] { events([Array(text.utf8)]) }

    @Test("end at an empty line, whatever ends lines", arguments: ["\n", "\r", "\r\n"])
    func lines(end: String) {
        let text = ["event: delta", "data: {\"a\":1}", "", ": a comment", "", "data: x", "data:y", "", "data: no end"]
            .joined(separator: end)
        let found = events(text)
        #expect(found.count == 3)
        #expect(found.map(\.name) == ["delta", nil, nil])
        #expect(found.map(\.data) == ["{\"a\":1}", "", "x\ny"])
        #expect(found.map(\.isWhole) == [true, true, true])
        #expect(String(decoding: found[0].bytes, as: UTF8.self) == "event: delta\ndata: {\"a\":1}")
    }

    @Test("are none where only empty lines come, and are not begun by them")
    func empty() {
        #expect(events("\n\n\r\n\r\r\n") == [])
        #expect(events("\n\ndata: 1\n\n\n\ndata: 2\n\n").map(\.data) == ["1", "2"])
    }

    @Test("are the same in whatever pieces they come", arguments: [1, 2, 3] as [UInt64])
    func pieces(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let text = Array("data: 1\r\n\r\nevent: e\rdata: 2\r\r: c\n\ndata: 3\r\n\n\r\ndata: [DONE]\n\n".utf8)
        let whole = events([text])
        #expect(whole.map(\.data) == ["1", "2", "", "3", "[DONE]"])
        for _ in 0..<500 {
            var pieces: [[UInt8]] = []
            var rest = text[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...7, using: &random)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(events(pieces) == whole)
        }
    }

    @Test("that are too long are shown by their beginning")
    func long() {
        let found = events("data: " + String(repeating: "a", count: 2 * EventSplitter.mostBytes) + "\n\ndata: 2\n\n")
        #expect(found.map(\.isWhole) == [false, true])
        #expect(found[0].bytes.count == EventSplitter.mostBytes)
        #expect(found[1].data == "2")
    }
}
