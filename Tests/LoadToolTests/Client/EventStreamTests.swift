import NIOCore
import Testing

@testable import LoadTool

@Suite("Event streams")
struct EventStreamTests {
    private func lines(_ pieces: [ByteBuffer]) -> [String] {
        var lines = EventLines()
        var found: [String] = []
        for piece in pieces {
            let isShort = lines.read(piece) { found.append(String(decoding: $0, as: UTF8.self)) }
            #expect(isShort)
        }
        return found
    }

    @Test("give their data lines however they are cut")
    func cuts() {
        let text = ": ping\n\ndata: one\n\ndata:two\r\n\r\nevent: x\ndata: three \n\ndata\n\ndata: rest without an end"
        forEachCut(text) { #expect(lines($0) == ["one", "two", "three "]) }
    }

    @Test("are given up when a line never ends")
    func bound() {
        var lines = EventLines()
        let piece = ByteBuffer(repeating: 65, count: 1_024 * 1_024)
        var pieces = 0
        while lines.read(piece, { _ in Issue.record("no line ended") }) {
            pieces += 1
            if pieces > 20 { break }
        }
        #expect(pieces == 16)
    }

    // MARK: Order and completeness

    private func content(_ text: String) -> String {
        "{\"choices\":[{\"delta\":{\"content\":\"\(text)\"},\"finish_reason\":null}]}"
    }

    private func check(
        _ events: [String],
        _ level: RequestKind.Verify = .mock,
        isWhole: Bool = true
    ) -> StreamCheck.Fault? {
        var check = StreamCheck(level)
        for event in events { _ = withBytes(event) { check.received($0) } }
        return check.ended(isWhole: isWhole)
    }

    private let role = "{\"choices\":[{\"delta\":{\"content\":\"\",\"role\":\"assistant\"}}]}"
    private let usage = "{\"choices\":[],\"usage\":{\"completion_tokens\":3,\"prompt_tokens\":9,\"total_tokens\":12}}"

    @Test("are in order when all words came, and the usage agrees")
    func good() {
        let words = ["The", " gateway", " passed"].map(content)
        #expect(check([role] + words + [usage, "[DONE]"]) == nil)
        #expect(check([role, content("The gateway"), content(" passed"), usage, "[DONE]"]) == nil)
    }

    @Test("follow the ring of words around")
    func ring() {
        let text =
            "The gateway passed this answer on and every word of it arrived in order without any loss or change so the "
            + "reader may count them one by one until the last"
        let words = (text + " " + text).split(separator: " ")
        let events = words.enumerated().map { content($0.offset == 0 ? String($0.element) : " \($0.element)") }
        let count = "{\"usage\":{\"completion_tokens\":\(words.count),\"prompt_tokens\":9}}"
        #expect(check(events + [count, "[DONE]"]) == nil)
    }

    @Test("have a fault for everything that can be missing or wrong")
    func faults() {
        let all = ["The", " gateway", " passed"].map(content)
        #expect(check(all + [usage]) == .noDone)
        #expect(check(all + ["[DONE]", usage]) == .afterDone)
        #expect(check([all[0], all[2], usage, "[DONE]"]) == .wordOrder)
        #expect(check([all[0], all[0], usage, "[DONE]"]) == .wordOrder)
        #expect(check([all[0], all[1], usage, "[DONE]"]) == .wordCount)
        #expect(check([all[0], "{\"error\":{\"code\":\"x\"}}", "[DONE]"]) == .error)
        var long = StreamCheck(.stream)
        long.lineGrewTooLong()
        #expect(long.ended(isWhole: false) == .lineTooLong)
    }

    @Test("are judged by what came when they were given up on purpose")
    func givenUp() {
        #expect(check([role, content("The")], isWhole: false) == nil)
        #expect(check([role, content("gateway")], isWhole: false) == .wordOrder)
    }

    @Test("are checked only as far as asked for")
    func levels() {
        #expect(check([content("anything"), "[DONE]"], .stream) == nil)
        #expect(check([content("anything")], .stream) == .noDone)
        #expect(check([content("anything")], .none) == nil)
    }

    @Test("tell text from frames")
    func meanings() {
        var check = StreamCheck(.stream)
        #expect(withBytes(role) { check.received($0) } == .frame)
        #expect(withBytes(content("x")) { check.received($0) } == .content)
        #expect(withBytes(usage) { check.received($0) } == .frame)
        #expect(withBytes("[DONE]") { check.received($0) } == .done)
        #expect(check.usage == TokenUsage(prompt: 9, completion: 3))
    }

    // MARK: Usage

    @Test("tell their usage wherever it stands")
    func usages() {
        let filler = String(repeating: "{\"a\":\"b\"},", count: 400)
        func read(_ text: String) -> TokenUsage? { withBytes(text) { TokenUsage(in: $0) } }
        #expect(read(usage) == TokenUsage(prompt: 9, completion: 3))
        #expect(read("[\(filler)\(usage)]") == TokenUsage(prompt: 9, completion: 3))
        #expect(read("[\(usage),\(filler)]") == TokenUsage(prompt: 9, completion: 3))
        #expect(read("{\"usage\":{\"prompt_tokens\": 5, \"total_tokens\": 5}}") == TokenUsage(prompt: 5, completion: 0))
        #expect(read("{\"usage\":null}") == nil)
        #expect(read("{\"usage\":{\"prompt_tokens\":") == nil)
        #expect(read("") == nil)
    }
}
